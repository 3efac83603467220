using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Merging;
using SyncEngine.Hub.Rows;
using SyncEngine.Hub.Syncing;
using SyncEngine.Hub.Tokens;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Cognito.IdentityApi;

/// <summary>
/// Who a caller is, by an identity's id and logins: links what is shown together, and merges a guest into the identity that its
/// login belongs to. Thread-safe.
/// </summary>
internal sealed class IdentityAccess(
    HubRows rows, IdentityDirectory directory, IdentityIndex index, IdentityMerging merging, LoginProofs proofs,
    CognitoPools pools, CognitoIds ids)
{
    private const string NoGuests = "Unauthenticated access is not supported for this identity pool.";
    private const string NoMatch =
        "Logins don't match. Please include at least one valid login for this identity or identity pool.";

    /// <summary>An identity that a call names, with its pool.</summary>
    /// <param name="identityId">The id as clients write it.</param>
    /// <param name="isOperator">Whether identities are found that this API never met.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="CognitoException">There is none.</exception>
    public async Task<(CognitoPool Pool, IdentityRow Row)> RequireAsync(
        string identityId, bool isOperator, CancellationToken cancellationToken)
    {
        if (ids.TryParse(identityId, out string region, out Guid guid))
        {
            IdentityId id = CognitoIds.IdentityOf(guid);
            IdentityRow? row = isOperator ? await index.SearchAsync(id, cancellationToken).ConfigureAwait(false)
                : await index.FindAsync(id, cancellationToken).ConfigureAwait(false);
            if (row is not null && await pools.FindByNameAsync(row.Pool, cancellationToken).ConfigureAwait(false) is { } pool
                && pool.Row.Region == region) return (pool, row);
        }

        throw CognitoException.IdentityNotFound(identityId);
    }

    /// <summary>The identity of some logins, or a new guest where there are none.</summary>
    public async Task<IdentityRow> GetAsync(
        CognitoPool pool, IReadOnlyDictionary<string, string> shown, CancellationToken cancellationToken)
    {
        if (shown.Count == 0)
        {
            if (!pool.Definition.AllowsGuests) throw CognitoException.NotAuthorized(NoGuests);
            IdentityRow guest = await directory.CreateOpenAsync(pool.Name, id => IdentityIndex.RowOf(pool.Name, id))
                .ConfigureAwait(false);
            rows.NoteAbsent(HubStore.RowOf(pool.Name, guest.Id));
            rows.NoteAbsent(Revocations.KeyOf(pool.Name, guest.Id, null));
            return guest;
        }

        return await GetProvenAsync(
            pool, await proofs.ProveAsync(pool, shown, cancellationToken).ConfigureAwait(false), cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>The identity of logins that were proved; made if there is none.</summary>
    public async Task<IdentityRow> GetProvenAsync(CognitoPool pool, ProvenLogins proven, CancellationToken cancellationToken)
    {
        List<IdentityRow> owners = await OwnersAsync(pool, proven, cancellationToken).ConfigureAwait(false);
        if (proven.Self is { } self && owners.All(owner => owner.Id != self))
            owners.Add(await directory.FindAsync(pool.Name, self, cancellationToken).ConfigureAwait(false)
                ?? throw CognitoException.NotAuthorized(NoMatch));
        if (owners.Count > 1) throw OtherOwner();
        IdentityRow row = owners.Count == 1 ? owners[0]
            : await directory.FindOrCreateAsync(pool.Name, proven.Logins[0].Login, cancellationToken).ConfigureAwait(false);
        if (row.State != IdentityState.Active) throw Forbidden(pool, row);
        await index.NoteAsync(pool.Name, row.Id, cancellationToken).ConfigureAwait(false);
        return await LinkAsync(pool, row, proven, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Lets a caller be an identity: a guest by its id, others by a login. What is shown beside is linked.</summary>
    /// <returns>The identity that the caller is now: another one where a guest was merged.</returns>
    /// <exception cref="CognitoException">The caller is not let in.</exception>
    public async Task<(IdentityRow Row, ProvenLogins Proven)> EnterAsync(
        CognitoPool pool, IdentityRow row, IReadOnlyDictionary<string, string> shown, CancellationToken cancellationToken)
    {
        if (row.State != IdentityState.Active) throw Forbidden(pool, row);

        // A guest that a device's key minted is not whoever knows its id, and neither is one that has had a login.
        bool isAwaited = row.IsGuest && row.AwaitedProviders.Count > 0 && shown.Count > 0;
        if (row.IsGuest && !row.IsOpen && !isAwaited) throw Forbidden(pool, row);
        if (shown.Count == 0)
        {
            if (!row.IsGuest) throw Forbidden(pool, row);
            if (!pool.Definition.AllowsGuests) throw CognitoException.NotAuthorized(NoGuests);
            return (row, ProvenLogins.None);
        }

        ProvenLogins proven = await proofs.ProveAsync(pool, shown, cancellationToken).ConfigureAwait(false);
        if (isAwaited && !proven.Logins.Any(login => row.AwaitedProviders.Contains(login.Login.Provider)))
            throw Forbidden(pool, row);
        return (await JoinAsync(pool, row, proven, cancellationToken).ConfigureAwait(false), proven);
    }

    /// <summary>Links proved logins to an identity, as its developer says.</summary>
    /// <exception cref="CognitoException">One belongs to another identity.</exception>
    public async Task<IdentityRow> LinkToAsync(
        CognitoPool pool, IdentityRow row, ProvenLogins proven, CancellationToken cancellationToken)
    {
        if ((await OwnersAsync(pool, proven, cancellationToken).ConfigureAwait(false)).Any(owner => owner.Id != row.Id))
            throw OtherOwner();
        await index.NoteAsync(pool.Name, row.Id, cancellationToken).ConfigureAwait(false);
        return await LinkAsync(pool, row, proven, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What <see cref="EnterAsync"/> does once the logins are proved.</summary>
    private async Task<IdentityRow> JoinAsync(
        CognitoPool pool, IdentityRow row, ProvenLogins proven, CancellationToken cancellationToken)
    {
        if (proven.Self is { } self && self != row.Id) throw CognitoException.NotAuthorized(NoMatch);
        List<IdentityRow> owners = await OwnersAsync(pool, proven, cancellationToken).ConfigureAwait(false);
        bool isKnown = proven.Self is not null || owners.Any(owner => owner.Id == row.Id);
        List<IdentityRow> others = [.. owners.Where(owner => owner.Id != row.Id)];
        if (!row.IsGuest && !isKnown) throw CognitoException.NotAuthorized(NoMatch);
        if (others.Count == 0) return await LinkAsync(pool, row, proven, cancellationToken).ConfigureAwait(false);
        if (!row.IsGuest || others.Count > 1) throw OtherOwner();
        IdentityRow destination = others[0];
        if (destination.State != IdentityState.Active) throw Forbidden(pool, destination);
        destination = await merging.MergeAsync(
            pool.Name, row.Id, destination.Id, MergeMode.Manual, null, mayHaveLogins: false, cancellationToken)
            .ConfigureAwait(false);
        await index.NoteAsync(pool.Name, destination.Id, cancellationToken).ConfigureAwait(false);
        return await LinkAsync(pool, destination, proven, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Links the logins that are not linked yet, and keeps what known ones say now.</summary>
    private async Task<IdentityRow> LinkAsync(
        CognitoPool pool, IdentityRow row, ProvenLogins proven, CancellationToken cancellationToken)
    {
        foreach (ProvenLogin login in proven.Logins)
        {
            LoginRow? known = row.Logins.FirstOrDefault(
                known => known.Provider == login.Login.Provider && known.Subject == login.Login.Subject);
            if (known is not null && HasSameClaims(known, login.Login)) continue;
            row = await directory.LinkAsync(pool.Name, row.Id, login.Login, cancellationToken).ConfigureAwait(false);
        }

        return row;
    }

    private async Task<List<IdentityRow>> OwnersAsync(
        CognitoPool pool, ProvenLogins proven, CancellationToken cancellationToken)
    {
        var owners = new List<IdentityRow>();
        foreach (ProvenLogin login in proven.Logins)
        {
            IdentityRow? owner = await directory.FindByLoginAsync(
                pool.Name, login.Login.Provider, login.Login.Subject, cancellationToken).ConfigureAwait(false);
            if (owner is not null && owners.All(known => known.Id != owner.Id)) owners.Add(owner);
        }

        return owners;
    }

    private static bool HasSameClaims(LoginRow one, LoginRow other) => one.Claims.Count == other.Claims.Count
        && one.Claims.All(claim => other.Claims.TryGetValue(claim.Key, out IReadOnlyList<string>? values)
            && values.SequenceEqual(claim.Value));

    private static CognitoException OtherOwner() =>
        CognitoException.ResourceConflict("A login is already linked to another identity.");

    private static CognitoException Forbidden(CognitoPool pool, IdentityRow row) =>
        CognitoException.IdentityForbidden(CognitoIds.Of(pool.Row.Region, row.Id));
}
