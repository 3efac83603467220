namespace SyncEngine.Hub.Pools;

/// <summary>How logins of one provider are proved. Which members apply depends on the kind.</summary>
public sealed record ProviderDefinition
{
    /// <summary>The provider's name in its pool: 1 to 32 lowercase letters, digits and <c>-</c>. It is part of every login: a
    /// provider of another name knows other people.</summary>
    public required string Name { get; init; }

    /// <summary>The kind of proof.</summary>
    public required ProviderKind Kind { get; init; }

    /// <summary>The issuer of ID tokens, an https address. Needed by <c>openid-connect</c>; the others know theirs.</summary>
    public string? Issuer { get; init; }

    /// <summary>The client ids an ID token may be for, at most 16. Needed by OpenID Connect, Google and Apple.</summary>
    public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>The client ids that may have asked for an ID token (<c>azp</c>), at most 16. Default: the audiences.</summary>
    public IReadOnlyList<string> AuthorizedParties { get; init; } = [];

    /// <summary>The app's id at Facebook, or its client id at Amazon.</summary>
    public string? AppId { get; init; }

    /// <summary>
    /// The app's secret at Facebook. It is written only: no answer of the hub has it. A change that leaves it out keeps it,
    /// an empty
    /// one removes it.
    /// </summary>
    public string? AppSecret { get; init; }

    /// <summary>Whether a secret is kept. Set by the hub; what a request says is ignored.</summary>
    public bool HasAppSecret { get; init; }

    /// <summary>Where the provider is asked instead of its public address; https, or http on this machine.</summary>
    public string? BaseAddress { get; init; }

    /// <summary>A developer provider's public keys: P-256 keys as JWK texts, at most 16.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>The claims of a login that rules and policies may use, at most 32 names.</summary>
    public IReadOnlyList<string> Claims { get; init; } = [];

    /// <summary>Whether an ID token must carry a nonce that the hub issued. Default true.</summary>
    public bool RequiresNonce { get; init; } = true;

    /// <summary>Name and kind; never the secret.</summary>
    public override string ToString() => $"{Name} ({Kind})";

    internal ProviderDefinition WithoutSecret() =>
        this with { AppSecret = null, HasAppSecret = !string.IsNullOrEmpty(AppSecret) };
}
