using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace SyncEngine.Cli.Commands;

internal static class IdentityCommand
{
    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true };

    public static Command Build(Terminal terminal) => new("identity", "Look after the identities of a hub's pool.")
    {
        List(terminal),
        Describe(terminal),
        Change(terminal, "disable", "Shut an identity out: its sessions end, its credentials are refused, its data stays.",
            HttpMethod.Post, "/disable", "Disabled"),
        Change(terminal, "enable", "Let a disabled identity in again.", HttpMethod.Post, "/enable", "Enabled"),
        Change(terminal, "delete", "Delete an identity with all its data on the hub; what its devices hold stays there.",
            HttpMethod.Delete, "", "Deleted"),
        Devices(terminal),
        ChangePart(terminal, "revoke", "Revoke a device: its sessions end, its credentials are refused, and what it writes "
            + "from now on is taken from nobody.", HttpMethod.Delete, "DEVICE", "devices", "", "Revoked device"),
        ChangePart(terminal, "undo-merge", "Take a merge back, within 30 days; what was written since stays. describe shows "
            + "its id.", HttpMethod.Post, "MERGE", "merges", "/undo", "Took back merge"),
    };

    private static Command List(Terminal terminal)
    {
        Argument<string> pool = Pool();
        Option<bool> json = Arguments.AsJson("Print each identity as a line of JSON.");
        Command command = new Command("list", "List the identities of a pool, a line each: id, state, guest or account, "
            + "number of devices, when it was made.") { pool, json }.WithAdminOptions();
        command.SetAction(async (arguments, cancellationToken) =>
        {
            bool asJson = arguments.GetValue(json);
            using AdminClient admin = AdminOptions.Open(arguments);

            // Written page by page: a pool may have millions.
            await admin.ListAsync(PathOf(arguments.GetRequiredValue(pool)), "identities", page =>
            {
                foreach (JsonNode? identity in page) terminal.Out.WriteLine(asJson ? identity?.ToJsonString() : Line(identity));
            }, cancellationToken);
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Describe(Terminal terminal)
    {
        Argument<string> pool = Pool(), id = Id();
        Command command = new Command("describe", "Print an identity as JSON, with its logins, devices and merges.") { pool, id }
            .WithAdminOptions();
        command.SetAction(async (arguments, cancellationToken) =>
        {
            using AdminClient admin = AdminOptions.Open(arguments);
            (JsonObject identity, _) = await admin.GetAsync(
                PathOf(arguments.GetRequiredValue(pool), arguments.GetRequiredValue(id)), cancellationToken);
            terminal.Out.WriteLine(identity.ToJsonString(_indented));
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Devices(Terminal terminal)
    {
        Argument<string> pool = Pool(), id = Id();
        Option<bool> json = Arguments.AsJson("Print each device as a line of JSON.");
        Command command = new Command("devices", "List an identity's devices, a line each: id, active or revoked, when it was "
            + "last seen, name.") { pool, id, json }.WithAdminOptions();
        command.SetAction(async (arguments, cancellationToken) =>
        {
            using AdminClient admin = AdminOptions.Open(arguments);
            await admin.ListAsync(PathOf(arguments.GetRequiredValue(pool), arguments.GetRequiredValue(id)) + "/devices",
                "devices", page =>
                {
                    foreach (JsonNode? device in page)
                    {
                        terminal.Out.WriteLine(arguments.GetValue(json) ? device?.ToJsonString() : Words(
                            device.Text("deviceId"), device.Text("revokedAt") is null ? "active" : "revoked",
                            device.Text("lastSeen"), device.Text("name")));
                    }
                }, cancellationToken);
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Change(
        Terminal terminal, string name, string words, HttpMethod method, string suffix, string done)
    {
        Argument<string> pool = Pool(), id = Id();
        Command command = new Command(name, words) { pool, id }.WithAdminOptions();
        command.SetAction(async (arguments, cancellationToken) =>
        {
            using AdminClient admin = AdminOptions.Open(arguments);
            string path = PathOf(arguments.GetRequiredValue(pool), arguments.GetRequiredValue(id));
            await admin.SendAsync(method, path + suffix, null, null, cancellationToken);
            terminal.Out.WriteLine($"{done} identity {arguments.GetRequiredValue(id)}.");
            return ExitCode.Success;
        });
        return command;
    }

    private static Command ChangePart(Terminal terminal, string name, string words, HttpMethod method, string part,
        string parts, string suffix, string done)
    {
        Argument<string> pool = Pool(), id = Id(), which = new(part) { Description = $"The {part.ToLowerInvariant()}'s id." };
        Command command = new Command(name, words) { pool, id, which }.WithAdminOptions();
        command.SetAction(async (arguments, cancellationToken) =>
        {
            using AdminClient admin = AdminOptions.Open(arguments);
            string path = PathOf(arguments.GetRequiredValue(pool), arguments.GetRequiredValue(id));
            string partId = arguments.GetRequiredValue(which);
            await admin.SendAsync(method, $"{path}/{parts}/{Uri.EscapeDataString(partId)}{suffix}", null, null,
                cancellationToken);
            terminal.Out.WriteLine($"{done} {partId} of identity {arguments.GetRequiredValue(id)}.");
            return ExitCode.Success;
        });
        return command;
    }

    private static string Line(JsonNode? identity)
    {
        int devices = (identity?["devices"] as JsonArray ?? []).Count;
        string merged = identity.Text("mergedInto") is { } into ? " into " + into : "";
        return Words(identity.Text("identityId"), identity.Text("state") + merged,
            identity.IsTrue("isGuest") ? "guest" : "account", $"{devices} devices", identity.Text("createdAt"));
    }

    /// <summary>What the hub tells, as one line that steers no terminal.</summary>
    private static string Words(params string?[] words) => ShownText.Line(string.Join("  ", words).TrimEnd());

    private static Argument<string> Pool() => new("POOL") { Description = "The pool's name." };

    private static Argument<string> Id() => new("IDENTITY") { Description = "The identity's id." };

    private static string PathOf(string pool) => $"/pools/{Uri.EscapeDataString(pool)}/identities";

    private static string PathOf(string pool, string id) => $"{PathOf(pool)}/{Uri.EscapeDataString(id)}";
}
