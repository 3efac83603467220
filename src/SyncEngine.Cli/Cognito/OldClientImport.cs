using SyncEngine.Datasets;
using SyncEngine.Values;

namespace SyncEngine.Cli.Cognito;

/// <summary>What an import did.</summary>
/// <param name="Written">Records that were written.</param>
/// <param name="Unsynced">Those of them that the service never got.</param>
/// <param name="Same">Records that read so already.</param>
/// <param name="Deleted">Records that were deleted.</param>
/// <param name="Left">Removes, not yet synced, of records that the store does not have.</param>
internal readonly record struct OldClientImported(int Written, int Unsynced, int Same, int Deleted, int Left);

/// <summary>
/// Writes an old client's records into a store, each with the time at which that client wrote it: where another device wrote
/// later, its value shows, and this one is kept as a conflict. To do it again changes nothing.
/// </summary>
internal sealed class OldClientImport(SyncStore store, OldClientClock clock)
{
    public async Task<OldClientImported> RunAsync(
        IEnumerable<OldRecord> records, IEnumerable<string> deletedDatasets, CancellationToken cancellationToken)
    {
        var done = default(OldClientImported);
        foreach (OldRecord record in records.OrderBy(static record => record.Modified))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Dataset dataset = store.Identity.Dataset(record.Dataset);
            clock.Now = record.Modified;
            done = record.Value is { } value ? Write(dataset, record, value, done) : Delete(dataset, record, done);
        }

        clock.Now = null;
        foreach (string name in deletedDatasets)
        {
            Dataset dataset = store.Identity.Dataset(name);
            foreach (RecordName record in dataset.Records)
                if (dataset.Delete(record.Key, record.Kind)) done = done with { Deleted = done.Deleted + 1 };
        }

        await store.FlushAsync(cancellationToken);
        return done;
    }

    private static OldClientImported Write(Dataset dataset, OldRecord record, string value, OldClientImported done)
    {
        Value there = dataset[record.Key];
        if (!there.IsMissing && there == value) return done with { Same = done.Same + 1 };

        // What was synced is no news: whoever wrote since wrote over it.
        if (!there.IsMissing && !record.IsUnsynced) return done with { Same = done.Same + 1 };
        dataset[record.Key] = value;
        return done with { Written = done.Written + 1, Unsynced = done.Unsynced + (record.IsUnsynced ? 1 : 0) };
    }

    private static OldClientImported Delete(Dataset dataset, OldRecord record, OldClientImported done)
    {
        if (!record.IsUnsynced) return done;
        return dataset.Delete(record.Key) ? done with { Deleted = done.Deleted + 1 } : done with { Left = done.Left + 1 };
    }
}

/// <summary>The time at which a record was written; the system's in between.</summary>
internal sealed class OldClientClock : TimeProvider
{
    public DateTimeOffset? Now { get; set; }

    public override DateTimeOffset GetUtcNow() => Now ?? base.GetUtcNow();
}
