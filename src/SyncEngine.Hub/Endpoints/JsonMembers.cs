using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace SyncEngine.Hub.Endpoints;

/// <summary>Compares the members of a JSON value with those of a type, to name the exact path of what is wrong.</summary>
internal static class JsonMembers
{
    /// <summary>The first member that is unknown or missing; null if there is none.</summary>
    public static Problem? FindFault(JsonElement element, JsonTypeInfo type, string path) => (type.Kind, element.ValueKind) switch
    {
        (JsonTypeInfoKind.Object, JsonValueKind.Object) => FindInObject(element, type, path),
        (JsonTypeInfoKind.Enumerable, JsonValueKind.Array) => FindInList(element, ElementOf(type), path),
        (JsonTypeInfoKind.Dictionary, JsonValueKind.Object) => FindInDictionary(element, ElementOf(type), path),
        _ => null,
    };

    private static Problem? FindInObject(JsonElement element, JsonTypeInfo type, string path)
    {
        foreach (JsonProperty member in element.EnumerateObject())
        {
            JsonPropertyInfo? known = type.Properties.FirstOrDefault(property => property.Name == member.Name);
            string memberPath = $"{path}.{member.Name}";
            if (known is null)
            {
                return Problems.BadRequest("unknown-member",
                    $"There is no member {Problems.Shorten(memberPath)}: correct it or leave it out. "
                    + $"Known are {string.Join(", ", type.Properties.Select(static property => property.Name))}.", memberPath);
            }

            if (FindFault(member.Value, type.Options.GetTypeInfo(known.PropertyType), memberPath) is { } fault) return fault;
        }

        JsonPropertyInfo? missing = type.Properties
            .FirstOrDefault(property => property.IsRequired && !element.TryGetProperty(property.Name, out _));
        return missing is null ? null
            : Problems.BadRequest("missing-member", $"The member {path}.{missing.Name} is missing: add it.",
                $"{path}.{missing.Name}");
    }

    private static Problem? FindInList(JsonElement element, JsonTypeInfo type, string path)
    {
        int index = 0;
        foreach (JsonElement item in element.EnumerateArray())
        {
            if (FindFault(item, type, FormattableString.Invariant($"{path}[{index++}]")) is { } fault) return fault;
        }

        return null;
    }

    private static Problem? FindInDictionary(JsonElement element, JsonTypeInfo type, string path)
    {
        foreach (JsonProperty member in element.EnumerateObject())
        {
            if (FindFault(member.Value, type, $"{path}.{member.Name}") is { } fault) return fault;
        }

        return null;
    }

    /// <summary>What a list or dictionary holds: every type of these kinds tells.</summary>
    private static JsonTypeInfo ElementOf(JsonTypeInfo type) => type.Options.GetTypeInfo(type.ElementType!);
}
