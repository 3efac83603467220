using SyncEngine.Hub.Accounts;
using SyncEngine.Hub.Identities;

namespace SyncEngine.Hub.Cognito.IdentityApi;

/// <summary>
/// Which of the hub's roles a caller gets. An ARN of a role stands for the role of the hub by which it was set, or else for
/// the one that its last part names. Pure.
/// </summary>
internal static class CognitoRoles
{
    private const string NotConfigured = "Invalid identity pool configuration. Check assigned IAM roles for this pool.";
    private const string RolesClaim = "cognito:roles";
    private const string PreferredClaim = "cognito:preferred_role";

    /// <summary>The last part of an ARN, or of any text with slashes.</summary>
    public static string NameOf(string arn) => arn[(arn.LastIndexOf('/') + 1)..];

    /// <summary>The ARN of a role of the hub.</summary>
    public static string ArnOf(CognitoPool pool, string role)
    {
        CognitoIdentitySetup setup = pool.Row.Identity;
        if (role == pool.Definition.GuestRole && setup.UnauthenticatedRoleArn is { } guest) return guest;
        return setup.RoleArns.FirstOrDefault(known => known.Value == role).Key ?? $"arn:aws:iam::000000000000:role/{role}";
    }

    /// <summary>The role of an identity in the enhanced flow.</summary>
    /// <exception cref="CognitoException">It gets none.</exception>
    public static string Choose(CognitoPool pool, IdentityRow row, ProvenLogins proven, string? customArn)
    {
        CognitoIdentitySetup setup = pool.Row.Identity;
        if (row.IsGuest)
        {
            if (setup is { IsMadeHere: true, UnauthenticatedRoleArn: null })
                throw CognitoException.InvalidPoolConfiguration(NotConfigured);
            return pool.Definition.GuestRole;
        }

        foreach (ProvenLogin login in proven.Logins)
        {
            if (MappingOf(setup, login.Name) is not { } mapping) continue;
            if (ByMapping(pool, login, mapping, customArn) is { } role) return role;
            if (mapping.Denies == true) throw CognitoException.NotAuthorized(
                "The role mapping of this identity pool gives this login no role, and denies it.");
        }

        string given = Authenticated(pool, row);
        if (customArn is not null && HubRoleOf(pool, customArn) != given)
            throw CognitoException.NotAuthorized("CustomRoleArn is no role of this login.");
        return given;
    }

    /// <summary>The role that is taken on by its ARN, in the classic flow.</summary>
    /// <exception cref="CognitoException">It is not the identity's to take.</exception>
    public static string Assume(CognitoPool pool, IdentityRow row, string arn)
    {
        CognitoIdentitySetup setup = pool.Row.Identity;
        if (row.IsGuest)
        {
            if (setup.UnauthenticatedRoleArn is { } guest ? guest == arn : NameOf(arn) == pool.Definition.GuestRole)
                return pool.Definition.GuestRole;
        }
        else if (HubRoleOf(pool, arn) is { } role && role == Authenticated(pool, row))
        {
            return role;
        }

        throw CognitoException.AccessDenied("Not authorized to perform sts:AssumeRoleWithWebIdentity");
    }

    /// <summary>The hub's role of an ARN that is not the guests'; null if there is none.</summary>
    public static string? HubRoleOf(CognitoPool pool, string arn)
    {
        if (pool.Row.Identity.RoleArns.TryGetValue(arn, out string? set)) return set;
        string name = NameOf(arn);
        return pool.Definition.Roles.ContainsKey(name) && name != pool.Definition.GuestRole ? name : null;
    }

    private static string Authenticated(CognitoPool pool, IdentityRow row)
    {
        if (pool.Row.Identity is { IsMadeHere: true, AuthenticatedRoleArn: null })
            throw CognitoException.InvalidPoolConfiguration(NotConfigured);
        return PoolAccess.RoleOf(pool.Definition, row)
            ?? throw CognitoException.NotAuthorized("This pool gives this identity no role.");
    }

    private static CognitoRoleMapping? MappingOf(CognitoIdentitySetup setup, string provider) => setup.RoleMappings
        .FirstOrDefault(known => known.Key == provider
            || known.Key.StartsWith(provider + ":", StringComparison.Ordinal)).Value;

    private static string? ByMapping(CognitoPool pool, ProvenLogin login, CognitoRoleMapping mapping, string? customArn)
    {
        string? arn = mapping.Type == "Token" ? ByToken(ValuesOf(login, RolesClaim), ValuesOf(login, PreferredClaim), customArn)
            : mapping.Rules.FirstOrDefault(rule => Matches(rule, ValuesOf(login, rule.Claim)))?.RoleArn;
        if (arn is null) return null;
        return HubRoleOf(pool, arn) ?? throw CognitoException.InvalidPoolConfiguration(
            $"The role {arn} that this login is mapped to is none of the pool's: set it with SetIdentityPoolRoles, or add a "
            + "role of its name to the hub's pool.");
    }

    private static string? ByToken(IReadOnlyList<string> roles, IReadOnlyList<string> preferred, string? customArn)
    {
        if (customArn is not null)
            return roles.Contains(customArn) ? customArn
                : throw CognitoException.NotAuthorized("CustomRoleArn is no role of this login.");
        return preferred is [{ } first] ? first : roles is [{ } only] ? only : null;
    }

    private static bool Matches(CognitoRoleRule rule, IReadOnlyList<string> values) => values.Count > 0 && rule.MatchType switch
    {
        "Equals" => values.Contains(rule.Value),
        "Contains" => values.Any(value => value.Contains(rule.Value, StringComparison.Ordinal)),
        "StartsWith" => values.Any(value => value.StartsWith(rule.Value, StringComparison.Ordinal)),
        "NotEqual" => !values.Contains(rule.Value),
        _ => false,
    };

    private static IReadOnlyList<string> ValuesOf(ProvenLogin login, string claim)
    {
        if (login.Token is { } token)
            return [.. token.Claims.Where(known => known.Type == claim).Select(static known => known.Value)];
        return login.Login.Claims.GetValueOrDefault(claim) ?? [];
    }
}
