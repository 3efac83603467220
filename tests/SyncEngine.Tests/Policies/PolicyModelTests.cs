using System.Text.Json.Nodes;
using FsCheck.Xunit;
using SyncEngine.Policies;
using Xunit;

namespace SyncEngine.Tests.Policies;

/// <summary>Policies against an interpreter that takes the rules word by word, with values that try to widen them.</summary>
public sealed class PolicyModelTests
{
    private static readonly string[] _words = ["a", "b", "ab", "*", "**", "", "${role}", "a/b", "/", "A", "ann", "\ud83d\ude00"];
    private static readonly string[] _patterns =
        ["a", "b", "*", "a*", "ab", "${role}", "${pool}", "${identity.id}", "${claim.t}", "${device.id}"];

    private static readonly string[] _names = ["role", "pool", "identity.id", "claim.t", "device.id"];
    private static readonly string[] _actions = ["x:read", "x:write", "x:*", "*", "x:r*"];

    [Property(MaxTest = 3000)]
    public void Policies_decide_as_the_rules_say(int seed)
    {
        var random = new Random(seed);
        List<Rule> rules = [.. Enumerable.Range(0, random.Next(5)).Select(_ => NewRule(random))];
        Policy policy = Policy.Parse(Document(rules));
        for (int i = 0; i < 20; i++)
        {
            Dictionary<string, string> who = [];
            foreach (string name in _names)
                if (random.Next(5) > 0) who[name] = Pick(random, _words);
            string action = Pick(random, ["x:read", "x:write", "y", "x:", "*"]);
            string resource = string.Join('/', Enumerable.Range(0, random.Next(1, 4)).Select(_ => Pick(random, _words)));
            bool[] applies = [.. rules.Select(rule => rule.Applies(action, resource, who))];
            bool denied = rules.Where((rule, n) => !rule.Allows && applies[n]).Any();
            bool allowed = rules.Where((rule, n) => rule.Allows && applies[n]).Any();
            var context = new PolicyContext
            {
                Role = who.GetValueOrDefault("role"), Pool = who.GetValueOrDefault("pool"),
                IdentityId = who.GetValueOrDefault("identity.id"), DeviceId = who.GetValueOrDefault("device.id"),
                Claims = who.TryGetValue("claim.t", out string? t) ? new() { ["t"] = t } : new Dictionary<string, string>(),
            };
            PolicyDecision decision = policy.Decide(action, resource, context);
            string about = $"{policy} {action} {resource} {context}";
            Assert.True(decision.IsAllowed == (allowed && !denied), about);
            Assert.True(decision.Statement < 0 ? !allowed && !denied
                : applies[decision.Statement] && rules[decision.Statement].Allows == decision.IsAllowed, about);
            IReadOnlyList<StatementVerdict> verdicts = policy.Explain(action, resource, context);
            Assert.True(applies.SequenceEqual(verdicts.Select(static verdict => verdict.Applies)), about);
            Assert.All(verdicts, static verdict => Assert.NotEmpty(verdict.Reason));
        }
    }

    private static Rule NewRule(Random random)
    {
        string resource = string.Join('/', Enumerable.Range(0, random.Next(1, 4)).Select(_ => Pick(random, _patterns)));
        if (random.Next(4) == 0) resource += "/**";
        string? name = random.Next(3) == 0 ? Pick(random, _names) : null;
        return new Rule(random.Next(3) > 0, Pick(random, _actions), resource, name, Pick(random, _words), random.Next(2) == 0);
    }

    private static string Pick(Random random, string[] from) => from[random.Next(from.Length)];

    private static string Document(IEnumerable<Rule> rules)
    {
        var statements = new JsonArray();
        foreach (Rule rule in rules)
        {
            var statement = new JsonObject
            {
                ["effect"] = rule.Allows ? "allow" : "deny", ["action"] = rule.Action, ["resource"] = rule.Resource,
            };
            if (rule.Name is not null)
            {
                statement["condition"] = new JsonObject
                {
                    [rule.IsNegated ? "notEquals" : "equals"] = new JsonObject { [rule.Name] = rule.Value },
                };
            }

            statements.Add((JsonNode)statement);
        }

        return new JsonObject { ["version"] = 1, ["statements"] = statements }.ToJsonString();
    }

    private sealed record Rule(bool Allows, string Action, string Resource, string? Name, string Value, bool IsNegated)
    {
        public bool Applies(string action, string resource, Dictionary<string, string> who)
        {
            bool isAction = Action.EndsWith('*')
                ? action.StartsWith(Action.TrimEnd('*'), StringComparison.Ordinal) : action == Action;
            bool isMet = Name is null || (who.TryGetValue(Name, out string? value) && (value == Value) != IsNegated);
            return isAction && isMet && Fits(Resource.Split('/'), resource.Split('/'), who);
        }

        private static bool Fits(string[] pattern, string[] segments, Dictionary<string, string> who)
        {
            if (pattern[^1] != "**")
                return pattern.Length == segments.Length && pattern.Zip(segments).All(pair => Fits(pair, who));
            string[] head = pattern[..^1];
            return segments.Length > head.Length && string.Join('/', segments[head.Length..]).Length > 0
                && head.Zip(segments).All(pair => Fits(pair, who));
        }

        private static bool Fits((string Pattern, string Segment) pair, Dictionary<string, string> who)
        {
            if (pair.Segment.Length == 0) return false;
            if (pair.Pattern.StartsWith('$'))
                return who.TryGetValue(pair.Pattern[2..^1], out string? value) && value == pair.Segment;
            return pair.Pattern.EndsWith('*') ? pair.Segment.StartsWith(pair.Pattern[..^1], StringComparison.Ordinal)
                : pair.Pattern == pair.Segment;
        }
    }
}
