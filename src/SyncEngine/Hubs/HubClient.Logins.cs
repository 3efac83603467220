using System.Text.Json;
using SyncEngine.Causality;
using SyncEngine.Identities;

namespace SyncEngine.Hubs;

public sealed partial class HubClient
{
    /// <summary>A nonce to ask the provider's ID token for (OpenID Connect's <c>nonce</c>); good for ten minutes.</summary>
    public async Task<string> GetNonceAsync(CancellationToken cancellationToken = default) => HubHttp.Read(
        await _http.SendAsync(HttpMethod.Post, InPool("/nonces"), null, null, cancellationToken).ConfigureAwait(false),
        static answer => answer.GetProperty("nonce").GetString()!);

    /// <summary>Shows what a login would do to this device's identity; nothing is changed until it is committed.</summary>
    /// <param name="provider">The provider's name in the pool.</param>
    /// <param name="token">The provider's ID token, or access token where it has none.</param>
    /// <param name="accessToken">An access token beside an ID token, where the provider's kind wants one.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="SyncException">The hub cannot be reached, or does not accept the token.</exception>
    public Task<LoginPlan> PlanLoginAsync(
        string provider, string token, string? accessToken = null, CancellationToken cancellationToken = default) =>
        PlanLoginAsync(new LoginProof(provider, token, accessToken), null, cancellationToken: cancellationToken);

    /// <summary>Shows what a login would do; with a fresh proof of a login that this device's identity has already, two
    /// identities that both have logins may be merged.</summary>
    /// <param name="login">The login.</param>
    /// <param name="own">A login of this identity, proved anew; null for none.</param>
    /// <param name="mode">The mode in which a merge is previewed.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="SyncException">The hub cannot be reached, or does not accept a token.</exception>
    public async Task<LoginPlan> PlanLoginAsync(
        LoginProof login, LoginProof? own, MergeMode mode = MergeMode.Union, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(login);
        JsonElement answer = await SendOwnAsync(HttpMethod.Post, InPool("/logins/plan"), HubHttp.Write(json =>
        {
            login.Write(json);
            json.WriteString("mode", HubCredential.NameOf(mode));
            if (own is null) return;
            json.WriteStartObject("also");
            own.Write(json);
            json.WriteEndObject();
        }), cancellationToken).ConfigureAwait(false);
        return HubHttp.Read(answer, ReadPlan);
    }

    /// <summary>
    /// Does what a plan said. What this device wrote before is sent first, so that the merge sees it; what it writes meanwhile
    /// is merged after it. Afterwards the store's identity has the id that the plan named.
    /// </summary>
    /// <exception cref="SyncException">The plan is over, conflicts, or the hub cannot be reached; nothing has
    /// changed.</exception>
    public async Task CommitLoginAsync(
        LoginPlan plan, MergeMode mode = MergeMode.Union, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (plan.Outcome == LoginOutcome.Merges)
            await _store.SynchronizeAsync(new HubConnector(this, _http, _options), null, null, cancellationToken)
                .ConfigureAwait(false);
        JsonElement answer = await SendOwnAsync(HttpMethod.Post, InPool("/logins/commit"), HubHttp.Write(json =>
        {
            json.WriteString("planId", plan.PlanId);
            json.WriteString("mode", HubCredential.NameOf(mode));
        }), cancellationToken).ConfigureAwait(false);
        await EnterWithAsync(HubCredential.Read(answer, Time.GetUtcNow())).ConfigureAwait(false);
    }

    /// <summary>Signs in without a question, for a device that has no guest worth asking about: the current guest takes the
    /// login's identity and keeps what it wrote; where the hub has it as a guest already, it is merged into that identity
    /// (<see cref="MergeMode.Union"/>).</summary>
    /// <exception cref="SyncException">The token is not accepted, or the current identity is signed in as somebody else: log out
    /// first, or plan a login.</exception>
    public async Task SignInAsync(
        string provider, string token, string? accessToken = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(provider);
        ArgumentNullException.ThrowIfNull(token);
        if (await TryEnterAsync(new LoginProof(provider, token, accessToken), cancellationToken).ConfigureAwait(false)) return;
        JsonElement own = await SendOwnAsync(HttpMethod.Get, "/identity", null, cancellationToken).ConfigureAwait(false);
        LoginPlan plan = await PlanLoginAsync(provider, token, accessToken, cancellationToken).ConfigureAwait(false);
        if (plan.Outcome != LoginOutcome.AlreadyLinked && !own.GetProperty("isGuest").GetBoolean())
            throw new SyncException(SyncErrorCode.Unauthorized,
                "This device is signed in as somebody else: LogoutAsync first, "
                + "or use PlanLoginAsync, which shows what becomes of its data.");
        await CommitLoginAsync(plan, MergeMode.Union, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Unlinks a provider's login: it is a new identity the next time.</summary>
    /// <param name="provider">The provider's name in the pool.</param>
    /// <param name="force">Whether to unlink the last one too, after which only this identity's devices reach its data.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task UnlinkAsync(string provider, bool force = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(provider);
        string path = $"/identity/logins/{Uri.EscapeDataString(provider)}?force={(force ? "true" : "false")}";
        await SendOwnAsync(HttpMethod.Delete, path, null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The devices of this identity.</summary>
    public async Task<IReadOnlyList<HubDevice>> GetDevicesAsync(CancellationToken cancellationToken = default)
    {
        JsonElement answer = await SendOwnAsync(HttpMethod.Get, "/identity/devices", null, cancellationToken)
            .ConfigureAwait(false);
        string? own = Volatile.Read(ref _credential)?.DeviceId;
        return HubHttp.Read(answer, answer => answer.GetProperty("devices").EnumerateArray().Select(device => new HubDevice(
            device.GetProperty("deviceId").GetString()!, device.GetProperty("name").GetString(),
            device.GetProperty("lastSeen").GetDateTimeOffset(), device.GetProperty("revokedAt").ValueKind == JsonValueKind.String,
            device.GetProperty("deviceId").GetString() == own)).ToList());
    }

    /// <summary>Shuts a device of this identity out, such as a lost one: what it writes from now on reaches nobody.</summary>
    public async Task RevokeDeviceAsync(string deviceId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(deviceId);
        await SendOwnAsync(HttpMethod.Delete, $"/identity/devices/{Uri.EscapeDataString(deviceId)}", null, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>
    /// Logs out: a new guest becomes current, and nothing of the identity before shows under it. The identity's data stays in the
    /// file, to switch back to, unless it is wiped.
    /// </summary>
    /// <param name="wipes">Whether its data and device key are removed from this device.</param>
    /// <param name="evenIfUnsynced">Whether to wipe also what the hub does not have yet.</param>
    /// <exception cref="SyncException">It is to be wiped and holds changes that the hub does not have (LimitExceeded):
    /// nothing was done.</exception>
    public async Task LogoutAsync(bool wipes = false, bool evenIfUnsynced = false)
    {
        Identity identity = _store.Identity;
        await _store.FlushAsync().ConfigureAwait(false);
        long? pending = Link.PendingNow;
        if (wipes && !evenIfUnsynced && (pending is null || pending > 0))
            throw new SyncException(SyncErrorCode.LimitExceeded, pending is null
                ? "Whether the hub has everything is not known, because it was not reached since the store was opened. "
                    + "Connect, or "
                    + "say evenIfUnsynced to lose what it lacks."
                : $"The hub lacks {pending:N0} changes of this device. Connect, or say evenIfUnsynced to lose them.");
        Identity guest = await _store.CreateIdentityAsync().ConfigureAwait(false);
        await _store.SwitchIdentityAsync(guest.Id).ConfigureAwait(false);
        if (!wipes) return;
        await _store.WriteRowAsync(_prefix + identity.Id, null).ConfigureAwait(false);
        await _store.WipeIdentityAsync(identity.Id).ConfigureAwait(false);
    }

    /// <summary>
    /// Deletes the identity with all of its data: at the hub, and on this device, where a new guest becomes current. Its other
    /// devices are shut out; what they hold stays on them until they are wiped too.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait for the hub.</param>
    /// <exception cref="SyncException">The hub cannot be reached, or refuses: nothing was done.</exception>
    public async Task DeleteIdentityAsync(CancellationToken cancellationToken = default)
    {
        Identity identity = _store.Identity;
        HubCredential credential = await EnsureAsync(cancellationToken).ConfigureAwait(false);

        // Away from it first: a link that found it gone would register its guest anew.
        Identity guest = await _store.CreateIdentityAsync().ConfigureAwait(false);
        await _store.SwitchIdentityAsync(guest.Id).ConfigureAwait(false);
        try
        {
            await _http.SendAsync(HttpMethod.Delete, "/identity", null, credential.AccessToken, cancellationToken)
                .ConfigureAwait(false);
        }
        catch
        {
            await _store.SwitchIdentityAsync(identity.Id).ConfigureAwait(false);
            await _store.WipeIdentityAsync(guest.Id).ConfigureAwait(false);
            throw;
        }

        await _store.WriteRowAsync(_prefix + identity.Id, null).ConfigureAwait(false);
        await _store.WipeIdentityAsync(identity.Id).ConfigureAwait(false);
    }

    /// <summary>Sends a request with the credential; once more with a new one where the hub does not take it any more.</summary>
    private async Task<JsonElement> SendOwnAsync(
        HttpMethod method, string path, byte[]? body, CancellationToken cancellationToken)
    {
        HubCredential credential = await EnsureAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await _http.SendAsync(method, path, body, credential.AccessToken, cancellationToken).ConfigureAwait(false);
        }
        catch (SyncException e) when (HubHttp.IsUnauthenticated(e))
        {
            Forget(credential);
            HubCredential renewed = await EnsureAsync(cancellationToken).ConfigureAwait(false);
            return await _http.SendAsync(method, path, body, renewed.AccessToken, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Lets this device in by a login alone, where the hub has no guest of it. Nothing registers one meanwhile, or it
    /// would be left behind.</summary>
    /// <returns>False where the hub knows this device's identity already, or can.</returns>
    private async Task<bool> TryEnterAsync(LoginProof login, CancellationToken cancellationToken)
    {
        await _entering.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Identity identity = _store.Identity;
            if (await FindCredentialAsync(identity).ConfigureAwait(false) is not null || (identity.IsPaired && IsOwn(identity)))
                return false;
            JsonElement answer = await EnterAsync(identity, "session", "/sessions", login.Write, cancellationToken)
                .ConfigureAwait(false);
            HubCredential entered = HubCredential.Read(answer, Time.GetUtcNow()) with { IsSignedIn = true };
            if (identity.IsPaired && entered.IdentityId != identity.Id)
                throw new SyncException(SyncErrorCode.Unauthorized, $"This login belongs to identity {entered.IdentityId}, and "
                    + $"this device was paired as {identity.Id}, whose data must not show there: LogoutAsync first.");
            await TakeAsync(identity, entered, true).ConfigureAwait(false);
        }
        finally
        {
            _entering.Release();
        }

        Link.Restart();
        return true;
    }

    private async Task EnterWithAsync(HubCredential entered)
    {
        await _entering.WaitAsync().ConfigureAwait(false);
        try
        {
            await TakeAsync(_store.Identity, entered, true).ConfigureAwait(false);
        }
        finally
        {
            _entering.Release();
        }

        Link.Restart();
    }

    private static LoginPlan ReadPlan(JsonElement answer) => new(
        answer.GetProperty("planId").GetString()!, OutcomeOf(answer.GetProperty("outcome").GetString()),
        IdentityId.Parse(answer.GetProperty("identityId").GetString()!), answer.GetProperty("expires").GetDateTimeOffset(),
        answer.GetProperty("datasets").EnumerateArray().Select(static dataset => new DatasetPreview(
            dataset.GetProperty("name").GetString()!, dataset.GetProperty("sourceRecords").GetInt32(),
            dataset.GetProperty("destinationRecords").GetInt32(), dataset.GetProperty("togetherRecords").GetInt32(),
            dataset.GetProperty("conflicts").GetInt32(), dataset.GetProperty("exceedsLimit").GetBoolean())).ToList());

    private static LoginOutcome OutcomeOf(string? name) => name switch
    {
        "alreadyLinked" => LoginOutcome.AlreadyLinked,
        "links" => LoginOutcome.Links,
        "merges" => LoginOutcome.Merges,
        _ => LoginOutcome.Conflict,
    };
}
