using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace SyncEngine.Cli.Commands;

internal static class PoolCommand
{
    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true };

    private static readonly Option<string?> _hub = new("--hub")
    {
        Description = $"The hub's admin address; without it {AdminClient.AddressVariable}, or {AdminClient.DefaultAddress}.",
            HelpName = "URL",
    };

    private static readonly Option<string?> _key = new("--key")
    {
        Description = $"The admin key; better set {AdminClient.KeyVariable}.", HelpName = "KEY",
    };

    public static Command Build(Terminal terminal) => new("pool", "Manage the identity pools of a hub.")
    {
        Create(terminal), Update(terminal), List(terminal), Describe(terminal), Delete(terminal),
    };

    private static Command Create(Terminal terminal)
    {
        Argument<string> name = Name();
        Definition definition = new();
        var command = new Command("create", "Create a pool.") { name, _hub, _key };
        definition.AddTo(command);
        command.SetAction(async (arguments, cancellationToken) =>
        {
            JsonObject pool = definition.Apply(arguments, new JsonObject { ["name"] = arguments.GetRequiredValue(name) });
            using AdminClient admin = Open(arguments);
            await admin.SendAsync(HttpMethod.Post, "/pools", pool, null, cancellationToken);
            terminal.Out.WriteLine($"Created pool {arguments.GetRequiredValue(name)}.");
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Update(Terminal terminal)
    {
        Argument<string> name = Name();
        Definition definition = new();
        var command = new Command("update", "Change a pool: what is given is changed, the rest stays.") { name, _hub, _key };
        definition.AddTo(command);
        command.SetAction(async (arguments, cancellationToken) =>
        {
            using AdminClient admin = Open(arguments);
            string path = PathOf(arguments.GetRequiredValue(name));
            (JsonObject? known, string? tag) = await admin.SendAsync(HttpMethod.Get, path, null, null, cancellationToken);
            await admin.SendAsync(HttpMethod.Put, path, definition.Apply(arguments, known!), tag, cancellationToken);
            terminal.Out.WriteLine($"Updated pool {arguments.GetRequiredValue(name)}.");
            return ExitCode.Success;
        });
        return command;
    }

    private static Command List(Terminal terminal)
    {
        Option<bool> json = new("--json") { Description = "Print JSON." };
        var command = new Command("list", "List the pools.") { _hub, _key, json };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            using AdminClient admin = Open(arguments);
            var pools = new JsonArray();
            for (string? cursor = ""; cursor is not null;)
            {
                (JsonObject? page, _) = await admin.SendAsync(HttpMethod.Get,
                    "/pools" + (cursor.Length == 0 ? "" : "?cursor=" + Uri.EscapeDataString(cursor)), null, null,
                        cancellationToken);
                foreach (JsonNode? pool in page!["pools"]!.AsArray()) pools.Add(pool!.DeepClone());
                cursor = page["next"]?.GetValue<string>();
            }

            if (arguments.GetValue(json))
            {
                terminal.Out.WriteLine(pools.ToJsonString(_indented));
                return ExitCode.Success;
            }

            Table table = new Table().AddColumns("pool", "guests", "providers").Border(TableBorder.Simple);
            foreach (JsonNode? pool in pools)
                table.AddRow(Markup.Escape(pool!["name"]!.GetValue<string>()), pool["allowsGuests"]!.GetValue<bool>() ? "yes"
                    : "no",
                    Markup.Escape(string.Join(", ", pool["providers"]!.AsArray().Select(static p => p!.GetValue<string>()))));
            terminal.Screen.Write(table);
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Describe(Terminal terminal)
    {
        Argument<string> name = Name();
        Option<bool> cognito = new("--cognito-id")
        {
            Description = "Print only the id by which clients of Amazon Cognito name the pool (docs/COGNITO.md).",
        };
        var command = new Command("describe", "Print a pool's definition as JSON, for update --from.")
        {
            name, cognito, _hub, _key,
        };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            using AdminClient admin = Open(arguments);
            bool isId = arguments.GetValue(cognito);
            (JsonObject? pool, _) = await admin.SendAsync(
                HttpMethod.Get, PathOf(arguments.GetRequiredValue(name)) + (isId ? "/cognito" : ""), null, null,
                cancellationToken);
            terminal.Out.WriteLine(isId ? pool!["identityPoolId"]!.GetValue<string>() : pool!.ToJsonString(_indented));
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Delete(Terminal terminal)
    {
        Argument<string> name = Name();
        Option<bool> force = new("--force") { Description = "Delete its identities and all their data too." };
        var command = new Command("delete", "Delete a pool.") { name, _hub, _key, force };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            using AdminClient admin = Open(arguments);
            await admin.SendAsync(HttpMethod.Delete, PathOf(arguments.GetRequiredValue(name))
                + (arguments.GetValue(force) ? "?force=true" : ""), null, null, cancellationToken);
            terminal.Out.WriteLine($"Deleted pool {arguments.GetRequiredValue(name)}.");
            return ExitCode.Success;
        });
        return command;
    }

    private static Argument<string> Name() => new("NAME") { Description = "The pool's name." };

    private static string PathOf(string name) => "/pools/" + Uri.EscapeDataString(name);

    private static AdminClient Open(ParseResult arguments) => new(arguments.GetValue(_hub), arguments.GetValue(_key));

    /// <summary>What of a definition the command line can say.</summary>
    private sealed class Definition
    {
        private readonly Option<string?> _from = new("--from") { Description = "A definition as JSON, from a file.",
            HelpName = "FILE" };
        private readonly Option<bool?> _guests = new("--guests") { Description = "Whether people without a login are let in." };
        private readonly Option<string[]> _google = Many("--google", "Google, by the app's client id.", "CLIENT_ID");
        private readonly Option<string[]> _oidc = Many("--oidc", "Any OpenID Connect issuer.", "NAME=ISSUER,CLIENT_ID");
        private readonly Option<string[]> _developer = Many("--developer", "Your own backend, by the file of its public JWK.",
            "NAME=FILE");

        public void AddTo(Command command)
        {
            foreach (Option option in (Option[])[_from, _guests, _google, _oidc, _developer]) command.Options.Add(option);
        }

        public JsonObject Apply(ParseResult arguments, JsonObject pool)
        {
            if (arguments.GetValue(_from) is { } file)
            {
                if (JsonNode.Parse(File.ReadAllText(file)) is not JsonObject given)
                    throw new CommandFailure(ExitCode.BadInput, $"{file} holds no JSON object.");
                foreach ((string member, JsonNode? value) in given)
                    if (member != "name") pool[member] = value?.DeepClone();
            }

            if (arguments.GetValue(_guests) is { } guests) pool["allowsGuests"] = guests;
            foreach (string id in arguments.GetRequiredValue(_google))
                Add(pool, new JsonObject { ["name"] = "google", ["kind"] = "google", ["audiences"] = new JsonArray(id) });
            foreach (string text in arguments.GetRequiredValue(_oidc))
            {
                (string name, string rest) = Split(text, '=', "--oidc NAME=ISSUER,CLIENT_ID");
                (string issuer, string client) = Split(rest, ',', "--oidc NAME=ISSUER,CLIENT_ID");
                Add(pool, new JsonObject
                {
                    ["name"] = name, ["kind"] = "openid-connect", ["issuer"] = issuer, ["audiences"] = new JsonArray(client),
                });
            }

            foreach (string text in arguments.GetRequiredValue(_developer))
            {
                (string name, string path) = Split(text, '=', "--developer NAME=FILE");
                Add(pool, new JsonObject
                {
                    ["name"] = name, ["kind"] = "developer", ["keys"] = new JsonArray(File.ReadAllText(path).Trim()),
                });
            }

            return pool;
        }

        private static Option<string[]> Many(string name, string words, string help) => new(name)
        {
            Description = words, HelpName = help, DefaultValueFactory = static _ => [],
        };

        private static void Add(JsonObject pool, JsonObject provider)
        {
            var providers = pool["providers"] as JsonArray ?? [];
            string name = provider["name"]!.GetValue<string>();
            foreach (JsonNode? old in providers.Where(known => known?["name"]?.GetValue<string>() == name)
                .ToList()) providers.Remove(old);
            providers.Add(provider);
            if (pool["providers"] is null) pool["providers"] = providers;
        }

        private static (string Left, string Right) Split(string text, char at, string usage)
        {
            int index = text.IndexOf(at, StringComparison.Ordinal);
            return index > 0 && index < text.Length - 1 ? (text[..index], text[(index + 1)..])
                : throw new CommandFailure(ExitCode.BadInput, $"{text} is not understood: write {usage}.");
        }
    }
}
