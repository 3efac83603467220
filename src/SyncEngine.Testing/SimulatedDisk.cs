using SyncEngine.Storage;

namespace SyncEngine.Testing;

/// <summary>A file that can be copied unnoticed while it is in use, and torn: pieces of it cannot be read any more.</summary>
internal sealed class SimulatedDisk
{
    private readonly MemoryDisk _disk;
    private readonly HashSet<(int Dataset, bool IsPage, long Number)> _torn;

    public SimulatedDisk()
        : this(new MemoryDisk(), [])
    {
    }

    private SimulatedDisk(MemoryDisk disk, HashSet<(int, bool, long)> torn) => (_disk, _torn) = (disk, torn);

    public SimulatedDisk Copy() => new(_disk.Copy(isNoticed: false), [.. _torn]);

    public ISyncStorage Open() => new TornStorage(_disk.Open(), _torn);

    /// <summary>Makes a random piece unreadable.</summary>
    /// <returns>Whether there was any.</returns>
    public bool Tear(Random random)
    {
        using ISyncStorage storage = _disk.Open();
        var pieces = new PieceList();
        for (int dataset = 1; dataset < 4; dataset++)
        {
            pieces.Dataset = dataset;
            storage.ReadFrames(dataset, pieces, CancellationToken.None);
        }

        return pieces.Found.Count > 0 && _torn.Add(pieces.Found[random.Next(pieces.Found.Count)]);
    }

    private sealed class PieceList : IFrameReader
    {
        public List<(int Dataset, bool IsPage, long Number)> Found { get; } = [];

        public int Dataset { get; set; }

        public void OnSnapshotPage(int page, ReadOnlyMemory<byte> frame) => Found.Add((Dataset, true, page));

        public void OnLogFrame(long sequence, ReadOnlyMemory<byte> frame) => Found.Add((Dataset, false, sequence));

        public void OnDamaged(StorageFault fault)
        {
        }
    }

    private sealed class TornStorage(ISyncStorage inner, HashSet<(int, bool, long)> torn) : ISyncStorage
    {
        public string Name => inner.Name;

        public bool IsCopied => inner.IsCopied;

        public long SizeBytes => inner.SizeBytes;

        public IReadOnlyDictionary<int, byte[]> ReadMetadata() => inner.ReadMetadata();

        public byte[]? ReadRow(string key) => inner.ReadRow(key);

        public IReadOnlyList<KeyValuePair<string, byte[]>> ReadRows(string prefix, string? after, int limit) =>
            inner.ReadRows(prefix, after, limit);

        public void ReadFrames(int dataset, IFrameReader reader, CancellationToken cancellationToken) =>
            inner.ReadFrames(dataset, new TornReader(dataset, reader, torn), cancellationToken);

        public void Commit(StorageBatch batch)
        {
            inner.Commit(batch);

            // A new snapshot has whole pages in the place of torn ones.
            foreach (SnapshotFlip flip in batch.Flips) torn.RemoveWhere(piece => piece.Item1 == flip.Dataset && piece.Item2);
        }

        public void StageSnapshotPage(int dataset, int page, ReadOnlyMemory<byte> frame) =>
            inner.StageSnapshotPage(dataset, page, frame);

        public void Compact(IProgress<double>? progress, CancellationToken cancellationToken) =>
            inner.Compact(progress, cancellationToken);

        public IReadOnlyList<StorageFault> Verify(IProgress<double>? progress, CancellationToken cancellationToken) =>
            inner.Verify(progress, cancellationToken);

        public void Backup(string path, IProgress<double>? progress, CancellationToken cancellationToken) =>
            inner.Backup(path, progress, cancellationToken);

        public void Dispose() => inner.Dispose();
    }

    private sealed class TornReader(int dataset, IFrameReader reader, HashSet<(int, bool, long)> torn) : IFrameReader
    {
        public void OnSnapshotPage(int page, ReadOnlyMemory<byte> frame)
        {
            if (torn.Contains((dataset, true, page))) OnDamaged(new StorageFault(dataset, true, page, "torn"));
            else reader.OnSnapshotPage(page, frame);
        }

        public void OnLogFrame(long sequence, ReadOnlyMemory<byte> frame)
        {
            if (torn.Contains((dataset, false, sequence))) OnDamaged(new StorageFault(dataset, false, sequence, "torn"));
            else reader.OnLogFrame(sequence, frame);
        }

        public void OnDamaged(StorageFault fault) => reader.OnDamaged(fault);
    }
}
