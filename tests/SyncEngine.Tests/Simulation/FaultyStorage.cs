using SyncEngine.Causality;
using SyncEngine.Storage;

namespace SyncEngine.Tests.Simulation;

/// <summary>What a faulty storage does, set from the test while the engine's storage thread uses it.</summary>
internal sealed class Faults
{
    private int _commits;

    /// <summary>Asked before each commit, with its number from 1; an exception is thrown, nothing of the batch lands.</summary>
    public Func<int, Exception?> BeforeCommit { get; set; } = static _ => null;

    /// <summary>Asked before each staged page.</summary>
    public Func<Exception?> BeforePage { get; set; } = static () => null;

    /// <summary>Commits after this many are acknowledged by nobody and land nowhere: the power is gone.</summary>
    public int PowerFailsAfter { get; set; } = int.MaxValue;

    /// <summary>Closed: commits wait. The engine's storage thread waits with them.</summary>
    public ManualResetEventSlim Gate { get; } = new(true);

    /// <summary>Set whenever a commit waits at the gate.</summary>
    public ManualResetEventSlim Waiting { get; } = new(false);

    /// <summary>Frames to report as damaged: dataset, page or frame, number.</summary>
    public HashSet<(bool IsPage, long Number)> Damaged { get; } = [];

    /// <summary>Rows that were asked for one by one.</summary>
    public int RowReads { get; set; }

    public int Commits => Volatile.Read(ref _commits);

    public int CountCommit() => Interlocked.Increment(ref _commits);
}

/// <summary>A memory disk with faults in front of it.</summary>
internal sealed class FaultyStorage(ISyncStorage inner, Faults faults) : ISyncStorage
{
    public string Name => inner.Name;

    public bool IsCopied => inner.IsCopied;

    public long SizeBytes => inner.SizeBytes;

    public IReadOnlyDictionary<int, byte[]> ReadMetadata() => inner.ReadMetadata();

    public byte[]? ReadRow(string key)
    {
        faults.RowReads++;
        return inner.ReadRow(key);
    }

    public IReadOnlyList<KeyValuePair<string, byte[]>> ReadRows(string prefix, string? after, int limit) =>
        inner.ReadRows(prefix, after, limit);

    public void ReadFrames(int dataset, IFrameReader reader, CancellationToken cancellationToken) =>
        inner.ReadFrames(dataset, new DamagingReader(dataset, reader, faults), cancellationToken);

    public void Commit(StorageBatch batch)
    {
        faults.Waiting.Set();
        faults.Gate.Wait();
        int number = faults.CountCommit();
        if (number > faults.PowerFailsAfter)
            throw new SyncException(SyncErrorCode.StorageFailed, "The power is gone.");
        if (faults.BeforeCommit(number) is { } failure) throw failure;
        inner.Commit(batch);
    }

    public void StageSnapshotPage(int dataset, int page, ReadOnlyMemory<byte> frame)
    {
        if (faults.BeforePage() is { } failure) throw failure;
        inner.StageSnapshotPage(dataset, page, frame);
    }

    public void Compact(IProgress<double>? progress, CancellationToken cancellationToken) =>
        inner.Compact(progress, cancellationToken);

    public IReadOnlyList<StorageFault> Verify(IProgress<double>? progress, CancellationToken cancellationToken) =>
        inner.Verify(progress, cancellationToken);

    public void Backup(string path, IProgress<double>? progress, CancellationToken cancellationToken) =>
        inner.Backup(path, progress, cancellationToken);

    public void Dispose() => inner.Dispose();

    private sealed class DamagingReader(int dataset, IFrameReader reader, Faults faults) : IFrameReader
    {
        public void OnSnapshotPage(int page, ReadOnlyMemory<byte> frame)
        {
            if (faults.Damaged.Contains((true, page))) OnDamaged(new StorageFault(dataset, true, page, "planted"));
            else reader.OnSnapshotPage(page, frame);
        }

        public void OnLogFrame(long sequence, ReadOnlyMemory<byte> frame)
        {
            if (faults.Damaged.Contains((false, sequence)))
                OnDamaged(new StorageFault(dataset, false, sequence, "planted"));
            else reader.OnLogFrame(sequence, frame);
        }

        public void OnDamaged(StorageFault fault) => reader.OnDamaged(fault);
    }
}
