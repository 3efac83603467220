using System.Text.Json;

namespace SyncEngine.Hub.Logins;

/// <summary>What a provider's API answered.</summary>
/// <param name="Status">The HTTP status: 2xx or 4xx.</param>
/// <param name="Root">The JSON object in the answer.</param>
internal readonly record struct ProviderAnswer(int Status, JsonElement Root)
{
    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>A member as text, also where the provider writes it as a number; null if it is neither.</summary>
    public static string? Text(JsonElement from, string name)
    {
        if (from.ValueKind != JsonValueKind.Object || !from.TryGetProperty(name, out JsonElement member)) return null;
        return member.ValueKind switch
        {
            JsonValueKind.String => Unescaped(member),
            JsonValueKind.Number => member.GetRawText(),
            _ => null,
        };
    }

    /// <summary>A member as a whole number; null if it is none.</summary>
    public static long? Number(JsonElement from, string name) =>
        from.ValueKind == JsonValueKind.Object && from.TryGetProperty(name, out JsonElement member)
        && member.ValueKind == JsonValueKind.Number && member.TryGetInt64(out long number) ? number : null;

    /// <summary>A string's text; null if it is none.</summary>
    public static string? Unescaped(JsonElement member)
    {
        try
        {
            return member.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair: valid JSON, and no text.
            return null;
        }
    }
}
