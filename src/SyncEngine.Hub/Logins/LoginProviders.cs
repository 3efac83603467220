namespace SyncEngine.Hub.Logins;

/// <summary>
/// Makes the checkers of login tokens. One for a hub: pools that name the same issuer share its keys, and so its one forced
/// refresh a minute. Thread-safe.
/// </summary>
/// <param name="hubIssuer">The hub's own issuer, to which assertions of developers are addressed.</param>
/// <param name="nonces">The hub's nonces.</param>
/// <param name="uses">What was used before.</param>
/// <param name="time">The hub's clock.</param>
/// <param name="callTimeout">How long one call of a provider may take; 10 s by default.</param>
internal sealed class LoginProviders(
    string hubIssuer, INonces nonces, ISingleUse uses, TimeProvider time, TimeSpan? callTimeout = null) : IDisposable
{
    private const int IssuersMax = 1024;

    private readonly object _gate = new();
    private readonly Dictionary<string, Issuer> _issuers = new(StringComparer.Ordinal);
    private readonly ProviderHttp _http = new(callTimeout);

    /// <summary>The checker of one provider of a pool. Calls nobody yet; keep it as long as the definition stays.</summary>
    /// <param name="pool">The pool's name.</param>
    /// <param name="definition">The provider.</param>
    /// <param name="ofItsOwn">Remembers uses in the place of the hub's own memory; null for that.</param>
    /// <exception cref="ArgumentException">The definition has faults.</exception>
    public ILoginProvider Open(string pool, ProviderDefinition definition, ISingleUse? ofItsOwn = null)
    {
        IReadOnlyList<string> faults = definition.Faults();
        if (faults.Count > 0) throw new ArgumentException(string.Join(' ', faults), nameof(definition));
        var setting = new LoginSetting(pool, hubIssuer, nonces, ofItsOwn ?? uses, time);
        return definition.Kind switch
        {
            ProviderKind.Developer => new DeveloperLogins(setting, definition),
            ProviderKind.Amazon => new AmazonLogins(setting, definition, _http),
            ProviderKind.Facebook => new FacebookLogins(setting, definition, ByIdToken(setting, definition), _http),
            _ => ByIdToken(setting, definition),
        };
    }

    public void Dispose() => _http.Dispose();

    private OpenIdConnectLogins ByIdToken(LoginSetting setting, ProviderDefinition definition) =>
        new(setting, definition, IssuerOf(DefinitionRules.IssuerOf(definition)));

    private Issuer IssuerOf(string name)
    {
        lock (_gate)
        {
            if (_issuers.TryGetValue(name, out Issuer? issuer)) return issuer;
            // Those in use are kept by their checkers; this table only lets them be shared.
            if (_issuers.Count >= IssuersMax) _issuers.Clear();
            return _issuers[name] = new Issuer(name, _http, time);
        }
    }
}
