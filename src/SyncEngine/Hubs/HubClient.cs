using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using SyncEngine.Causality;
using SyncEngine.Identities;
using SyncEngine.Sync;

namespace SyncEngine.Hubs;

/// <summary>
/// Connects a store to a hub: registers the guest at first contact, keeps the credential fresh, syncs for as long as it lives,
/// logs in and out. Nothing of it is needed to read and write: without a network, a hub or a valid credential the store goes on,
/// and what is written is sent later; <see cref="SyncStore.Status"/> tells how it is doing. Thread-safe.
/// </summary>
public sealed partial class HubClient : IAsyncDisposable, IDisposable
{
    private static readonly TimeSpan _freshness = TimeSpan.FromMinutes(5);
    private readonly SemaphoreSlim _entering = new(1, 1);
    private readonly SyncStore _store;
    private readonly HubClientOptions _options;
    private readonly HubHttp _http;
    private readonly string _prefix;
    private HubCredential? _credential;
    private IdentityId _credentialOf;
    private readonly IDisposable _watching;
    private string _declared = "";
    private int _declares;

    private HubClient(SyncStore store, HubClientOptions options)
    {
        (_store, _options) = (store, options);
        _http = new HubHttp(options.Hub, options.HandlerFactory?.Invoke());
        ulong place = XxHash3.HashToUInt64(Encoding.UTF8.GetBytes($"{options.Hub.AbsoluteUri}\n{options.Pool}"));
        _prefix = "hub/" + place.ToString("x16", CultureInfo.InvariantCulture) + "/";
        Link = store.Connect(new HubConnector(this, _http, options), new SyncOptions { Datasets = options.Datasets });
        _watching = Link.Status.Subscribe(OnStatus);
    }

    /// <summary>The link that keeps the store and the hub the same.</summary>
    public SyncLink Link { get; }

    /// <summary>The role that the hub gave; null until it was reached with this identity.</summary>
    public string? Role => Volatile.Read(ref _credential)?.Role;

    /// <summary>The role's policy as JSON, for <see cref="Policies.Policy.Parse(string)"/>: what it refuses the hub refuses,
    /// which for guests asks the pool's ceiling too. Null until the hub was reached.</summary>
    public string? PolicyJson => Volatile.Read(ref _credential)?.Policy;

    /// <summary>The identity that is synced now.</summary>
    internal Identity Current => _store.Identity;

    private TimeProvider Time => _store.Identity.Time;

    /// <summary>Connects a store to a hub; returns at once, also offline.</summary>
    /// <param name="store">The store; its guest is registered at first contact.</param>
    /// <param name="options">Which hub.</param>
    public static HubClient Connect(SyncStore store, HubClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        if (!options.Hub.IsAbsoluteUri || options.Hub.Scheme is not ("http" or "https"))
            throw new ArgumentException("The hub's address begins with https:// (or http:// on this machine).", nameof(options));
        return new HubClient(store, options);
    }

    /// <summary>A credential that is good for some minutes at least, to use with other services that take the hub's.</summary>
    /// <exception cref="SyncException">The hub cannot be reached, or refuses.</exception>
    public async ValueTask<string> GetAccessTokenAsync(CancellationToken cancellationToken = default) =>
        (await EnsureAsync(cancellationToken).ConfigureAwait(false)).AccessToken;

    /// <summary>Stops syncing. The store stays open.</summary>
    public async ValueTask DisposeAsync()
    {
        _watching.Dispose();
        await Link.DisposeAsync().ConfigureAwait(false);
        _http.Dispose();
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>A good credential of the current identity; registers, refreshes and follows merges as needed.</summary>
    internal async Task<HubCredential> EnsureAsync(CancellationToken cancellationToken)
    {
        await _entering.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Identity identity = _store.Identity;
            HubCredential? known = await FindCredentialAsync(identity).ConfigureAwait(false);
            if (known is not null && known.GoodUntil - Time.GetUtcNow() > _freshness) return known;
            HubCredential? entered = known is null ? null : await RefreshAsync(identity, known, cancellationToken)
                .ConfigureAwait(false);
            entered ??= await RegisterAsync(identity, known, cancellationToken).ConfigureAwait(false);
            return await TakeAsync(identity, entered with { IsSignedIn = known?.IsSignedIn ?? false }, false)
                .ConfigureAwait(false);
        }
        finally
        {
            _entering.Release();
        }
    }

    /// <summary>The hub does not take a credential any more: the next one is asked for.</summary>
    internal void Forget(HubCredential credential)
    {
        HubCredential expired = credential with { GoodUntil = DateTimeOffset.MinValue };
        Interlocked.CompareExchange(ref _credential, expired, credential);
    }

    /// <summary>Tells the hub under which replicas this device writes, so that revoking it stops those alone.</summary>
    internal async Task DeclareReplicasAsync(HubCredential credential, CancellationToken cancellationToken)
    {
        List<string> replicas = Replicas();
        string all = credential.IdentityId + string.Join(",", replicas);
        if (replicas.Count == 0 || all == Volatile.Read(ref _declared)) return;
        await _http.SendAsync(HttpMethod.Put, "/identity/replicas", HubHttp.Write(json =>
        {
            json.WriteStartArray("replicas");
            foreach (string replica in replicas) json.WriteStringValue(replica);
            json.WriteEndArray();
        }), credential.AccessToken, cancellationToken).ConfigureAwait(false);
        Volatile.Write(ref _declared, all);
    }

    private List<string> Replicas() => _store.Identity.Opened.Select(static dataset => dataset.ReplicaId)
        .Where(static replica => !replica.IsNone)
        .Select(static replica => replica.Bits.ToString("x16", CultureInfo.InvariantCulture))
        .OrderBy(static text => text, StringComparer.Ordinal).ToList();

    /// <summary>A dataset that was written for the first time has a new replica: the hub is told while the session
    /// lasts.</summary>
    private void OnStatus(SyncStatus status)
    {
        if (status.State != SyncState.Live || Volatile.Read(ref _credential) is not { } credential) return;
        List<string> replicas = Replicas();
        if (replicas.Count == 0 || credential.IdentityId + string.Join(",", replicas) == Volatile.Read(ref _declared)) return;
        if (Interlocked.Exchange(ref _declares, 1) == 0) _ = DeclareAsync(credential);
    }

    private async Task DeclareAsync(HubCredential credential)
    {
        try
        {
            await DeclareReplicasAsync(credential, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SyncException or ObjectDisposedException)
        {
            // The next session begins with telling it.
        }
        finally
        {
            Volatile.Write(ref _declares, 0);
        }
    }

    private string InPool(string path) => $"/pools/{Uri.EscapeDataString(_options.Pool)}{path}";

    private async Task<string> ChallengeAsync(CancellationToken cancellationToken) => HubHttp.Read(await _http.SendAsync(
        HttpMethod.Post, InPool("/challenges"), null, null, cancellationToken).ConfigureAwait(false),
        static answer => answer.GetProperty("challenge").GetString()!);

    private string Sign(Identity identity, string purpose, string challenge, string extra) => Base64Url(identity.Sign(
        Encoding.UTF8.GetBytes($"syncengine-proof-1\n{purpose}\n{_options.Pool}\n{challenge}\n{extra}")));

    private static string Base64Url(ReadOnlySpan<byte> bytes) =>
        Convert.ToBase64String(bytes.ToArray()).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    /// <summary>Null where the handle is over, so that the device must prove itself anew.</summary>
    private async Task<HubCredential?> RefreshAsync(Identity identity, HubCredential known, CancellationToken cancellationToken)
    {
        string challenge = await ChallengeAsync(cancellationToken).ConfigureAwait(false);
        byte[] body = HubHttp.Write(json =>
        {
            json.WriteString("refreshHandle", known.RefreshHandle);
            json.WriteString("challenge", challenge);
            json.WriteString("signature", Sign(identity, "refresh", challenge, known.RefreshHandle));
        });
        try
        {
            return HubCredential.Read(await _http.SendAsync(
                HttpMethod.Post, InPool("/credentials"), body, null, cancellationToken).ConfigureAwait(false), Time.GetUtcNow());
        }
        catch (SyncException e) when (e.Code == SyncErrorCode.Unauthorized && !known.IsSignedIn)
        {
            return null;
        }
    }

    private async Task<HubCredential> RegisterAsync(
        Identity identity, HubCredential? known, CancellationToken cancellationToken)
    {
        if (known is null && !IsOwn(identity))
            throw new SyncException(SyncErrorCode.Unauthorized, $"Identity {identity.Id} came to this device by pairing or by a "
                + "login elsewhere: log in here too, with HubClient.SignInAsync.");
        JsonElement answer = await EnterAsync(identity, "guest", "/guests", null, cancellationToken).ConfigureAwait(false);
        return HubCredential.Read(answer, Time.GetUtcNow());
    }

    /// <summary>Proves the device key, with what else the request says.</summary>
    private async Task<JsonElement> EnterAsync(
        Identity identity, string purpose, string path, Action<Utf8JsonWriter>? more, CancellationToken cancellationToken)
    {
        string challenge = await ChallengeAsync(cancellationToken).ConfigureAwait(false);
        string key = Base64Url(identity.DevicePublicKey.Span);
        return await _http.SendAsync(HttpMethod.Post, InPool(path), HubHttp.Write(json =>
        {
            json.WriteString("publicKey", key);
            json.WriteString("challenge", challenge);
            json.WriteString("signature", Sign(identity, purpose, challenge, key));
            if (_options.DeviceName is { } name) json.WriteString("deviceName", name);
            more?.Invoke(json);
        }), null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether the identity was minted by its device key, so that the key alone proves it.</summary>
    private static bool IsOwn(Identity identity) =>
        DeviceKey.IdentityOf(identity.DevicePublicKey.ToArray()) == identity.Id;

    /// <summary>What the hub gave for an identity, good or not; null where it never gave anything.</summary>
    private async Task<HubCredential?> FindCredentialAsync(Identity identity)
    {
        if (_credentialOf != identity.Id)
            _credential = await _store.ReadRowAsync(_prefix + identity.Id).ConfigureAwait(false) is { } bytes
                ? HubCredential.Decode(bytes) : null;
        _credentialOf = identity.Id;
        return _credential;
    }

    /// <summary>Keeps a credential; where it is of another identity, the store's identity becomes that one first, if it was
    /// merged into it or somebody signs in, and gives way to it otherwise: a merge was taken back.</summary>
    private async Task<HubCredential> TakeAsync(Identity identity, HubCredential entered, bool signsIn)
    {
        IdentityId before = identity.Id;
        if (entered.IdentityId != before)
        {
            bool isMerged = entered.MergedFrom is { } merged && merged.Id == before;
            await _store.WriteRowAsync(_prefix + entered.IdentityId, entered.Encode()).ConfigureAwait(false);
            if (isMerged || signsIn)
            {
                string beside = isMerged ? entered.MergedFrom!.Value.Beside : "";
                await _store.RebindAsync(identity, entered.IdentityId, beside.Length > 0 ? beside : null).ConfigureAwait(false);
            }
            else
            {
                await _store.ReturnToAsync(identity, entered.IdentityId).ConfigureAwait(false);
            }

            await _store.WriteRowAsync(_prefix + before, null).ConfigureAwait(false);
        }
        else
        {
            await _store.WriteRowAsync(_prefix + before, entered.Encode()).ConfigureAwait(false);
        }

        _credentialOf = entered.IdentityId;
        return _credential = entered;
    }
}
