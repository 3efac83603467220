using System.Text.Json;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace SyncEngine.Hub.Logins;

/// <summary>
/// One issuer of OpenID Connect: its discovery document and keys, fetched when needed, kept for 12 hours and used for 24 at most.
/// However many ask at once, one fetch runs. A caller who meets an unknown key may have them fetched anew and waits for that,
/// once a minute. After a failure nothing is fetched for 10 seconds. Thread-safe.
/// </summary>
/// <remarks>
/// The library's own <c>ConfigurationManager</c> is not used: it reads the system's clock, and its forced refresh helps
/// the next request instead of the one in hand.
/// </remarks>
internal sealed class Issuer(string name, ProviderHttp http, TimeProvider time)
{
    private const int KeysMax = 64;
    private static readonly string[] _algorithms =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    private static readonly TimeSpan _fresh = TimeSpan.FromHours(12);
    private static readonly TimeSpan _usable = TimeSpan.FromHours(24);
    private static readonly TimeSpan _forcedApart = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _failureKept = TimeSpan.FromSeconds(10);

    private readonly object _gate = new();
    private IssuerKeys? _keys;
    private long _fetchedAt;
    private ProviderUnavailableException? _failure;
    private long _failedAt;
    private long? _forcedAt;
    private Task<IssuerKeys>? _fetch;

    /// <summary>The issuer's address, as its tokens write it.</summary>
    public string Name { get; } = name;

    /// <summary>The keys in use, fetched if there are none or they are old.</summary>
    /// <exception cref="ProviderUnavailableException">There are none, and none to be had.</exception>
    public async ValueTask<IssuerKeys> KeysAsync(CancellationToken cancellationToken)
    {
        IssuerKeys? old;
        Task<IssuerKeys> fetch;
        lock (_gate)
        {
            TimeSpan age = _keys is null ? TimeSpan.MaxValue : time.GetElapsedTime(_fetchedAt);
            if (_keys is not null && age < _fresh) return _keys;
            old = age < _usable ? _keys : null;
            if (_failure is not null && time.GetElapsedTime(_failedAt) < _failureKept && !IsFetching)
                return old ?? throw Again(_failure);
            fetch = Fetch();
        }

        try
        {
            return await fetch.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ProviderUnavailableException) when (old is not null)
        {
            return old;
        }
    }

    /// <summary>Keys newer than those seen, fetched for the caller; null if that was done within the last minute.</summary>
    /// <exception cref="ProviderUnavailableException">The issuer cannot be asked.</exception>
    public async ValueTask<IssuerKeys?> NewerKeysAsync(IssuerKeys seen, CancellationToken cancellationToken)
    {
        Task<IssuerKeys> fetch;
        lock (_gate)
        {
            if (_keys is not null && !ReferenceEquals(_keys, seen)) return _keys;
            if (!IsFetching)
            {
                if (_forcedAt is { } forcedAt && time.GetElapsedTime(forcedAt) < _forcedApart) return null;
                _forcedAt = time.GetTimestamp();
            }

            fetch = Fetch();
        }

        return await fetch.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private bool IsFetching => _fetch is { IsCompleted: false };

    private static ProviderUnavailableException Again(ProviderUnavailableException failure) =>
        new(failure.Reason, failure.Message, failure);

    private Task<IssuerKeys> Fetch()
    {
        // Not cancelled by any one caller: others wait for it, and its time is bounded by the calls'.
        if (!IsFetching) _fetch = Task.Run(FetchAndKeepAsync);
        return _fetch!; // Set above or before.
    }

    private async Task<IssuerKeys> FetchAndKeepAsync()
    {
        try
        {
            IssuerKeys keys = await FetchAsync().ConfigureAwait(false);
            lock (_gate) (_keys, _fetchedAt, _failure) = (keys, time.GetTimestamp(), null);
            return keys;
        }
        catch (ProviderUnavailableException failure)
        {
            lock (_gate) (_failure, _failedAt) = (failure, time.GetTimestamp());
            throw;
        }
    }

    private async Task<IssuerKeys> FetchAsync()
    {
        var address = new Uri(Name.TrimEnd('/') + "/.well-known/openid-configuration");
        OpenIdConnectConfiguration discovery = Read(
            await AskAsync(address).ConfigureAwait(false), OpenIdConnectConfiguration.Create, "discovery document");
        if (!string.Equals(discovery.Issuer, Name, StringComparison.Ordinal))
            throw Unusable("names another issuer in its discovery document");
        if (!DefinitionRules.IsSafe(discovery.JwksUri) || !Uri.TryCreate(discovery.JwksUri, UriKind.Absolute, out Uri? keysAt)
            || (DefinitionRules.IsLoopback(keysAt) && !DefinitionRules.IsLoopback(address)))
            throw Unusable("has no jwks_uri with https");

        // OpenID Connect Discovery requires the list; RS256 is what Core prescribes by default.
        string[] said = [.. discovery.IdTokenSigningAlgValuesSupported];
        string[] algorithms = said.Length == 0 ? ["RS256"] : [.. _algorithms.Intersect(said, StringComparer.Ordinal)];
        if (algorithms.Length == 0) throw Unusable("signs with no algorithm of RS, PS and ES");

        JsonWebKeySet published = Read(await AskAsync(keysAt).ConfigureAwait(false), JsonWebKeySet.Create, "key set");
        if (published.Keys.Count > KeysMax) throw Unusable($"publishes more than {KeysMax} keys");
        SecurityKey[] keys = [.. published.Keys.Where(IsSigningKey)];
        if (keys.Length == 0) throw Unusable("publishes no signing key");
        return new IssuerKeys(keys, algorithms);
    }

    private async Task<JsonElement> AskAsync(Uri address)
    {
        ProviderAnswer answer = await http.GetAsync(address, null, CancellationToken.None).ConfigureAwait(false);
        return answer.IsSuccess ? answer.Root : throw Unusable($"answered {answer.Status} at {address.AbsolutePath}");
    }

    private T Read<T>(JsonElement json, Func<string, T> read, string what)
    {
        try
        {
            return read(json.GetRawText());
        }
        catch (Exception failure) when (failure is ArgumentException or JsonException or FormatException
            or InvalidOperationException or SecurityTokenException)
        {
            throw new ProviderUnavailableException(LoginReason.ProviderUnusable, $"{Name} gave a wrong {what}.", failure);
        }
    }

    private ProviderUnavailableException Unusable(string fault) => new(LoginReason.ProviderUnusable, $"{Name} {fault}.");

    /// <summary>Never a symmetric key, so that no public text can serve as an HMAC key; and none too small or too slow.</summary>
    private static bool IsSigningKey(JsonWebKey key) => key.Use is null or "" or "sig" && key.Kty switch
    {
        "RSA" => key.N is not null && key.E is { Length: > 0 and <= 11 } && key.KeySize is >= 2048 and <= 8192,
        "EC" => key.Crv is "P-256" or "P-384" or "P-521" && key.X is not null && key.Y is not null,
        _ => false,
    };
}
