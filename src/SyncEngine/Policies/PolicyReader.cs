using System.Text;
using System.Text.Json;

namespace SyncEngine.Policies;

/// <summary>Reads policy documents strictly: what is not known is refused, because it was meant to say something.</summary>
internal static class PolicyReader
{
    private const int StatementsMax = 256;
    private const int ItemsMax = 64;
    private const int SegmentsMax = 32;

    public static PolicyStatement[] Read(JsonElement document)
    {
        Dictionary<string, JsonElement> members = Members(document, "$", "version", "statements");
        if (!members.TryGetValue("version", out JsonElement version) || version.ValueKind != JsonValueKind.Number
            || !version.TryGetInt32(out int number) || number != 1)
            throw Fault("$.version", "say \"version\": 1");
        if (!members.TryGetValue("statements", out JsonElement statements) || statements.ValueKind != JsonValueKind.Array)
            throw Fault("$.statements", "give an array of statements");
        if (statements.GetArrayLength() > StatementsMax) throw Fault("$.statements", $"give at most {StatementsMax}");
        return statements.EnumerateArray().Select(static (statement, i) =>
            ReadStatement(statement, $"$.statements[{i}]")).ToArray();
    }

    private static PolicyStatement ReadStatement(JsonElement statement, string path)
    {
        Dictionary<string, JsonElement> members = Members(statement, path, "effect", "action", "resource", "condition");
        string effect = members.TryGetValue("effect", out JsonElement said) && said.ValueKind == JsonValueKind.String
            ? said.GetString()! : "";
        if (effect is not ("allow" or "deny")) throw Fault(path + ".effect", "say allow or deny");
        string[] actions = Texts(members, "action", path);
        foreach (string action in actions)
        {
            if (action.Length == 0 || action.AsSpan(0, action.Length - 1).IndexOf('*') >= 0)
                throw Fault(path + ".action", "name an action, such as dataset:write; an asterisk must come last");
        }

        string[] resources = Texts(members, "resource", path);
        PolicySegment[][] patterns = Array.ConvertAll(resources, resource => ReadPattern(resource, path + ".resource"));
        PolicyCondition[] conditions = members.TryGetValue("condition", out JsonElement condition)
            ? ReadConditions(condition, path + ".condition") : [];
        return new PolicyStatement(effect == "allow", actions, resources, patterns, conditions);
    }

    private static PolicySegment[] ReadPattern(string resource, string path)
    {
        string[] parts = resource.Split('/');
        if (parts.Length > SegmentsMax) throw Fault(path, $"use at most {SegmentsMax} segments");
        var pattern = new PolicySegment[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            pattern[i] = PolicySegment.Parse(parts[i], out string? fault) ?? throw Fault(path, fault!);
            if (pattern[i].IsRest && i < parts.Length - 1) throw Fault(path, "** must come last");
        }

        return pattern;
    }

    private static PolicyCondition[] ReadConditions(JsonElement condition, string path)
    {
        var conditions = new List<PolicyCondition>();
        foreach (KeyValuePair<string, JsonElement> test in Members(condition, path, "equals", "notEquals"))
        {
            string at = $"{path}.{test.Key}";
            if (test.Value.ValueKind != JsonValueKind.Object) throw Fault(at, "give an object of names and values");
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (JsonProperty wanted in test.Value.EnumerateObject())
            {
                if (!names.Add(wanted.Name)) throw Fault(at, $"{wanted.Name} is there twice");
                if (!PolicySegment.TryParseVariable(wanted.Name, out PolicyVariable variable, out string? claim))
                    throw Fault(at, $"{wanted.Name} is no name: there are role, pool, identity.id, device.id and claim.NAME");
                conditions.Add(new PolicyCondition(
                    wanted.Name, variable, claim, test.Key == "notEquals", Texts(wanted.Value, $"{at}.{wanted.Name}")));
            }
        }

        return [.. conditions];
    }

    private static string[] Texts(Dictionary<string, JsonElement> members, string name, string path) =>
        members.TryGetValue(name, out JsonElement value) ? Texts(value, $"{path}.{name}")
            : throw Fault($"{path}.{name}", "it is missing");

    private static string[] Texts(JsonElement value, string path)
    {
        if (value.ValueKind == JsonValueKind.String) return [value.GetString()!];
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() is 0 or > ItemsMax)
            throw Fault(path, $"give a text, or an array of 1 to {ItemsMax} texts");
        return value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String ? item.GetString()!
            : throw Fault(path, "give texts only")).ToArray();
    }

    private static Dictionary<string, JsonElement> Members(JsonElement element, string path, params string[] known)
    {
        if (element.ValueKind != JsonValueKind.Object) throw Fault(path, "give an object");
        var members = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (JsonProperty member in element.EnumerateObject())
        {
            if (!known.Contains(member.Name))
                throw Fault(path, $"{member.Name} is not known here: use {string.Join(", ", known)}");
            if (!members.TryAdd(member.Name, member.Value)) throw Fault(path, $"{member.Name} is there twice");
        }

        return members;
    }

    private static PolicyException Fault(string path, string advice) => new($"The policy is wrong at {path}: {advice}.");
}

/// <summary>JSON as text.</summary>
internal static class JsonSerializerText
{
    public static string WithoutBlanks(JsonElement element)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer)) element.WriteTo(writer);
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
