using SyncEngine.Storage;

namespace SyncEngine.LiteDB.Tests.Simulation;

/// <summary>Random operations on a storage, and what it must hold whatever interrupts them.</summary>
internal sealed class StorageHistory(Random random)
{
    public const int DatasetMax = 3;

    /// <summary>What was acknowledged.</summary>
    public StorageModel Acknowledged { get; private set; } = new();

    /// <summary>What the storage holds if the commit that was interrupted took effect; null between commits.</summary>
    public StorageModel? InFlight { get; private set; }

    /// <summary>The batch that was interrupted, to be committed again.</summary>
    public StorageBatch? InterruptedBatch { get; private set; }

    /// <summary>Runs one operation.</summary>
    public void Step(ISyncStorage storage)
    {
        switch (random.Next(100))
        {
            case < 70: Commit(storage, RandomBatch()); break;
            case < 85: Snapshot(storage); break;
            case < 87: storage.Compact(null, CancellationToken.None); break;
            case < 89: storage.StageSnapshotPage(1, 0, Bytes(500)); break;
            case < 95: Commit(storage, BigBatch()); break;
            default: Commit(storage, DroppingBatch()); break;
        }
    }

    /// <summary>Commits the interrupted batch again, as the engine does.</summary>
    public void Retry(ISyncStorage storage)
    {
        if (InterruptedBatch is { } batch) Commit(storage, batch);
    }

    /// <summary>
    /// Checks a storage that was opened after a crash against what it may hold, and goes on from there; returns what is
    /// wrong, or null.
    /// </summary>
    public string? Reopened(ISyncStorage storage)
    {
        var actual = StorageModel.Describe(storage, DatasetMax);
        var committed = Acknowledged.Describe();
        var tried = InFlight?.Describe();
        if (actual != committed && actual != tried) return Difference(committed, tried, actual);
        if (actual != committed) Acknowledged = InFlight!;
        Acknowledged.DropStaged();
        InFlight = null;
        InterruptedBatch = null;
        return null;
    }

    private static string Difference(string committed, string? tried, string actual)
    {
        var expected = committed.Split('\n');
        var found = actual.Split('\n');
        return $"lost: {string.Join(", ", expected.Except(found).Take(4))}; not acknowledged: "
            + $"{string.Join(", ", found.Except(expected).Take(4))}; "
            + $"{(tried is null ? "no" : "a")} commit was in flight";
    }

    private void Commit(ISyncStorage storage, StorageBatch batch)
    {
        var next = Acknowledged.Clone();
        next.Commit(batch);
        InFlight = next;
        InterruptedBatch = batch;
        storage.Commit(batch);
        Acknowledged = next;
        InFlight = null;
        InterruptedBatch = null;
    }

    private void Snapshot(ISyncStorage storage)
    {
        var dataset = random.Next(1, DatasetMax + 1);
        var pages = random.Next(5);
        for (var page = 0; page < pages; page++)
        {
            var bytes = Bytes(random.Next(12_000));
            Acknowledged.Stage(dataset, page, bytes);
            storage.StageSnapshotPage(dataset, page, bytes);
        }

        var batch = RandomBatch();
        var next = Acknowledged.NextSequence(dataset);
        batch.Flips.Add(new SnapshotFlip(dataset, pages, Math.Max(1, next - random.Next(3))));
        if (pages == 0 && Acknowledged.FrameCount(dataset) == 0) batch.Flips.Clear();
        Commit(storage, batch);
    }

    private StorageBatch RandomBatch()
    {
        var batch = new StorageBatch();
        for (var dataset = 1; dataset <= DatasetMax; dataset++)
        {
            if (random.Next(2) == 0) continue;
            var next = Acknowledged.NextSequence(dataset);
            var size = random.Next(10) == 0 ? random.Next(70_000) : random.Next(2_000);
            batch.Frames.Add(new LogFrame(dataset, next + random.Next(2), Bytes(size)));
        }

        if (random.Next(3) == 0) batch.Metadata[random.Next(6)] = Bytes(random.Next(300));
        if (random.Next(6) == 0) batch.Metadata[random.Next(6)] = null;
        if (random.Next(20) == 0) batch.ClaimsFile = true;
        return batch;
    }

    /// <summary>Enough pages that LiteDB checkpoints.</summary>
    private StorageBatch BigBatch()
    {
        var batch = new StorageBatch();
        var next = Acknowledged.NextSequence(1);
        for (var i = 0; i < 12; i++) batch.Frames.Add(new LogFrame(1, next + i, Bytes(100_000 + random.Next(300_000))));
        return batch;
    }

    private StorageBatch DroppingBatch()
    {
        var batch = RandomBatch();
        batch.Frames.Clear();
        var dataset = random.Next(1, DatasetMax + 1);
        batch.DroppedDatasets.Add(dataset);
        if (random.Next(2) == 0) batch.Frames.Add(new LogFrame(dataset, 1, Bytes(random.Next(3_000))));
        return batch;
    }

    private byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
