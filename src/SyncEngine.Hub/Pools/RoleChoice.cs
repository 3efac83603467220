namespace SyncEngine.Hub.Pools;

/// <summary>Which role an identity gets. Pure.</summary>
internal static class RoleChoice
{
    /// <summary>The role's name; null where the pool lets this identity in with none.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="isGuest">Whether the identity has no login.</param>
    /// <param name="provider">The provider of the login; not looked at for guests.</param>
    /// <param name="claims">The login's claims; a claim that is a list has several values.</param>
    public static string? For(
        IdentityPool pool, bool isGuest, string? provider, IReadOnlyDictionary<string, IReadOnlyList<string>> claims)
    {
        if (isGuest) return pool.AllowsGuests ? pool.GuestRole : null;
        foreach (RoleRule rule in pool.Rules)
        {
            if ((rule.Provider is null || rule.Provider == provider) && Matches(rule, claims)) return rule.Role;
        }

        return pool.Fallback == RoleFallback.AuthenticatedRole ? pool.AuthenticatedRole : null;
    }

    private static bool Matches(RoleRule rule, IReadOnlyDictionary<string, IReadOnlyList<string>> claims)
    {
        if (!claims.TryGetValue(rule.Claim, out IReadOnlyList<string>? values) || values.Count == 0) return false;
        return rule.Match switch
        {
            ClaimMatch.Equals => values.Any(value => string.Equals(value, rule.Value, StringComparison.Ordinal)),
            ClaimMatch.Contains => values.Any(value => value.Contains(rule.Value, StringComparison.Ordinal)),
            ClaimMatch.StartsWith => values.Any(value => value.StartsWith(rule.Value, StringComparison.Ordinal)),
            ClaimMatch.NotEquals => values.All(value => !string.Equals(value, rule.Value, StringComparison.Ordinal)),
            _ => false,
        };
    }
}
