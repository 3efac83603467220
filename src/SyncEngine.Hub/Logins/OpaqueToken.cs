namespace SyncEngine.Hub.Logins;

/// <summary>Access tokens that mean something to their provider only.</summary>
internal static class OpaqueToken
{
    private const int CharactersMax = 4096;

    /// <summary>Whether a token can be one: 1 to 4,096 characters of those that RFC 6750 sends in a header, and '|'.</summary>
    public static bool HasForm(string token) => token.Length is >= 1 and <= CharactersMax
        && token.All(static letter => char.IsAsciiLetterOrDigit(letter) || "-._~+/=|".Contains(letter));
}
