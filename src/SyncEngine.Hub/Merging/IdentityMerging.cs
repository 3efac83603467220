using System.Diagnostics;
using SyncEngine.Datasets;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Merging;

/// <summary>
/// Merges a guest into an identity, once, in one commit: every dataset, the devices, the alias under which late changes of
/// the guest still land. What was before is kept for thirty days, so that a merge can be taken back.
/// </summary>
internal sealed partial class IdentityMerging(
    HubStore store, IdentityDirectory directory, KeyedLocks locks, OpenSessions sessions, TimeProvider time)
{
    private const int ChunkBytes = 2 * 1024 * 1024;

    /// <summary>For how long a merge can be taken back.</summary>
    public static readonly TimeSpan UndoTime = TimeSpan.FromDays(30);

    /// <summary>What a merge would do; changes nothing.</summary>
    public async Task<IReadOnlyList<DatasetPreview>> PreviewAsync(
        string pool, IdentityId source, IdentityId destination, MergeMode mode, SessionLimits limits,
        CancellationToken cancellationToken)
    {
        using IdentityLease guest = await store.LeaseAsync(pool, source, cancellationToken).ConfigureAwait(false);
        using IdentityLease account = await store.LeaseAsync(pool, destination, cancellationToken).ConfigureAwait(false);
        var previews = new List<DatasetPreview>();
        foreach (string name in guest.Identity.DatasetNames.Union(account.Identity.DatasetNames).Order(StringComparer.Ordinal))
        {
            Dataset? left = Open(guest.Identity, name), right = Open(account.Identity, name);
            if (mode == MergeMode.Manual && left is not null)
            {
                previews.Add(new DatasetPreview(NameOf(name, source), left.Count, 0, left.Count, 0, false));
                if (right is not null) previews.Add(new DatasetPreview(name, 0, right.Count, right.Count, 0, false));
                continue;
            }

            Dataset together = await ScratchAsync(left, right).ConfigureAwait(false);
            previews.Add(new DatasetPreview(name, left?.Count ?? 0, right?.Count ?? 0, together.Count,
                together.Conflicts.Count - (left?.Conflicts.Count ?? 0) - (right?.Conflicts.Count ?? 0),
                together.Count > limits.RecordsMax || together.State.LiveBytes > limits.DatasetBytesMax));
        }

        return previews;
    }

    /// <summary>Merges the source into the destination. The source's sessions are cut before, the destination's go on.</summary>
    /// <param name="pool">The pool of both.</param>
    /// <param name="source">What is merged, and frozen then.</param>
    /// <param name="destination">Where it goes.</param>
    /// <param name="mode">What becomes of datasets that both have.</param>
    /// <param name="login">The login that led to it; null where an operator or a test merges.</param>
    /// <param name="mayHaveLogins">Whether the source may be more than a guest.</param>
    /// <param name="cancellationToken">Ends the wait for what goes before it.</param>
    /// <exception cref="DirectoryException">One of them is gone, disabled, or was merged already.</exception>
    public async Task<IdentityRow> MergeAsync(
        string pool, IdentityId source, IdentityId destination, MergeMode mode, LoginRow? login, bool mayHaveLogins,
        CancellationToken cancellationToken)
    {
        if (source == destination) throw new DirectoryException(DirectoryFault.PlanOver, "An identity cannot be merged into "
            + "itself. Plan the login again.");
        using Activity? activity = HubTelemetry.Begin("merge", pool);
        using IDisposable held = await locks.EnterAsync(pool, cancellationToken, source, destination).ConfigureAwait(false);
        IdentityRow guest = await ActiveAsync(pool, source, cancellationToken).ConfigureAwait(false);
        IdentityRow account = await ActiveAsync(pool, destination, cancellationToken).ConfigureAwait(false);

        if (!guest.IsGuest && !mayHaveLogins)
            throw new DirectoryException(DirectoryFault.PlanOver,
                "This identity has got a login meanwhile. Plan the login again.");

        // From here on nothing of the source may change, or it would be left behind.
        using IDisposable frozen = await sessions.FreezeAsync(pool, source).ConfigureAwait(false);
        using IdentityLease left = await store.LeaseAsync(pool, source, cancellationToken).ConfigureAwait(false);
        using IdentityLease right = await store.LeaseAsync(pool, destination, cancellationToken).ConfigureAwait(false);
        var pairs = new List<(Dataset Source, Dataset Destination)>();
        List<string> names = [.. left.Identity.DatasetNames];
        foreach (string name in names)
            pairs.Add((left.Identity.OpenForJoin(name), right.Identity.OpenForJoin(TargetOf(name, source, mode))));
        IReadOnlyDictionary<Dataset, (Dataset Before, Dataset After)> redone =
            await TakenBackAsync(account, right, source, mode, cancellationToken).ConfigureAwait(false);
        DateTimeOffset now = time.GetUtcNow();
        var merge = new MergeRow(NewId(), source, mode, now, now + UndoTime) { Datasets = names };
        (guest, account) = Rows(guest, account, merge, login);
        await store.TogetherAsync(() =>
        {
            var rows = new List<KeyValuePair<string, byte[]?>>
            {
                IdentityDirectory.RowOf(guest), IdentityDirectory.RowOf(account),
                new(SweepKey(merge.UndoUntil, pool, destination, merge.Id), []),
            };
            if (login is not null) rows.Add(IdentityDirectory.LinkRow(pool, login, destination));
            rows.AddRange(guest.Logins.Select(moved => IdentityDirectory.LinkRow(pool, moved, destination)));
            for (int i = 0; i < pairs.Count; i++)
            {
                Dataset target = pairs[i].Destination;
                rows.AddRange(Chunks(pool, merge.Id, i, target.EncodeAll()));
                Merge(pairs[i].Source, target, mode);
                if (redone.TryGetValue(target, out (Dataset Before, Dataset After) once))
                    target.Write(write => Readings.Revert(write, target, once.After, once.Before));
                rows.AddRange(Chunks(pool, merge.Id, AfterIndex + i, target.EncodeAll()));
            }

            return rows;
        }).ConfigureAwait(false);
        HubTelemetry.Merges.Add(1, HubTelemetry.Pool(pool), HubTelemetry.Tag("mode", mode.ToString()));
        return account;
    }

    private static string TargetOf(string name, IdentityId source, MergeMode mode) =>
        mode == MergeMode.Manual ? NameOf(name, source) : name;

    private async Task<IdentityRow> ActiveAsync(string pool, IdentityId id, CancellationToken cancellationToken)
    {
        IdentityRow row = await directory.FindAsync(pool, id, cancellationToken).ConfigureAwait(false)
            ?? throw IdentityDirectory.Missing(id);
        return row.State switch
        {
            IdentityState.Active => row,
            IdentityState.Disabled => throw new DirectoryException(DirectoryFault.Disabled,
                $"Identity {id} was disabled. Ask the hub's operator."),
            _ => throw new DirectoryException(DirectoryFault.PlanOver, $"Identity {id} was merged meanwhile. Refresh the "
                + "credential and plan the login again."),
        };
    }

    private static (IdentityRow Guest, IdentityRow Account) Rows(IdentityRow guest, IdentityRow account, MergeRow merge,
        LoginRow? login)
    {
        IEnumerable<DeviceRow> devices = guest.Devices.Where(device => account.FindDevice(device.Id) is null);
        List<LoginRow> logins = [.. account.Logins.Where(known => known.Provider != login?.Provider
            || known.Subject != login.Subject)];
        if (login is not null) logins.Add(login);
        logins.AddRange(guest.Logins);
        if (logins.Count > IdentityRow.LoginsMax)
            throw new DirectoryException(DirectoryFault.TooManyLogins,
                $"Together they would have {logins.Count} logins; {IdentityRow.LoginsMax} are allowed. Unlink some first.");
        account = account with
        {
            Devices = [.. account.Devices, .. devices], Logins = logins, Merges = [.. account.Merges, merge],
            Fences = [.. account.Fences, .. guest.Fences],
        };
        return (guest with { State = IdentityState.Merged, MergedInto = account.Id, MergedBy = merge.Mode }, account);
    }

    private static void Merge(Dataset source, Dataset destination, MergeMode mode)
    {
        byte[] frame = source.EncodeAll();
        Dataset? kept = mode switch
        {
            MergeMode.KeepDestination => Scratch(destination.EncodeAll()),
            MergeMode.KeepSource => Scratch(frame),
            _ => null,
        };
        destination.JoinContent(frame);
        if (kept is not null) destination.Write(write => Readings.Restore(write, destination, kept));
    }

    private static Dataset? Open(Identity identity, string name) =>
        identity.DatasetNames.Contains(name) ? identity.OpenForJoin(name) : null;

    /// <summary>The name under which a dataset of a merged identity stands beside the destination's.</summary>
    internal static string NameOf(string name, IdentityId source)
    {
        string suffix = "." + source;
        return name.Length + suffix.Length <= DatasetNames.LengthMax ? name + suffix
            : name[..(DatasetNames.LengthMax - suffix.Length)] + suffix;
    }

    private static async Task<Dataset> ScratchAsync(params Dataset?[] parts)
    {
        var scratch = new Dataset("scratch", 1, new DatasetContext());
        foreach (Dataset? part in parts)
            if (part is not null) scratch.JoinContent(await part.SnapshotAsync().ConfigureAwait(false));
        return scratch;
    }

    private static Dataset Scratch(params ReadOnlySpan<byte[]> frames)
    {
        var scratch = new Dataset("scratch", 1, new DatasetContext());
        foreach (byte[] frame in frames) scratch.JoinContent(frame);
        return scratch;
    }
}
