using SyncEngine.Hub.Pools;

namespace SyncEngine.Hub.Cognito.IdentityApi;

/// <summary>Providers as clients name them: big ones by their host, others by their issuer without its scheme, the developer's by
/// its own name.</summary>
internal static class ProviderNames
{
    /// <summary>The provider that stands for this API itself: its tokens are those of <c>GetOpenIdToken…</c>.</summary>
    public const string Own = "cognito-identity.amazonaws.com";

    public const string Facebook = "graph.facebook.com";
    public const string Google = "accounts.google.com";
    public const string Amazon = "www.amazon.com";
    public const string Apple = "appleid.apple.com";

    private static readonly (string Name, ProviderKind Kind)[] _big =
    [
        (Facebook, ProviderKind.Facebook), (Google, ProviderKind.Google), (Amazon, ProviderKind.Amazon),
        (Apple, ProviderKind.Apple),
    ];

    /// <summary>The kind of a big provider; null for others.</summary>
    public static ProviderKind? KindOf(string name) =>
        _big.FirstOrDefault(known => known.Name == name) is { Name: not null } found ? found.Kind : null;

    /// <summary>The pool's provider of a name; null if it has none. A developer's is never found by name.</summary>
    public static ProviderDefinition? Find(IdentityPool pool, string name) =>
        (KindOf(name) is { } kind ? pool.Providers.FirstOrDefault(known => known.Kind == kind) : null)
        ?? pool.Providers.FirstOrDefault(known => known.Kind == ProviderKind.OpenIdConnect && Bare(known.Issuer!) == name);

    /// <summary>How clients name a provider of the pool, or the developer's.</summary>
    public static string Of(IdentityPool pool, string provider)
    {
        ProviderDefinition? definition = pool.Providers.FirstOrDefault(known => known.Name == provider);
        if (definition is { Kind: ProviderKind.OpenIdConnect, Issuer: { } issuer }) return Bare(issuer);
        return definition is not null && _big.FirstOrDefault(known => known.Kind == definition.Kind) is { Name: { } name }
            ? name : provider;
    }

    /// <summary>An issuer without scheme and slash at the end.</summary>
    public static string Bare(string issuer)
    {
        int scheme = issuer.IndexOf("://", StringComparison.Ordinal);
        return (scheme < 0 ? issuer : issuer[(scheme + 3)..]).TrimEnd('/');
    }
}
