namespace SyncEngine.Hub.Cognito;

/// <summary>The set-up of the Identity API that the hub's definition of a pool has no place for. Immutable.</summary>
internal sealed record CognitoIdentitySetup
{
    /// <summary>Whether the pool was made by this API: then its roles must be set by it before anybody gets
    /// credentials.</summary>
    public bool IsMadeHere { get; init; }

    public string? DeveloperProviderName { get; init; }

    public bool? AllowClassicFlow { get; init; }

    /// <summary>The ARNs of OpenID Connect providers as they were given, under the providers' issuers.</summary>
    public IReadOnlyDictionary<string, string> OpenIdConnectArns { get; init; } = new Dictionary<string, string>();

    /// <summary>Kept and shown; logins by SAML are not taken.</summary>
    public IReadOnlyList<string> SamlProviderArns { get; init; } = [];

    /// <summary>Names of user pools whose tokens were to be checked at the server too; kept and shown.</summary>
    public IReadOnlyList<string> CheckedProviders { get; init; } = [];

    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    /// <summary>The hub's roles under the ARNs by which they were set.</summary>
    public IReadOnlyDictionary<string, string> RoleArns { get; init; } = new Dictionary<string, string>();

    public string? AuthenticatedRoleArn { get; init; }

    public string? UnauthenticatedRoleArn { get; init; }

    /// <summary>How roles follow from logins, under the names of providers as clients write them.</summary>
    public IReadOnlyDictionary<string, CognitoRoleMapping> RoleMappings { get; init; } =
        new Dictionary<string, CognitoRoleMapping>();

    /// <summary>Kept and shown; policies here use claims instead.</summary>
    public IReadOnlyDictionary<string, CognitoPrincipalTags> PrincipalTags { get; init; } =
        new Dictionary<string, CognitoPrincipalTags>();
}

/// <summary>How a role follows from a login of one provider.</summary>
/// <param name="Type"><c>Token</c>: by the token's own claims of roles. <c>Rules</c>: by the first rule that matches.</param>
/// <param name="Denies">Whether a login for which that gives no role is refused; otherwise it gets the authenticated
/// role.</param>
/// <param name="Rules">The rules in their order.</param>
internal sealed record CognitoRoleMapping(string Type, bool? Denies, IReadOnlyList<CognitoRoleRule> Rules);

/// <summary>Gives a role where a claim matches.</summary>
internal sealed record CognitoRoleRule(string Claim, string MatchType, string Value, string RoleArn);

/// <summary>Which claims become tags of the principal.</summary>
internal sealed record CognitoPrincipalTags(bool UsesDefaults, IReadOnlyDictionary<string, string> Tags);
