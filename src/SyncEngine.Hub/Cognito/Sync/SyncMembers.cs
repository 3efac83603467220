using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>Reads and writes what only the Sync API has: counts, times, queries.</summary>
internal static class SyncMembers
{
    /// <summary>An integer of 64 bits; null if it is not there.</summary>
    /// <exception cref="CognitoException">It is something else.</exception>
    public static long? Integer(JsonElement body, string name)
    {
        if (Find(body, name) is not { } member) return null;
        return member.ValueKind == JsonValueKind.Number && member.TryGetInt64(out long number) ? number
            : throw Wrong(name, "an integer of 64 bits");
    }

    /// <summary>A time in seconds since 1970 as milliseconds; null if it is not there.</summary>
    /// <exception cref="CognitoException">It is no number, or beyond the year 9999.</exception>
    public static long? Time(JsonElement body, string name)
    {
        const double secondsMax = 253_402_300_799;
        if (Find(body, name) is not { } member) return null;
        return member.ValueKind == JsonValueKind.Number && member.TryGetDouble(out double seconds)
            && Math.Abs(seconds) <= secondsMax ? (long)Math.Round(seconds * 1000)
            : throw Wrong(name, "a number of seconds since 1970");
    }

    /// <summary>A whole number of a query; null if it is not there.</summary>
    /// <exception cref="CognitoException">It is none, or out of range.</exception>
    public static long? Query(CognitoRequest request, string name, long least)
    {
        if (!request.Query.TryGetValue(name, out string? text)) return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number >= least ? number
            : throw CognitoException.InvalidParameter($"{name} is a whole number, {least} or more; \"{Short(text)}\" is none.");
    }

    /// <summary>How many results a page may have.</summary>
    public static int PageOf(CognitoRequest request, int most) => (int)Math.Min(Query(request, "maxResults", 1) ?? most, most);

    /// <summary>A time as the service writes it: seconds since 1970 as a number.</summary>
    public static JsonNode Seconds(long milliseconds) => JsonValue.Create(milliseconds / 1000.0);

    public static JsonArray Array(IEnumerable<JsonNode?> items) => [.. items];

    private static JsonElement? Find(JsonElement body, string name) => body.ValueKind == JsonValueKind.Object
        && body.TryGetProperty(name, out JsonElement member) && member.ValueKind != JsonValueKind.Null ? member : null;

    private static CognitoException Wrong(string name, string wanted) =>
        CognitoException.Serialization($"{name} must be {wanted}.");

    private static string Short(string text) => text.Length <= 32 ? text : text[..32] + "…";
}
