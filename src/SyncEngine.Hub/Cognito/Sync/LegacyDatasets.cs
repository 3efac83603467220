using System.Text;
using SyncEngine.Datasets;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;
using SyncEngine.Json;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>
/// Datasets through the door of legacy clients. A dataset's sync count is its revision: it rises by one with each accepted call,
/// and with each change that a native device brings; it is stored with the change, so that no count is told twice, and a record's
/// count is the revision that changed it last. Only what is durable is told. Thread-safe; one call that writes at a time for each
/// identity.
/// </summary>
internal sealed partial class LegacyDatasets(
    HubStore store, IdentityDirectory directory, CognitoPools pools, KeyedLocks locks, TimeProvider time)
{
    private static readonly LegacyChanges _nothing = new([], 0, false, false, null);

    /// <summary>What changed after a count, a page at a time.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="id">The identity.</param>
    /// <param name="name">The dataset.</param>
    /// <param name="since">The count that the client has; 0 for all.</param>
    /// <param name="from">Where the page begins; null for the first.</param>
    /// <param name="upTo">The count up to which the first page went; null for the first.</param>
    /// <param name="limit">Most records of the page.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="CognitoException">The dataset never had the count.</exception>
    public async Task<LegacyChanges> ReadAsync(string pool, IdentityId id, string name, long since, LegacyPlace? from,
        long? upTo, int limit, CancellationToken cancellationToken)
    {
        using IdentityLease lease = await store.LeaseAsync(pool, id, cancellationToken).ConfigureAwait(false);
        if (!lease.Identity.HasDataset(name))
        {
            if (since > 0) throw NoSuchCount(since);
            return _nothing;
        }

        Dataset dataset = lease.Identity.OpenForJoin(name);
        LegacyChanges changes;
        using (await locks.EnterAsync(pool, cancellationToken, id).ConfigureAwait(false))
        {
            LegacyRow row = await RowAsync(lease, name, cancellationToken).ConfigureAwait(false);
            changes = dataset.AtOneMoment(() => Read(dataset, row, since, from, upTo, limit));
        }

        await dataset.FlushAsync(cancellationToken).ConfigureAwait(false);
        return changes;
    }

    /// <summary>Writes records, all or none, each with the same new count; completes when that is durable.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="id">The identity.</param>
    /// <param name="name">The dataset.</param>
    /// <param name="patches">What to write; no key twice.</param>
    /// <param name="limits">The pool's limits.</param>
    /// <param name="device">Which device writes, so that it is not told of its own change; null where none says so.</param>
    /// <param name="also">What the hub writes besides; null for nothing.</param>
    /// <param name="cancellationToken">Ends the wait for what goes before it.</param>
    /// <returns>All records that the call wrote, what the hub wrote besides included, as they are now.</returns>
    /// <exception cref="CognitoException">A patch is stale, a limit would be exceeded, a record cannot read so, or the identity
    /// is gone. Nothing was changed.</exception>
    public async Task<IReadOnlyList<LegacyRecord>> UpdateAsync(string pool, IdentityId id, string name,
        IReadOnlyList<LegacyPatch> patches, SessionLimits limits, string? device, Action<Transaction>? also,
        CancellationToken cancellationToken)
    {
        using IdentityLease lease = await store.LeaseAsync(pool, id, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<LegacyRecord> written = [];
        Task durable;
        using (await locks.EnterAsync(pool, cancellationToken, id).ConfigureAwait(false))
        {
            await CheckActiveAsync(pool, id, cancellationToken).ConfigureAwait(false);
            LegacyRow row = await RowAsync(lease, name, cancellationToken).ConfigureAwait(false);
            CheckRoom(lease, name, patches, limits);
            Dataset dataset = lease.Identity.OpenForJoin(name);
            durable = store.TogetherAsync(() =>
            {
                dataset.Write(write =>
                {
                    long records = dataset.State.LiveRecords, bytes = dataset.State.LiveBytes;
                    long before = dataset.Revision;
                    foreach (LegacyPatch patch in patches) CheckCount(patch, dataset);
                    foreach (LegacyPatch patch in patches) Apply(write, patch);
                    also?.Invoke(write);
                    CheckLimits(dataset, limits, records, bytes);
                    long now = time.GetUtcNow().ToUnixTimeMilliseconds();
                    row = row.After(patches, dataset.RevisionOf, now);
                    Dictionary<string, long?> dates = patches.ToDictionary(static patch => patch.Key,
                        static patch => patch.DeviceMilliseconds, StringComparer.Ordinal);
                    written = [.. dataset.KeysChangedIn(before + 1).Select(state => new LegacyRecord(state.Key,
                        LegacyText.Read(write, state.Key), before + 1, now, dates.GetValueOrDefault(state.Key) ?? now))];
                    if (device is not null) lease.NoteSender(name, device);
                });
                DatasetRoom.TrimDeletes(dataset, limits);
                return [new(LegacyRow.PrefixOf(pool, id) + name, row.Encode())];
            });
            lease.Identity.LetGo(dataset);
        }

        await durable.ConfigureAwait(false);
        return written;
    }

    /// <summary>Deletes all records of a dataset, as a change of the hub that native devices see. Legacy clients see no dataset
    /// until somebody writes to it again.</summary>
    /// <returns>What it was; null if there is none.</returns>
    /// <exception cref="CognitoException">The identity is gone.</exception>
    public async Task<LegacySummary?> DeleteAsync(
        string pool, IdentityId id, string name, string? device, CancellationToken cancellationToken)
    {
        using IdentityLease lease = await store.LeaseAsync(pool, id, cancellationToken).ConfigureAwait(false);
        LegacySummary? summary = null;
        Task durable;
        using (await locks.EnterAsync(pool, cancellationToken, id).ConfigureAwait(false))
        {
            await CheckActiveAsync(pool, id, cancellationToken).ConfigureAwait(false);
            if (!lease.Identity.HasDataset(name)) return null;
            LegacyRow row = await RowAsync(lease, name, cancellationToken).ConfigureAwait(false);
            Dataset dataset = lease.Identity.OpenForJoin(name);
            durable = store.TogetherAsync(() =>
            {
                dataset.Write(write =>
                {
                    summary = Summarize(dataset, row);
                    if (summary is null) return;
                    row = new LegacyRow { DeletedThrough = dataset.Revision };
                    IReadOnlyList<RecordName> records = dataset.Records;
                    foreach (RecordName record in records) write.Delete(record.Key, record.Kind);

                    // Where nothing shows, a delete is noted again, so that the count rises.
                    if (records.Count == 0)
                        LegacyText.Remove(write, dataset.KeysChangedAfter(0).FirstOrDefault().Key ?? LegacyRow.FillerKey);
                    if (device is not null) lease.NoteSender(name, device);
                });
                return summary is null ? [] : [new(LegacyRow.PrefixOf(pool, id) + name, row.Encode())];
            });
        }

        // Where nothing was written there is no commit to wait for.
        if (summary is not null) await durable.ConfigureAwait(false);
        return summary;
    }

    /// <summary>Takes a dataset over with its counts, so that clients go on where they were. One that was taken over before
    /// follows; one that the hub had, or that was written to since, stays as it is.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="id">The identity.</param>
    /// <param name="name">The dataset.</param>
    /// <param name="records">All its records, removed ones too, each with its count, 1 or more; no key twice.</param>
    /// <param name="syncCount">The dataset's count; the highest of the records if it is lower.</param>
    /// <param name="cancellationToken">Ends the wait for what goes before it.</param>
    public async Task<LegacyImportOutcome> ImportAsync(string pool, IdentityId id, string name,
        IReadOnlyList<LegacyPatch> records, long syncCount, CancellationToken cancellationToken)
    {
        using IdentityLease lease = await store.LeaseAsync(pool, id, cancellationToken).ConfigureAwait(false);
        Task durable;
        using (await locks.EnterAsync(pool, cancellationToken, id).ConfigureAwait(false))
        {
            await CheckActiveAsync(pool, id, cancellationToken).ConfigureAwait(false);
            if (records.Count == 0 && syncCount <= 0) return LegacyImportOutcome.Same;
            LegacyRow row = await RowAsync(lease, name, cancellationToken).ConfigureAwait(false);
            Dataset dataset = lease.Identity.OpenForJoin(name);
            long before = dataset.Revision;
            if (before != row.ImportedThrough) return LegacyImportOutcome.ChangedHere;
            long through = records.Select(static record => record.SyncCount).Append(syncCount).Max();
            if (through <= before) return LegacyImportOutcome.Same;
            durable = store.TogetherAsync(() =>
            {
                foreach (IGrouping<long, LegacyPatch> call in records.Where(record => record.SyncCount > before)
                    .GroupBy(static record => record.SyncCount).OrderBy(static call => call.Key))
                {
                    dataset.WriteAt(call.Key, write =>
                    {
                        foreach (LegacyPatch record in call) Apply(write, record);
                    });
                }

                // What raised the count further is forgotten there; a delete of nothing stands for it.
                if (dataset.Revision < through)
                    dataset.WriteAt(through, static write => LegacyText.Remove(write, LegacyRow.FillerKey));
                row = row.Imported(records, through, time.GetUtcNow().ToUnixTimeMilliseconds());
                return [new(LegacyRow.PrefixOf(pool, id) + name, row.Encode())];
            });
            lease.Identity.LetGo(dataset);
        }

        await durable.ConfigureAwait(false);
        return LegacyImportOutcome.Imported;
    }

    /// <summary>Records as they are now, also those that are not there, with the count 0.</summary>
    public async Task<IReadOnlyList<LegacyRecord>> RecordsAsync(string pool, IdentityId id, string name,
        IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        using IdentityLease lease = await store.LeaseAsync(pool, id, cancellationToken).ConfigureAwait(false);
        if (!lease.Identity.HasDataset(name)) return [.. keys.Select(static key => new LegacyRecord(key, null, 0, 0, 0))];
        Dataset dataset = lease.Identity.OpenForJoin(name);
        LegacyRow row = await RowAsync(lease, name, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<LegacyRecord> records = dataset.AtOneMoment<IReadOnlyList<LegacyRecord>>(() =>
        {
            Dictionary<string, KeyState> known = dataset.KeysChangedAfter(0).ToDictionary(static state => state.Key);
            return [.. keys.Select(key => known.TryGetValue(key, out KeyState state) ? Show(dataset, row, state)
                : new LegacyRecord(key, null, 0, 0, 0))];
        });
        await dataset.FlushAsync(cancellationToken).ConfigureAwait(false);
        return records;
    }

    /// <summary>What the keys of patches read as now.</summary>
    /// <exception cref="CognitoException">A patch is stale.</exception>
    public async Task<IReadOnlyList<string?>> TextsAsync(string pool, IdentityId id, string name,
        IReadOnlyList<LegacyPatch> patches, CancellationToken cancellationToken)
    {
        using IdentityLease lease = await store.LeaseAsync(pool, id, cancellationToken).ConfigureAwait(false);
        Dataset? dataset = lease.Identity.HasDataset(name) ? lease.Identity.OpenForJoin(name) : null;
        foreach (LegacyPatch patch in patches) CheckCount(patch, dataset);
        return [.. patches.Select(patch => dataset is null ? null : LegacyText.Read(dataset, patch.Key))];
    }

    /// <summary>What a call that writes would change, record by record, for whoever wants to look at it before.</summary>
    /// <exception cref="CognitoException">A patch is stale or a record cannot read so.</exception>
    public async Task<IReadOnlyList<RecordChange>> ProposeAsync(string pool, IdentityId id, string name,
        SyncProposal proposal, CancellationToken cancellationToken)
    {
        using IdentityLease lease = await store.LeaseAsync(pool, id, cancellationToken).ConfigureAwait(false);
        Dataset before = new(name, 1, new DatasetContext()), after = new(name, 1, new DatasetContext());
        Dataset? dataset = lease.Identity.HasDataset(name) ? lease.Identity.OpenForJoin(name) : null;
        foreach (LegacyPatch patch in proposal.Patches) CheckCount(patch, dataset);
        if (dataset?.EncodeAll() is { } content)
        {
            before.JoinContent(content);
            after.JoinContent(content);
        }

        after.Write(write =>
        {
            foreach (LegacyPatch patch in proposal.Patches) Apply(write, patch);
            proposal.Also?.Invoke(write);
        });
        return RecordChange.Between(before, after);
    }

    private static LegacyChanges Read(
        Dataset dataset, LegacyRow row, long since, LegacyPlace? from, long? upTo, int limit)
    {
        if (since > dataset.Revision) throw NoSuchCount(since);
        long end = Math.Min(upTo ?? dataset.Revision, dataset.Revision);
        LegacyPlace start = from ?? new LegacyPlace(since, null);
        List<KeyState> changed = [.. dataset.KeysChangedAfter(start.SyncCount - (start.Key is null ? 0 : 1))
            .Where(state => state.Revision <= end && (start.Key is null || state.Revision > start.SyncCount
                || string.CompareOrdinal(state.Key, start.Key) > 0))];
        changed.Sort(static (left, right) => left.Revision != right.Revision ? left.Revision.CompareTo(right.Revision)
            : string.CompareOrdinal(left.Key, right.Key));
        List<LegacyRecord> records = [.. changed.Take(limit).Select(state => Show(dataset, row, state))];
        bool isOver = since > 0 && (since <= row.DeletedThrough || since < dataset.State.ForgottenRevision);
        LegacyPlace? next = changed.Count > limit ? new LegacyPlace(records[^1].SyncCount, records[^1].Key) : null;
        return new LegacyChanges(records, end, row.Shows(dataset), isOver, next);
    }

    /// <summary>Makes a record read as a patch says.</summary>
    /// <exception cref="CognitoException">It cannot read so.</exception>
    public static void Apply(Transaction write, LegacyPatch patch)
    {
        try
        {
            if (patch.Value is null) LegacyText.Remove(write, patch.Key);
            else LegacyText.Write(write, patch.Key, patch.Value);
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            string why = e is ArgumentException argument ? ValueJson.FirstSentence(argument) : e.Message;
            throw CognitoException.InvalidParameter($"Record {patch.Key} was written by another kind of client and cannot read "
                + $"so: {why}. Send it in the form in which it was listed.");
        }
    }

    private static LegacyRecord Show(Dataset dataset, LegacyRow row, KeyState state) => new(state.Key,
        LegacyText.Read(dataset, state.Key), state.Revision, state.Time.WallMilliseconds, row.DateOf(state));

    private static void CheckCount(LegacyPatch patch, Dataset? dataset)
    {
        long count = dataset?.RevisionOf(patch.Key) ?? 0;

        // A client knows the count of a delete that is forgotten here, and may write the record anew.
        bool isForgotten = count == 0 && patch.SyncCount > 0 && patch.SyncCount <= dataset?.State.ForgottenRevision;
        if (count != patch.SyncCount && !isForgotten)
            throw CognitoException.ResourceConflict(
                FormattableString.Invariant($"Current SyncCount for: {patch.Key} is: {count} not: {patch.SyncCount}"));
    }

    private static void CheckLimits(Dataset dataset, SessionLimits limits, long recordsBefore, long bytesBefore)
    {
        long records = dataset.State.LiveRecords;
        if (records > limits.RecordsMax && records > recordsBefore)
            throw CognitoException.LimitExceeded(
                FormattableString.Invariant($"A dataset has at most {limits.RecordsMax} records; delete some first."));
        if (dataset.State.LiveBytes <= limits.DatasetBytesMax || dataset.State.LiveBytes <= bytesBefore) return;
        if (BytesOf(dataset) > limits.DatasetBytesMax)
            throw CognitoException.LimitExceeded(
                FormattableString.Invariant($"A dataset has at most {limits.DatasetBytesMax} bytes; delete something first."));
    }

    private static long BytesOf(Dataset dataset) => dataset.Records.Select(static record => record.Key)
        .Distinct(StringComparer.Ordinal).Sum(key => SizeOf(key, LegacyText.Read(dataset, key)));

    private static long SizeOf(string key, string? text) =>
        Encoding.UTF8.GetByteCount(key) + (text is null ? 0 : Encoding.UTF8.GetByteCount(text));

    private static CognitoException NoSuchCount(long count) => CognitoException.InvalidParameter(
        FormattableString.Invariant($"No such SyncCount: {count} exists for this Dataset"));

    private static void CheckRoom(
        IdentityLease lease, string name, IReadOnlyList<LegacyPatch> patches, SessionLimits limits)
    {
        if (lease.Identity.HasDataset(name) && lease.Identity.OpenForJoin(name).Count > 0) return;
        IReadOnlyList<string> names = lease.Identity.DatasetNames;
        if (names.Count < limits.DatasetsMax || limits.DatasetsMax is null) return;
        foreach (string other in names) lease.Identity.OpenForJoin(other);
        bool isFilled = patches.Any(static patch => patch.Value is not null);
        if (DatasetRoom.Judge(lease.Identity, name, isFilled, limits.DatasetsMax) is { } reason)
            throw CognitoException.LimitExceeded(reason + ".");
    }

    private async Task CheckActiveAsync(string pool, IdentityId id, CancellationToken cancellationToken)
    {
        IdentityRow? row = await directory.FindAsync(pool, id, cancellationToken).ConfigureAwait(false);
        if (row is not { State: IdentityState.Active })
            throw CognitoException.IdentityForbidden(
                await pools.WireIdAsync(pool, id, cancellationToken).ConfigureAwait(false));
    }

    private async ValueTask<LegacyRow> RowAsync(IdentityLease lease, string name, CancellationToken cancellationToken) =>
        LegacyRow.Decode(lease.Identity.HasDataset(name)
            ? await store.Rows.ReadAsync(LegacyRow.PrefixOf(lease.Pool, lease.Identity.Id) + name, cancellationToken)
                .ConfigureAwait(false)
            : null);
}
