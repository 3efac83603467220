using System.Text.Json;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Syncing;
using SyncEngine.Hub.Tokens;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Accounts;

/// <summary>A device that proves itself: its public key, the challenge it signed, and the signature.</summary>
internal sealed record DeviceClaim(string PublicKey, string Challenge, string Signature, string? DeviceName);

/// <summary>Lets devices in: as guests, with a login, again with a refresh handle; and shuts them out.</summary>
internal sealed class DeviceEntry(
    IdentityDirectory directory, Challenges challenges, RefreshHandles handles, AccessCredentials credentials,
    Revocations revocations, Fences fences, LoginPlans plans, TimeProvider time)
{
    public const string ChallengePurpose = "proof";
    private const int DeviceNameCharactersMax = 100;

    /// <summary>A challenge to sign.</summary>
    public async Task<(string Text, DateTimeOffset Expires, DateTimeOffset HubTime)> ChallengeAsync(
        IdentityPool pool, CancellationToken cancellationToken)
    {
        (string text, DateTimeOffset expires) = await challenges.CreateAsync(
            ChallengePurpose, pool.Name, Challenges.ChallengeLife, cancellationToken).ConfigureAwait(false);
        return (text, expires, time.GetUtcNow());
    }

    /// <summary>Registers a guest, or lets its device in again.</summary>
    public async Task<Grant> RegisterAsync(IdentityPool pool, DeviceClaim claim, CancellationToken cancellationToken)
    {
        byte[] key = await ProveAsync(pool, claim, "guest", cancellationToken).ConfigureAwait(false);
        (IdentityRow row, DeviceRow device) = await directory.RegisterGuestAsync(
            pool.Name, key, claim.DeviceName, pool.Limits.DevicesMax, cancellationToken).ConfigureAwait(false);
        return await GrantAsync(pool, row, device, DeviceKey.IdentityOf(key), null, "guest", cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Lets a device in by a login that was proved just now. A guest that it registered before, and perhaps never heard
    /// of, goes with it.</summary>
    public async Task<Grant> SignInAsync(
        IdentityPool pool, DeviceClaim claim, LoginRow login, CancellationToken cancellationToken)
    {
        byte[] key = await ProveAsync(pool, claim, "session", cancellationToken).ConfigureAwait(false);
        IdentityId minted = DeviceKey.IdentityOf(key);
        IdentityRow? guest = await directory.FindAsync(pool.Name, minted, cancellationToken).ConfigureAwait(false);
        if (guest is not { State: IdentityState.Active, IsGuest: true }
            || guest.FindDevice(minted.ToString()) is not { RevokedAt: null }) guest = null;
        if (guest is not null)
        {
            LoginPlan plan = await plans.PlanAsync(guest, minted.ToString(), login, false, MergeMode.Union,
                PoolAccess.LimitsOf(pool), cancellationToken).ConfigureAwait(false);
            await plans.CommitAsync(pool.Name, minted, minted.ToString(), plan.Id, MergeMode.Union, cancellationToken)
                .ConfigureAwait(false);
        }

        (IdentityRow row, DeviceRow device) = await directory.SignInAsync(
            pool.Name, login, key, claim.DeviceName, pool.Limits.DevicesMax, cancellationToken).ConfigureAwait(false);
        return await GrantAsync(pool, row, device, guest?.Id, null, "login", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Renews a credential.</summary>
    public async Task<Grant> RefreshAsync(
        IdentityPool pool, string handle, string challenge, string signature, CancellationToken cancellationToken)
    {
        HandleUse? use = await handles.FindAsync(pool.Name, handle, cancellationToken).ConfigureAwait(false);
        if (use is null || !DeviceProof.Verify(use.Row.PublicKey, "refresh", pool.Name, challenge, handle, signature)
            || !await challenges.TryUseAsync(ChallengePurpose, pool.Name, challenge, cancellationToken).ConfigureAwait(false))
            throw NotAccepted();
        IdentityRow row = await directory.ResolveAsync(pool.Name, use.Id, cancellationToken).ConfigureAwait(false)
            ?? throw NotAccepted();
        DeviceRow device = row.FindDevice(use.Device) ?? throw NotAccepted();
        if (row.State == IdentityState.Disabled)
            throw new DirectoryException(DirectoryFault.Disabled, "This identity was disabled. Ask the hub's operator.");
        if (device.RevokedAt is not null) throw NotAccepted();
        DateTimeOffset now = time.GetUtcNow();
        if (now - device.LastSeen > TimeSpan.FromHours(12))
        {
            row = await directory.ChangeAsync(pool.Name, row.Id, known => known with
            {
                Devices = [.. known.Devices.Select(other => other.Id == device.Id ? other with { LastSeen = now } : other)],
            }, cancellationToken).ConfigureAwait(false);
        }

        return await GrantAsync(pool, row, device, use.Id, use, "refresh", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Issues what a device needs.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="row">The identity.</param>
    /// <param name="device">The device.</param>
    /// <param name="before">The identity that the device had; null if it had none.</param>
    /// <param name="replaced">The refresh handle that is replaced, if one was used.</param>
    /// <param name="kind">How it came in, for the metrics: guest, login, refresh or commit.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<Grant> GrantAsync(
        IdentityPool pool, IdentityRow row, DeviceRow device, IdentityId? before, HandleUse? replaced, string kind,
        CancellationToken cancellationToken)
    {
        string role = PoolAccess.RoleOf(pool, row) ?? throw new EntryException(EntryFault.NoRole, "no-role",
            "This pool gives this identity no role. Ask the hub's operator.");
        JsonElement policy = pool.Roles[role];
        (string token, DateTimeOffset expires) = await credentials.IssueAsync(new AccessClaims
        {
            Pool = pool.Name, Id = row.Id, Device = device.Id, Role = role, Claims = PoolAccess.ClaimsOf(row),
            KeyThumbprint = DeviceProof.ThumbprintOf(device.PublicKey), PolicyHash = CompiledPool.Of(pool).PolicyOf(role).Hash,
        }, cancellationToken).ConfigureAwait(false);
        (string handle, DateTimeOffset until) = await handles.CreateAsync(pool.Name, row.Id, device.Id, device.PublicKey,
            replaced)
            .ConfigureAwait(false);
        HubTelemetry.Entries.Add(1, HubTelemetry.Pool(pool.Name), HubTelemetry.Tag("kind", kind));
        var grant = new Grant(row, device, role, policy, token, expires, handle, until, time.GetUtcNow());
        if (before is not { } had || had == row.Id) return grant;
        IdentityRow? source = await directory.FindAsync(pool.Name, had, cancellationToken).ConfigureAwait(false);
        if (source?.State != IdentityState.Merged) return grant;
        string beside = await directory.SuffixOfAsync(pool.Name, had, cancellationToken).ConfigureAwait(false);
        return grant with { MergedFrom = had, Beside = beside };
    }

    /// <summary>Who a credential belongs to; null if it is not accepted now.</summary>
    public async ValueTask<HubCaller?> FindCallerAsync(string token, CancellationToken cancellationToken)
    {
        if (await credentials.ValidateAsync(token, cancellationToken).ConfigureAwait(false) is not { } claims
            || await revocations.IsRevokedAsync(claims, cancellationToken).ConfigureAwait(false)) return null;
        IdentityRow? row = await directory.FindAsync(claims.Pool, claims.Id, cancellationToken).ConfigureAwait(false);
        return row?.State == IdentityState.Active && row.FindDevice(claims.Device) is { RevokedAt: null } device
            ? new HubCaller(row, device, claims) : null;
    }

    /// <summary>Revokes a device: its sessions, its credentials, and what it writes from now on.</summary>
    public async Task<IdentityRow> RevokeDeviceAsync(
        string pool, IdentityId id, string device, CancellationToken cancellationToken)
    {
        IdentityRow row = await fences.RevokeAsync(pool, id, device, cancellationToken).ConfigureAwait(false);
        await revocations.RevokeAsync(pool, id, device).ConfigureAwait(false);
        await handles.RevokeAsync(pool, id, device, cancellationToken).ConfigureAwait(false);
        return row;
    }

    /// <summary>Ends all credentials of an identity that is deleted or shut out.</summary>
    public async Task RevokeAsync(string pool, IdentityId id, CancellationToken cancellationToken)
    {
        await revocations.RevokeAsync(pool, id, null).ConfigureAwait(false);
        await handles.RevokeAsync(pool, id, null, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<byte[]> ProveAsync(
        IdentityPool pool, DeviceClaim claim, string purpose, CancellationToken cancellationToken)
    {
        if (claim.DeviceName is { Length: > DeviceNameCharactersMax })
            throw new EntryException(EntryFault.BadRequest, "bad-device-name",
                $"A device's name has at most {DeviceNameCharactersMax} characters.");
        if (DeviceProof.ReadKey(claim.PublicKey) is not { } key || !DeviceProof.Verify(
                key, purpose, pool.Name, claim.Challenge, claim.PublicKey, claim.Signature)
            || !await challenges.TryUseAsync(ChallengePurpose, pool.Name, claim.Challenge, cancellationToken)
                .ConfigureAwait(false))
            throw NotAccepted();
        return key;
    }

    private static EntryException NotAccepted() => new(EntryFault.NotAccepted, "not-accepted",
        "The proof is not accepted: ask for a new challenge and sign it, or log in again.");
}
