using System.Text.Json;
using SyncEngine.Policies;

namespace SyncEngine.Hub.Pools;

/// <summary>Finds what is wrong with a pool's definition. Definitions come from outside: any member may be null.</summary>
internal static class PoolCheck
{
    public const int RolesMax = 32;
    public const int RulesMax = 64;
    public const int ProvidersMax = 32;
    public const int DescriptionCharactersMax = 1000;
    public const int ClaimCharactersMax = 128;
    public const int RuleValueCharactersMax = 256;

    /// <summary>The first fault; null if the definition is sound.</summary>
    public static PoolFault? Find(IdentityPool pool)
    {
        if (!HubNames.IsPool(pool.Name)) return new PoolFault("$.name", $"A pool's name is {HubNames.PoolRule}.");
        if (pool.Description?.Length > DescriptionCharactersMax)
            return new PoolFault("$.description", $"Shorten the description to {DescriptionCharactersMax} characters.");
        return FindInProviders(pool) ?? FindInRoles(pool) ?? FindInRules(pool) ?? FindInLimits(pool.Limits);
    }

    private static PoolFault? FindInProviders(IdentityPool pool)
    {
        if (pool.Providers is null) return new PoolFault("$.providers", "Give a list, which may be empty.");
        if (pool.Providers.Count > ProvidersMax)
            return new PoolFault("$.providers", $"A pool has at most {ProvidersMax} providers.");
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < pool.Providers.Count; i++)
        {
            string path = FormattableString.Invariant($"$.providers[{i}]");
            if (ProviderCheck.Find(pool.Providers[i], path) is { } fault) return fault;
            if (!names.Add(pool.Providers[i].Name))
                return new PoolFault(path + ".name", $"Two providers are called {pool.Providers[i].Name}: rename one.");
        }

        return null;
    }

    private static PoolFault? FindInRoles(IdentityPool pool)
    {
        if (pool.Roles is null) return new PoolFault("$.roles", "Give an object of role names and their policies.");
        if (pool.Roles.Count > RolesMax) return new PoolFault("$.roles", $"A pool has at most {RolesMax} roles.");
        foreach ((string name, JsonElement policy) in pool.Roles)
        {
            if (!HubNames.IsPool(name)) return new PoolFault("$.roles", $"A role's name is {HubNames.PoolRule}.");
            if (CheckPolicy(policy) is { } advice) return new PoolFault("$.roles." + name, advice);
        }

        if (pool.GuestCeiling is { } ceiling && CheckPolicy(ceiling) is { } fault)
            return new PoolFault("$.guestCeiling", fault);
        return FindInRole(pool, "$.guestRole", pool.GuestRole)
            ?? FindInRole(pool, "$.authenticatedRole", pool.AuthenticatedRole)
            ?? (pool.GuestRole == pool.AuthenticatedRole
                ? new PoolFault("$.guestRole", "Guests may not share a role with the authenticated: give them a role of "
                    + "their own.")
                : null);
    }

    private static PoolFault? FindInRole(IdentityPool pool, string path, string role) =>
        role is not null && pool.Roles.ContainsKey(role)
            ? null
            : new PoolFault(path, "There is no such role: add it to roles, or name one that is there.");

    private static PoolFault? FindInRules(IdentityPool pool)
    {
        if (pool.Rules is null) return new PoolFault("$.rules", "Give a list, which may be empty.");
        if (pool.Rules.Count > RulesMax) return new PoolFault("$.rules", $"A pool has at most {RulesMax} rules.");
        if (pool.Rules.Count == 0 && pool.Fallback == RoleFallback.Deny)
            return new PoolFault("$.fallback", "Without rules this refuses every login: add a rule, or use authenticatedRole.");
        for (int i = 0; i < pool.Rules.Count; i++)
        {
            if (FindInRule(pool, pool.Rules[i], FormattableString.Invariant($"$.rules[{i}]")) is { } fault) return fault;
        }

        return null;
    }

    private static PoolFault? FindInRule(IdentityPool pool, RoleRule? rule, string path)
    {
        if (rule is null) return new PoolFault(path, "Give an object: claim, match, value, role and perhaps provider.");
        if (rule.Provider is not null && pool.Providers.All(provider => provider.Name != rule.Provider))
            return new PoolFault(path + ".provider", "The pool has no such provider: add it, or leave the member out for all.");
        if (rule.Claim is not { Length: > 0 and <= ClaimCharactersMax })
            return new PoolFault(path + ".claim", $"A claim's name has 1 to {ClaimCharactersMax} characters.");
        if (rule.Value is not { Length: > 0 and <= RuleValueCharactersMax })
            return new PoolFault(path + ".value", $"What a claim is compared with has 1 to {RuleValueCharactersMax} characters.");
        if (!Enum.IsDefined(rule.Match))
            return new PoolFault(path + ".match", "Use equals, contains, startsWith or notEquals.");
        if (FindInRole(pool, path + ".role", rule.Role) is { } fault) return fault;
        return rule.Role == pool.GuestRole
            ? new PoolFault(path + ".role", "Guests may not share a role with the authenticated: name another role.")
            : null;
    }

    private static PoolFault? FindInLimits(PoolLimits limits)
    {
        if (limits is null) return new PoolFault("$.limits", "Give an object, which may be empty.");
        ReadOnlySpan<(string Name, long? Value)> all =
        [
            ("datasetsMax", limits.DatasetsMax), ("recordsMax", limits.RecordsMax),
            ("datasetBytesMax", limits.DatasetBytesMax), ("keyBytesMax", limits.KeyBytesMax),
            ("valueBytesMax", limits.ValueBytesMax), ("replicasMax", limits.ReplicasMax), ("devicesMax", limits.DevicesMax),
        ];
        foreach ((string name, long? value) in all)
        {
            if (value < 1) return new PoolFault("$.limits." + name, "A limit is at least 1; null switches it off.");
        }

        return null;
    }

    /// <summary>What is wrong with a policy document; null if it is sound.</summary>
    private static string? CheckPolicy(JsonElement policy)
    {
        try
        {
            Policy.Parse(policy);
            return null;
        }
        catch (PolicyException e)
        {
            return e.Message;
        }
    }
}
