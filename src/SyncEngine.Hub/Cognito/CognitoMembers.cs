using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace SyncEngine.Hub.Cognito;

/// <summary>Reads members of a request's body with the checks, and the texts, that clients know. A member that is null counts as
/// left out; unknown members are passed over.</summary>
internal static class CognitoMembers
{
    private const int ShownMax = 100;

    /// <summary>A text that must be there.</summary>
    public static string RequiredText(this JsonElement body, string name, int max, Regex? pattern = null, int min = 1) =>
        body.Text(name, max, pattern, min) ?? throw Missing(name);

    /// <summary>A text; null if it was left out.</summary>
    public static string? Text(this JsonElement body, string name, int max, Regex? pattern = null, int min = 1)
    {
        if (!body.TryFind(name, out JsonElement member)) return null;
        if (member.ValueKind != JsonValueKind.String) throw WrongKind(name, "a string");
        string text = member.GetString()!;
        CheckText(text, name, max, pattern, min);
        return text;
    }

    public static int? Number(this JsonElement body, string name, int min, int max)
    {
        if (!body.TryFind(name, out JsonElement member)) return null;
        if (member.ValueKind != JsonValueKind.Number || !member.TryGetInt64(out long number)) throw WrongKind(name, "an integer");
        if (number < min) throw Fault(member.ToString(), name, $"Member must have value greater than or equal to {min}");
        if (number > max) throw Fault(member.ToString(), name, $"Member must have value less than or equal to {max}");
        return (int)number;
    }

    public static bool? Truth(this JsonElement body, string name) => !body.TryFind(name, out JsonElement member) ? null
        : member.ValueKind is JsonValueKind.True or JsonValueKind.False ? member.GetBoolean()
        : throw WrongKind(name, "a boolean");

    /// <summary>A map of texts; empty if it was left out.</summary>
    public static IReadOnlyDictionary<string, string> Map(
        this JsonElement body, string name, int countMax, int keyMax, int valueMax, Regex? keys = null, Regex? values = null)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!body.TryFind(name, out JsonElement member)) return map;
        if (member.ValueKind != JsonValueKind.Object) throw WrongKind(name, "a map");
        foreach (JsonProperty entry in member.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.String) throw WrongKind(name, "a map of strings");
            string value = entry.Value.GetString()!;
            CheckText(entry.Name, name + ".key", keyMax, keys, 1);
            CheckText(value, $"{name}.{Short(entry.Name)}.member", valueMax, values, 0);
            map[entry.Name] = value;
        }

        if (map.Count > countMax) throw TooMany(name, countMax);
        return map;
    }

    /// <summary>A list of texts; null if it was left out.</summary>
    public static IReadOnlyList<string>? Texts(this JsonElement body, string name, int countMax, int max, Regex? pattern = null)
    {
        if (body.List(name, countMax) is not { } list) return null;
        var texts = new List<string>();
        foreach (JsonElement member in list)
        {
            if (member.ValueKind != JsonValueKind.String) throw WrongKind(name, "a list of strings");
            CheckText(member.GetString()!, name + ".member", max, pattern, 1);
            texts.Add(member.GetString()!);
        }

        return texts;
    }

    /// <summary>A list; null if it was left out.</summary>
    public static IReadOnlyList<JsonElement>? List(this JsonElement body, string name, int countMax)
    {
        if (!body.TryFind(name, out JsonElement member)) return null;
        if (member.ValueKind != JsonValueKind.Array) throw WrongKind(name, "a list");
        return member.GetArrayLength() <= countMax ? [.. member.EnumerateArray()] : throw TooMany(name, countMax);
    }

    /// <summary>An object; null if it was left out.</summary>
    public static JsonElement? Object(this JsonElement body, string name) => !body.TryFind(name, out JsonElement member) ? null
        : member.ValueKind == JsonValueKind.Object ? member : throw WrongKind(name, "an object");

    public static CognitoException Missing(string name) => CognitoException.InvalidParameter(
        $"1 validation error detected: Value null at '{Camel(name)}' failed to satisfy constraint: Member must not be null");

    public static CognitoException Fault(string value, string name, string constraint) => CognitoException.InvalidParameter(
        $"1 validation error detected: Value '{Short(value)}' at '{Camel(name)}' failed to satisfy constraint: {constraint}");

    public static void CheckText(string text, string name, int max, Regex? pattern, int min)
    {
        if (text.Length < min) throw Fault(text, name, $"Member must have length greater than or equal to {min}");
        if (text.Length > max) throw Fault(text, name, $"Member must have length less than or equal to {max}");
        if (pattern?.IsMatch(text) == false)
            throw Fault(text, name, $"Member must satisfy regular expression pattern: {pattern.ToString()[1..^2]}");
    }

    private static bool TryFind(this JsonElement body, string name, out JsonElement member) =>
        body.TryGetProperty(name, out member) && member.ValueKind != JsonValueKind.Null;

    private static CognitoException TooMany(string name, int max) => CognitoException.InvalidParameter(
        $"1 validation error detected: Value at '{Camel(name)}' failed to satisfy constraint: Member must have length less than "
        + string.Create(CultureInfo.InvariantCulture, $"or equal to {max}"));

    private static CognitoException WrongKind(string name, string kind) =>
        CognitoException.Serialization($"The member {name} is not {kind}: correct it.");

    private static string Camel(string name) => char.ToLowerInvariant(name[0]) + name[1..];

    private static string Short(string text) => text.Length <= ShownMax ? text : text[..ShownMax];
}
