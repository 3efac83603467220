using System.CommandLine;
using System.Text.Json;
using Spectre.Console;
using SyncEngine.Policies;

namespace SyncEngine.Cli.Commands;

internal static class PolicyCommand
{
    public static Command Build(Terminal terminal)
    {
        Option<string> policy = new("--policy") { Description = "The role's policy document.", HelpName = "FILE",
            Required = true };
        Option<string?> ceiling = new("--ceiling") { Description = "A second document that must allow it too.",
            HelpName = "FILE" };
        Option<string> action = new("--action") { Description = "Such as dataset:write.", HelpName = "ACTION", Required = true };
        Option<string> resource = new("--resource")
        {
            Description = "Such as identity/ID/dataset/save.", HelpName = "RESOURCE", Required = true,
        };
        Option<string?> identity = new("--identity") { Description = "Who asks.", HelpName = "ID" };
        Option<string?> pool = new("--pool") { Description = "The identity's pool.", HelpName = "POOL" };
        Option<string?> role = new("--role") { Description = "The identity's role.", HelpName = "ROLE" };
        Option<string?> device = new("--device") { Description = "The device.", HelpName = "ID" };
        Option<string[]> claim = new("--claim")
        {
            Description = "A claim of the login; give it once for each.", HelpName = "NAME=VALUE",
                DefaultValueFactory = static _ => [],
        };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        var explain = new Command("explain", "Say whether a request is allowed, and what each statement says to it. Exit code 0 "
            + "allowed, 1 denied, 2 a wrong policy.") { policy, ceiling, action, resource, identity, pool, role, device, claim,
                json };
        explain.SetAction(arguments =>
        {
            var context = new PolicyContext
            {
                IdentityId = arguments.GetValue(identity), Pool = arguments.GetValue(pool), Role = arguments.GetValue(role),
                DeviceId = arguments.GetValue(device), Claims = ReadClaims(arguments.GetRequiredValue(claim)),
            };
            List<(string File, Policy Policy)> policies = [Read(arguments.GetRequiredValue(policy))];
            if (arguments.GetValue(ceiling) is { } limit) policies.Add(Read(limit));
            return Explain(terminal, policies, arguments.GetRequiredValue(action), arguments.GetRequiredValue(resource), context,
                arguments.GetValue(json));
        });
        return new Command("policy", "Look into policies.") { explain };
    }

    private static int Explain(Terminal terminal, List<(string File, Policy Policy)> policies, string action, string resource,
        PolicyContext context, bool asJson)
    {
        bool isAllowed = policies.TrueForAll(known => known.Policy.Allows(action, resource, context));
        if (asJson)
        {
            using var writer = new Utf8JsonWriter(terminal.Output, new JsonWriterOptions { Indented = true });
            writer.WriteStartObject();
            writer.WriteBoolean("allowed", isAllowed);
            writer.WriteStartArray("statements");
            foreach ((string file, Policy policy) in policies)
            {
                foreach (StatementVerdict verdict in policy.Explain(action, resource, context))
                {
                    writer.WriteStartObject();
                    writer.WriteString("policy", file);
                    writer.WriteNumber("statement", verdict.Statement);
                    writer.WriteString("effect", verdict.Effect);
                    writer.WriteBoolean("applies", verdict.Applies);
                    writer.WriteString("reason", verdict.Reason);
                    writer.WriteEndObject();
                }
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.Flush();
            terminal.Out.WriteLine();
            return isAllowed ? ExitCode.Success : ExitCode.CheckFailed;
        }

        terminal.Out.WriteLine($"{(isAllowed ? "Allowed" : "Denied")}: {action} on {resource}");
        foreach ((string file, Policy policy) in policies)
        {
            PolicyDecision decision = policy.Decide(action, resource, context);
            terminal.Out.WriteLine(decision.Statement < 0 ? $"{file}: denies, because no statement allows it"
                : $"{file}: {(decision.IsAllowed ? "allows" : "denies")} by statement {decision.Statement}");
            Table table = new Table().AddColumns("statement", "effect", "applies", "because").Border(TableBorder.Simple);
            foreach (StatementVerdict verdict in policy.Explain(action, resource, context))
                table.AddRow(verdict.Statement.ToString(System.Globalization.CultureInfo.InvariantCulture), verdict.Effect,
                    verdict.Applies ? "yes" : "no", Markup.Escape(verdict.Reason));
            terminal.Screen.Write(table);
        }

        return isAllowed ? ExitCode.Success : ExitCode.CheckFailed;
    }

    private static (string File, Policy Policy) Read(string file)
    {
        try
        {
            return (file, Policy.Parse(File.ReadAllText(file)));
        }
        catch (PolicyException e)
        {
            throw new CommandFailure(ExitCode.BadInput, $"{file}: {e.Message}");
        }
    }

    private static Dictionary<string, string> ReadClaims(string[] claims)
    {
        var read = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string claim in claims)
        {
            int equals = claim.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) throw new CommandFailure(ExitCode.BadInput, $"{claim} is no claim: write --claim NAME=VALUE.");
            read[claim[..equals]] = claim[(equals + 1)..];
        }

        return read;
    }
}
