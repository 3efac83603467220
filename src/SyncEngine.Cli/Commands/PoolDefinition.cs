using System.CommandLine;
using System.Text.Json.Nodes;

namespace SyncEngine.Cli.Commands;

/// <summary>What of a pool's definition the command line can say.</summary>
internal sealed class PoolDefinition
{
    private const int JwkBytesMax = 16 * 1024;

    private readonly Option<string?> _from = new("--from")
    {
        Description = "A definition as JSON, from a file, such as pool describe prints it.", HelpName = "FILE",
    };

    private readonly Option<bool?> _guests = new("--guests") { Description = "Whether people without a login are let in." };
    private readonly Option<string[]> _google = Many("--google", "Google, by the app's client id.", "CLIENT_ID");
    private readonly Option<string[]> _oidc = Many("--oidc", "Any OpenID Connect issuer.", "NAME=ISSUER,CLIENT_ID");
    private readonly Option<string[]> _developer = Many("--developer", "Your own backend, by the file of its public JWK.",
        "NAME=FILE");

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_from, _guests, _google, _oidc, _developer]) command.Options.Add(option);
    }

    /// <summary>Changes a definition to what was said.</summary>
    /// <param name="arguments">What was said.</param>
    /// <param name="pool">The definition as it is; with its name alone where it is new.</param>
    public JsonObject Apply(ParseResult arguments, JsonObject pool)
    {
        if (arguments.GetValue(_from) is { } file) ApplyFile(file, pool);
        if (arguments.GetValue(_guests) is { } guests) pool["allowsGuests"] = guests;
        foreach (string id in arguments.GetRequiredValue(_google))
            Add(pool, new JsonObject { ["name"] = "google", ["kind"] = "google", ["audiences"] = new JsonArray(id) }, "google");
        foreach (string text in arguments.GetRequiredValue(_oidc))
        {
            (string name, string rest) = Split(text, '=', "--oidc NAME=ISSUER,CLIENT_ID");
            (string issuer, string client) = Split(rest, ',', "--oidc NAME=ISSUER,CLIENT_ID");
            Add(pool, new JsonObject
            {
                ["name"] = name, ["kind"] = "openid-connect", ["issuer"] = issuer, ["audiences"] = new JsonArray(client),
            }, name);
        }

        foreach (string text in arguments.GetRequiredValue(_developer))
        {
            (string name, string path) = Split(text, '=', "--developer NAME=FILE");
            Add(pool, new JsonObject
            {
                ["name"] = name, ["kind"] = "developer",
                ["keys"] = new JsonArray(InputFile.ReadText(path, JwkBytesMax).Trim()),
            }, name);
        }

        return pool;
    }

    private static void ApplyFile(string file, JsonObject pool)
    {
        JsonObject given = InputFile.ReadJsonObject(file);
        string name = $"{pool["name"]}";
        if (given["name"] is { } other && other.ToString() != name)
            throw CommandFailure.BadInput($"{file} defines the pool {other}, not {name}: a pool keeps its name.");

        // A definition that was described says of which version it is; one that was written by hand does not.
        bool isOlder = pool.ContainsKey("revision") && ((string[])["revision", "createdAt"]).Any(member =>
            given[member] is { } seen && !JsonNode.DeepEquals(seen, pool[member]));
        if (isOlder)
            throw CommandFailure.BadInput($"The pool {name} was changed since {file} was described (revision "
                + $"{given["revision"]}, now {pool["revision"]}): describe it again and make your change in that, or take "
                + "revision and createdAt out of the file to change it all the same.");
        foreach ((string member, JsonNode? value) in given) pool[member] = value?.DeepClone();
    }

    private static Option<string[]> Many(string name, string words, string help) => new(name)
    {
        Description = words, HelpName = help, DefaultValueFactory = static _ => [],
    };

    private static void Add(JsonObject pool, JsonObject provider, string name)
    {
        if (pool["providers"] is not JsonArray providers) pool["providers"] = providers = [];
        foreach (JsonNode? old in providers.Where(known => known.Text("name") == name).ToList()) providers.Remove(old);
        providers.Add(provider);
    }

    private static (string Left, string Right) Split(string text, char at, string usage)
    {
        int index = text.IndexOf(at, StringComparison.Ordinal);
        return index > 0 && index < text.Length - 1 ? (text[..index], text[(index + 1)..])
            : throw CommandFailure.BadInput($"{text} is not understood: write {usage}.");
    }
}
