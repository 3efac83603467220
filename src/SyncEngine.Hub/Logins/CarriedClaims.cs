using System.Text.Json;

namespace SyncEngine.Hub.Logins;

/// <summary>Takes the claims that a definition names out of a provider's JSON.</summary>
internal static class CarriedClaims
{
    private const int ValueMax = 1024;

    /// <summary>Text, numbers and booleans of bounded length; everything else is left out.</summary>
    public static IReadOnlyDictionary<string, string> Of(JsonElement claims, IReadOnlyList<string> names)
    {
        var carried = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string name in names)
        {
            string? value = ProviderAnswer.Text(claims, name);
            if (value is null && claims.TryGetProperty(name, out JsonElement member)
                && member.ValueKind is JsonValueKind.True or JsonValueKind.False)
                value = member.ValueKind == JsonValueKind.True ? "true" : "false";
            if (value is { Length: <= ValueMax }) carried[name] = value;
        }

        return carried;
    }
}
