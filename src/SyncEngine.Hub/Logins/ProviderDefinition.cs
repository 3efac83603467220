namespace SyncEngine.Hub.Logins;

/// <summary>
/// What a pool says of one login provider. JSON-friendly: camelCase by the usual web options. Only operators write these: the
/// addresses in them are called by the hub. <see cref="Faults"/> tells what is wrong.
/// </summary>
internal sealed record ProviderDefinition
{
    /// <summary>The provider's name in its pool: 1 to 32 of a-z, 0-9 and '-'.</summary>
    public required string Name { get; init; }

    /// <summary>What the provider is.</summary>
    public required ProviderKind Kind { get; init; }

    /// <summary>
    /// The issuer, exactly as its tokens and its discovery document write it. Needed for
    /// <see cref="ProviderKind.OpenIdConnect"/>; Google, Apple and Facebook have theirs. Of a developer provider: the
    /// <c>iss</c> of its assertions, by default its name. Https, except on loopback.
    /// </summary>
    public string? Issuer { get; init; }

    /// <summary>
    /// The app's ids at the provider, each an accepted audience. Needed for OpenID Connect, Google, Apple and Amazon; at most 32.
    /// </summary>
    public IReadOnlyList<string> ClientIds { get; init; } = [];

    /// <summary>
    /// Further ids accepted as <c>azp</c> (authorised party), such as the id of an Android app that asks for tokens for the
    /// app's web id; client ids are accepted anyway. At most 32.
    /// </summary>
    public IReadOnlyList<string> AuthorizedParties { get; init; } = [];

    /// <summary>
    /// Where Facebook's or Amazon's API is; by default https://graph.facebook.com and https://api.amazon.com. Https, except on
    /// loopback.
    /// </summary>
    public string? BaseAddress { get; init; }

    /// <summary>Facebook's app id.</summary>
    public string? AppId { get; init; }

    /// <summary>Facebook's app secret; without it classic access tokens are refused and only Limited Login is taken.</summary>
    public string? AppSecret { get; init; }

    /// <summary>The public keys of a developer provider: 1 to 16.</summary>
    public IReadOnlyList<DeveloperKey> Keys { get; init; } = [];

    /// <summary>
    /// Names of claims that a login carries into rules and policies; at most 32. Text, numbers and booleans of up to 1,024
    /// characters are carried; other values are left out.
    /// </summary>
    public IReadOnlyList<string> Claims { get; init; } = [];

    /// <summary>
    /// Whether an ID token must carry a nonce that the hub issued; true by default. Where false, each ID token is taken once.
    /// Means nothing for opaque access tokens, which have no nonce, and for assertions, which have a <c>jti</c>.
    /// </summary>
    public bool RequiresNonce { get; init; } = true;

    /// <summary>What is wrong with this definition, each as a sentence that says what to do; empty if it can be used.</summary>
    public IReadOnlyList<string> Faults() => DefinitionRules.FaultsOf(this);

    /// <summary>The same without <see cref="AppSecret"/>, to be shown.</summary>
    public ProviderDefinition WithoutSecret() => this with { AppSecret = null };

    /// <summary>Name and kind only: no secret gets into a log by accident.</summary>
    public override string ToString() => $"provider {Name} ({Kind})";
}
