using System.CommandLine;
using System.Globalization;
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
        Option<bool> json = Arguments.AsJson();
        var explain = new Command("explain", "Say whether a request is allowed, and what each statement says to it. Exit code 0 "
            + "allowed, 1 denied, 2 a wrong policy or none.") { policy, ceiling, action, resource, identity, pool, role, device,
                claim, json };
        explain.SetAction(arguments =>
        {
            var context = new PolicyContext
            {
                IdentityId = arguments.GetValue(identity), Pool = arguments.GetValue(pool), Role = arguments.GetValue(role),
                DeviceId = arguments.GetValue(device), Claims = ReadClaims(arguments.GetRequiredValue(claim)),
            };
            List<Asked> policies = [Read(arguments.GetRequiredValue(policy))];
            if (arguments.GetValue(ceiling) is { } limit) policies.Add(Read(limit));
            string what = arguments.GetRequiredValue(action), where = arguments.GetRequiredValue(resource);
            bool isAllowed = policies.TrueForAll(asked => asked.Policy.Allows(what, where, context));
            if (arguments.GetValue(json)) WriteJson(terminal, policies, what, where, context, isAllowed);
            else WriteText(terminal, policies, what, where, context, isAllowed);
            return isAllowed ? ExitCode.Success : ExitCode.CheckFailed;
        });
        return new Command("policy", "Look into policies.") { explain };
    }

    private static void WriteJson(Terminal terminal, List<Asked> policies, string action, string resource,
        PolicyContext context, bool isAllowed)
    {
        using (var writer = new Utf8JsonWriter(terminal.Output, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteBoolean("allowed", isAllowed);
            writer.WriteStartArray("policies");
            foreach (Asked asked in policies)
            {
                PolicyDecision decision = asked.Policy.Decide(action, resource, context);
                writer.WriteStartObject();
                writer.WriteString("policy", asked.File);
                writer.WriteBoolean("allowed", decision.IsAllowed);
                if (decision.Statement < 0) writer.WriteNull("decidedBy");
                else writer.WriteNumber("decidedBy", decision.Statement);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteStartArray("statements");
            foreach (Asked asked in policies)
                foreach (StatementVerdict verdict in asked.Policy.Explain(action, resource, context))
                    WriteJson(writer, asked.File, verdict);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        terminal.Out.WriteLine();
    }

    private static void WriteJson(Utf8JsonWriter writer, string file, StatementVerdict verdict)
    {
        writer.WriteStartObject();
        writer.WriteString("policy", file);
        writer.WriteNumber("statement", verdict.Statement);
        writer.WriteString("effect", verdict.Effect);
        writer.WriteBoolean("applies", verdict.Applies);
        writer.WriteString("reason", verdict.Reason);
        writer.WriteStartArray("missing");
        foreach (string name in verdict.Missing) writer.WriteStringValue(name);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteText(Terminal terminal, List<Asked> policies, string action, string resource,
        PolicyContext context, bool isAllowed)
    {
        // What files and arguments say could steer the terminal, or look like an answer.
        string answer = isAllowed ? "Allowed" : "Denied";
        terminal.Out.WriteLine(ShownText.Line($"{answer}: {action} on {resource}"));
        foreach (Asked asked in policies)
        {
            PolicyDecision decision = asked.Policy.Decide(action, resource, context);
            terminal.Out.WriteLine(ShownText.Line(decision.Statement < 0
                ? $"{asked.File}: denies, because no statement allows it"
                : $"{asked.File}: {(decision.IsAllowed ? "allows" : "denies")} by statement {decision.Statement}"));
            IReadOnlyList<StatementVerdict> verdicts = asked.Policy.Explain(action, resource, context);
            Table table = new Table().AddColumns("statement", "effect", "applies", "because").Border(TableBorder.Simple);
            foreach (StatementVerdict verdict in verdicts)
                table.AddRow(verdict.Statement.ToString(CultureInfo.InvariantCulture), verdict.Effect,
                    verdict.Applies ? "yes" : "no", Markup.Escape(ShownText.Line(verdict.Reason)));
            terminal.Screen.Write(table);
            foreach (StatementVerdict verdict in verdicts.Where(static v => v.Effect == "deny" && v.Missing.Count > 0))
                terminal.Out.WriteLine(ShownText.Line($"warning: statement {verdict.Statement} of {asked.File} denies nobody "
                    + $"without {string.Join(", ", verdict.Missing)}: what is missing matches nothing. Who has a value for it "
                    + "may be denied."));
        }
    }

    private static Asked Read(string file)
    {
        try
        {
            return new Asked(file, Policy.Parse(InputFile.ReadText(file, Policy.BytesMax)));
        }
        catch (PolicyException e)
        {
            throw CommandFailure.BadInput($"{file}: {e.Message}", e);
        }
    }

    private static Dictionary<string, string> ReadClaims(string[] claims)
    {
        var read = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string claim in claims)
        {
            int equals = claim.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) throw CommandFailure.BadInput($"{claim} is no claim: write --claim NAME=VALUE.");
            if (!read.TryAdd(claim[..equals], claim[(equals + 1)..]))
                throw CommandFailure.BadInput($"The claim {claim[..equals]} is given twice: a login has one value for each.");
        }

        return read;
    }

    /// <summary>A policy that is asked, and the file that it is from.</summary>
    private sealed record Asked(string File, Policy Policy);
}
