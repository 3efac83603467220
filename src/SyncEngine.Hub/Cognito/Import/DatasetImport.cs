using SyncEngine.Datasets;
using SyncEngine.Hub.Cognito.Sync;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Cognito.Import;

/// <summary>
/// Writes datasets of another service with their sync counts, so that clients which know them go on. A dataset that was written
/// to here since it was imported is left alone. Thread-safe.
/// </summary>
internal sealed class DatasetImport(HubStore store, KeyedLocks locks, TimeProvider time)
{
    /// <summary>Largest sync count: each costs a write in memory.</summary>
    public const long SyncCountMax = 1_000_000;

    /// <summary>A key that raises the count where the service has forgotten what did; it is deleted at once.</summary>
    private const string FillerKey = "syncengine.imported";

    /// <summary>Writes a dataset with one durable commit.</summary>
    /// <returns>Whether it was written; null if it was written to here meanwhile.</returns>
    public async Task<bool?> WriteAsync(string pool, IdentityId id, ImportedDataset from, CancellationToken cancellationToken)
    {
        using IdentityLease lease = await store.LeaseAsync(pool, id, cancellationToken).ConfigureAwait(false);
        Task durable;
        using (await locks.EnterAsync(pool, cancellationToken, id).ConfigureAwait(false))
        {
            string key = LegacyRow.PrefixOf(pool, id) + from.Name;
            LegacyRow row = LegacyRow.Decode(await store.Rows.ReadAsync(key, cancellationToken).ConfigureAwait(false));
            Dataset dataset = lease.Identity.OpenForJoin(from.Name);
            if (dataset.Revision != row.ImportedThrough) return null;
            if (from.SyncCount <= dataset.Revision) return false;
            durable = store.TogetherAsync(() =>
            {
                row = Write(dataset, row, from);
                return [new(key, row.Encode())];
            });
        }

        await durable.ConfigureAwait(false);
        return true;
    }

    private LegacyRow Write(Dataset dataset, LegacyRow row, ImportedDataset from)
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        IEnumerable<IGrouping<long, ImportedRecord>> news = from.Records.Where(record => record.SyncCount > dataset.Revision)
            .GroupBy(static record => record.SyncCount).OrderBy(static together => together.Key).ToList();
        foreach (IGrouping<long, ImportedRecord> together in news)
        {
            // Counts in between were of records that were written again later.
            ImportedRecord first = together.First();
            while (dataset.Revision < together.Key - 1) dataset.Write(write => Apply(write, first));
            dataset.Write(write =>
            {
                foreach (ImportedRecord record in together) Apply(write, record);
            });
            row = row.After([.. together.Select(static record => new LegacyPatch(
                record.Key, record.Value, record.SyncCount, record.DeviceMilliseconds))], dataset.RevisionOf, now);
        }

        while (dataset.Revision < from.SyncCount) dataset.Write(static write => LegacyText.Remove(write, FillerKey));
        return row with { ImportedThrough = dataset.Revision };
    }

    private static void Apply(Transaction write, ImportedRecord record)
    {
        if (record.Value is { } value) LegacyText.Write(write, record.Key, value);
        else LegacyText.Remove(write, record.Key);
    }
}
