using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace SyncEngine.Cli.Commands;

internal static class PoolCommand
{
    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true };

    public static Command Build(Terminal terminal) => new("pool", "Manage the identity pools of a hub.")
    {
        Create(terminal), Update(terminal), List(terminal), Describe(terminal), Delete(terminal),
    };

    private static Command Create(Terminal terminal)
    {
        Argument<string> name = Name();
        PoolDefinition definition = new();
        var command = new Command("create", "Create a pool.") { name };
        definition.AddTo(command.WithAdminOptions());
        command.SetAction(async (arguments, cancellationToken) =>
        {
            JsonObject pool = definition.Apply(arguments, new JsonObject { ["name"] = arguments.GetRequiredValue(name) });
            using AdminClient admin = AdminOptions.Open(arguments);
            await admin.SendAsync(HttpMethod.Post, "/pools", pool, null, cancellationToken);
            terminal.Out.WriteLine($"Created pool {arguments.GetRequiredValue(name)}.");
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Update(Terminal terminal)
    {
        Argument<string> name = Name();
        PoolDefinition definition = new();
        var command = new Command("update", "Change a pool: what is given is changed, the rest stays. What somebody else "
            + "changed since a definition was described is not undone: the update is refused.") { name };
        definition.AddTo(command.WithAdminOptions());
        command.SetAction(async (arguments, cancellationToken) =>
        {
            using AdminClient admin = AdminOptions.Open(arguments);
            string path = PathOf(arguments.GetRequiredValue(name));
            (JsonObject known, string? tag) = await admin.GetAsync(path, cancellationToken);
            await admin.SendAsync(HttpMethod.Put, path, definition.Apply(arguments, known), tag, cancellationToken);
            terminal.Out.WriteLine($"Updated pool {arguments.GetRequiredValue(name)}.");
            return ExitCode.Success;
        });
        return command;
    }

    private static Command List(Terminal terminal)
    {
        Option<bool> json = Arguments.AsJson();
        Command command = new Command("list", "List the pools.") { json }.WithAdminOptions();
        command.SetAction(async (arguments, cancellationToken) =>
        {
            using AdminClient admin = AdminOptions.Open(arguments);
            var pools = new JsonArray();
            await admin.ListAsync("/pools", "pools", page =>
            {
                foreach (JsonNode? pool in page) pools.Add(pool?.DeepClone());
            }, cancellationToken);
            if (arguments.GetValue(json))
            {
                terminal.Out.WriteLine(pools.ToJsonString(_indented));
                return ExitCode.Success;
            }

            Table table = new Table().AddColumns("pool", "guests", "providers").Border(TableBorder.Simple);
            foreach (JsonNode? pool in pools)
            {
                string providers = string.Join(", ", (pool?["providers"] as JsonArray ?? []).Select(static p => $"{p}"));
                table.AddRow(Shown(pool.Text("name")), pool.IsTrue("allowsGuests") ? "yes" : "no", Shown(providers));
            }

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
        Command command = new Command("describe", "Print a pool's definition as JSON, for update --from.") { name, cognito }
            .WithAdminOptions();
        command.SetAction(async (arguments, cancellationToken) =>
        {
            using AdminClient admin = AdminOptions.Open(arguments);
            bool isId = arguments.GetValue(cognito);
            (JsonObject pool, _) = await admin.GetAsync(
                PathOf(arguments.GetRequiredValue(name)) + (isId ? "/cognito" : ""), cancellationToken);
            terminal.Out.WriteLine(isId ? pool["identityPoolId"]!.GetValue<string>() : pool.ToJsonString(_indented));
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Delete(Terminal terminal)
    {
        Argument<string> name = Name();
        Option<bool> force = new("--force") { Description = "Delete its identities and all their data too." };
        Command command = new Command("delete", "Delete a pool.") { name, force }.WithAdminOptions();
        command.SetAction(async (arguments, cancellationToken) =>
        {
            using AdminClient admin = AdminOptions.Open(arguments);
            await admin.SendAsync(HttpMethod.Delete, PathOf(arguments.GetRequiredValue(name))
                + (arguments.GetValue(force) ? "?force=true" : ""), null, null, cancellationToken);
            terminal.Out.WriteLine($"Deleted pool {arguments.GetRequiredValue(name)}.");
            return ExitCode.Success;
        });
        return command;
    }

    private static Argument<string> Name() => new("NAME") { Description = "The pool's name." };

    private static string PathOf(string name) => "/pools/" + Uri.EscapeDataString(name);

    private static string Shown(string? text) => Markup.Escape(ShownText.Line(text ?? ""));
}
