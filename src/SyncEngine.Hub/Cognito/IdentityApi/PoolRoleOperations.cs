using System.Text.Json;
using System.Text.Json.Nodes;
using SyncEngine.Hub.Pools;

namespace SyncEngine.Hub.Cognito.IdentityApi;

/// <summary>
/// The operations on a pool's roles. An ARN that is set stands for the role of the hub that its last part names; one that the
/// pool lacks is added with a policy that allows the own datasets.
/// </summary>
internal sealed class PoolRoleOperations(CognitoPools pools) : ICognitoOperations
{
    private const string AuthenticatedKey = "authenticated";
    private const string GuestKey = "unauthenticated";
    private const int ArnMax = 2048;
    private const int ArnMin = 20;
    private const int MappingsMax = 10;
    private const int RulesMax = 400;
    private static readonly string[] _matches = ["Equals", "Contains", "StartsWith", "NotEqual"];

    public IEnumerable<CognitoOperation> Operations =>
    [
        new("GetIdentityPoolRoles", CognitoAccess.Developer, GetAsync),
        new("SetIdentityPoolRoles", CognitoAccess.Developer, SetAsync),
    ];

    private async Task<JsonNode?> GetAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        CognitoPool pool = await PoolAsync(request, cancellationToken).ConfigureAwait(false);
        CognitoIdentitySetup setup = pool.Row.Identity;
        var roles = new JsonObject();
        if (setup.AuthenticatedRoleArn is not null || !setup.IsMadeHere)
            roles[AuthenticatedKey] = setup.AuthenticatedRoleArn ?? CognitoRoles.ArnOf(pool, pool.Definition.AuthenticatedRole);
        if (setup.UnauthenticatedRoleArn is not null || !setup.IsMadeHere)
            roles[GuestKey] = CognitoRoles.ArnOf(pool, pool.Definition.GuestRole);
        var answer = new JsonObject { ["IdentityPoolId"] = pool.Id, ["Roles"] = roles };
        if (setup.RoleMappings.Count > 0)
            answer["RoleMappings"] = new JsonObject(setup.RoleMappings.Select(
                static mapping => KeyValuePair.Create(mapping.Key, (JsonNode?)Show(mapping.Value))));
        return answer;
    }

    private async Task<JsonNode?> SetAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        if (request.Body.Object("Roles") is null) throw CognitoMembers.Missing("Roles");
        IReadOnlyDictionary<string, string> arns = request.Body.Map("Roles", 2, 128, ArnMax);
        foreach ((string key, string arn) in arns)
        {
            if (key is not (AuthenticatedKey or GuestKey))
                throw CognitoMembers.Fault(key, "Roles.key", "Member must be authenticated or unauthenticated");
            CheckArn(arn, "Roles." + key);
        }

        Dictionary<string, CognitoRoleMapping> mappings = ReadMappings(request.Body);
        CognitoPool pool = await PoolAsync(request, cancellationToken).ConfigureAwait(false);
        string? authenticated = arns.GetValueOrDefault(AuthenticatedKey), guest = arns.GetValueOrDefault(GuestKey);
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        string guestRole = guest is null ? pool.Definition.GuestRole : HubName(guest);
        var needed = mappings.Values.SelectMany(static mapping => mapping.Rules).Select(static rule => rule.RoleArn).ToList();
        if (authenticated is not null) needed.Insert(0, authenticated);
        foreach (string arn in needed.Distinct(StringComparer.Ordinal))
        {
            string name = HubName(arn);

            // Guests never share a role with the authenticated: one ARN for both becomes two roles.
            while (name == guestRole || names.ContainsValue(name)) name = HubName(name + "-signed-in");
            names[arn] = name;
        }

        var roles = new Dictionary<string, JsonElement>(pool.Definition.Roles, StringComparer.Ordinal);
        foreach (string name in names.Values.Append(guestRole)) roles.TryAdd(name, DefaultPolicies.OwnDatasets);
        IdentityPool definition = pool.Definition with
        {
            Roles = roles, GuestRole = guestRole,
            AuthenticatedRole = authenticated is null ? pool.Definition.AuthenticatedRole : names[authenticated],
        };
        await pools.ReplaceAsync(pool, definition, row => row with
        {
            Identity = row.Identity with
            {
                AuthenticatedRoleArn = authenticated, UnauthenticatedRoleArn = guest, RoleArns = names, RoleMappings = mappings,
            },
        }, cancellationToken).ConfigureAwait(false);
        return null;
    }

    private static Dictionary<string, CognitoRoleMapping> ReadMappings(JsonElement body)
    {
        var mappings = new Dictionary<string, CognitoRoleMapping>(StringComparer.Ordinal);
        if (body.Object("RoleMappings") is not { } all) return mappings;
        foreach (JsonProperty one in all.EnumerateObject())
        {
            CognitoMembers.CheckText(one.Name, "RoleMappings.key", 128, null, 1);
            if (one.Value.ValueKind != JsonValueKind.Object)
                throw CognitoException.Serialization("A member of RoleMappings is not an object: correct it.");
            mappings[one.Name] = ReadMapping(one.Value);
        }

        return mappings.Count <= MappingsMax ? mappings
            : throw CognitoException.LimitExceeded($"There are at most {MappingsMax} role mappings.");
    }

    private static CognitoRoleMapping ReadMapping(JsonElement mapping)
    {
        string type = mapping.RequiredText("Type", 128);
        if (type is not ("Token" or "Rules"))
            throw CognitoMembers.Fault(type, "RoleMappings.type", "Member must satisfy enum value set: [Rules, Token]");
        string? ambiguous = mapping.Text("AmbiguousRoleResolution", 128);
        if (ambiguous is not (null or "AuthenticatedRole" or "Deny"))
            throw CognitoMembers.Fault(ambiguous, "RoleMappings.ambiguousRoleResolution",
                "Member must satisfy enum value set: [AuthenticatedRole, Deny]");
        var rules = new List<CognitoRoleRule>();
        if (type == "Rules")
        {
            JsonElement configuration = mapping.Object("RulesConfiguration")
                ?? throw CognitoException.InvalidParameter("A mapping of the type Rules needs a RulesConfiguration.");
            foreach (JsonElement rule in configuration.List("Rules", RulesMax) ?? throw CognitoMembers.Missing("Rules"))
                rules.Add(ReadRule(rule));
            if (rules.Count == 0) throw CognitoException.InvalidParameter("RulesConfiguration has no rule: add one.");
        }

        bool? denies = ambiguous is null ? null : ambiguous == "Deny";
        return new CognitoRoleMapping(type, denies, rules);
    }

    private static CognitoRoleRule ReadRule(JsonElement rule)
    {
        if (rule.ValueKind != JsonValueKind.Object)
            throw CognitoException.Serialization("A member of Rules is not an object: correct it.");
        string match = rule.RequiredText("MatchType", 128);
        if (!_matches.Contains(match))
            throw CognitoMembers.Fault(match, "matchType",
                "Member must satisfy enum value set: [Equals, Contains, StartsWith, NotEqual]");
        string arn = rule.RequiredText("RoleARN", ArnMax);
        CheckArn(arn, "RoleARN");
        return new CognitoRoleRule(rule.RequiredText("Claim", 64), match, rule.RequiredText("Value", 128), arn);
    }

    private static void CheckArn(string arn, string name)
    {
        if (arn.Length < ArnMin)
            throw CognitoMembers.Fault(arn, name, $"Member must have length greater than or equal to {ArnMin}");
        if (!arn.StartsWith("arn:", StringComparison.Ordinal) || !arn.Contains(":role/", StringComparison.Ordinal))
            throw CognitoException.InvalidParameter($"{arn} is no ARN of a role.");
    }

    private static string HubName(string arn)
    {
        string name = string.Concat(CognitoRoles.NameOf(arn)
            .Select(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' ? c : '-'));
        return name.Length is > 0 and <= 64 ? name
            : throw CognitoException.InvalidParameter("The name of a role has 1 to 64 characters.");
    }

    private static JsonObject Show(CognitoRoleMapping mapping)
    {
        var shown = new JsonObject { ["Type"] = mapping.Type };
        if (mapping.Denies is { } denies) shown["AmbiguousRoleResolution"] = denies ? "Deny" : "AuthenticatedRole";
        if (mapping.Rules.Count > 0)
            shown["RulesConfiguration"] = new JsonObject
            {
                ["Rules"] = new JsonArray([.. mapping.Rules.Select(static rule => (JsonNode)new JsonObject
                {
                    ["Claim"] = rule.Claim, ["MatchType"] = rule.MatchType, ["Value"] = rule.Value, ["RoleARN"] = rule.RoleArn,
                })]),
            };
        return shown;
    }

    private async Task<CognitoPool> PoolAsync(CognitoRequest request, CancellationToken cancellationToken) =>
        await pools.RequireAsync(
            request.Body.RequiredText("IdentityPoolId", CognitoIds.CharactersMax, CognitoPatterns.Id()), cancellationToken)
            .ConfigureAwait(false);
}
