using SyncEngine.Identities;

namespace SyncEngine.Hub.Identities;

/// <summary>Ids as they come from outside.</summary>
internal static class IdentityText
{
    private const int Digits = 32;

    /// <summary>Reads 32 lower-case hexadecimal digits.</summary>
    public static bool TryParse(string? text, out IdentityId id)
    {
        id = default;
        if (text is not { Length: Digits } || !text.All(static c =>
            c is (>= '0' and <= '9') or (>= 'a' and <= 'f'))) return false;
        id = IdentityId.Parse(text);
        return true;
    }
}
