using SyncEngine.Causality;

namespace SyncEngine.Storage;

/// <summary>
/// Storage in memory that outlives the store opened on it: for tests, and for apps that keep their data elsewhere.
/// Open it
/// again after disposing the store, as one would a file. Thread-safe.
/// </summary>
public sealed class MemoryDisk
{
    private readonly object _gate = new();
    private readonly Dictionary<int, byte[]> _metadata = [];
    private readonly SortedDictionary<string, byte[]> _rows = new(StringComparer.Ordinal);
    private readonly Dictionary<int, SortedDictionary<long, byte[]>> _logs = [];
    private readonly Dictionary<int, List<byte[]>> _snapshots = [];
    private readonly Dictionary<int, SnapshotFlip> _flipped = [];
    private readonly Dictionary<string, MemoryDisk> _backups = [];
    private bool _isOpen;
    private bool _isCopied;

    /// <summary>The disks that backups made, by the path they were given.</summary>
    public IReadOnlyDictionary<string, MemoryDisk> Backups => _backups;

    /// <summary>Opens the disk. One storage at a time may have it open.</summary>
    /// <exception cref="SyncException">It is open already (<see cref="SyncErrorCode.FileInUse"/>).</exception>
    public ISyncStorage Open()
    {
        lock (_gate)
        {
            if (_isOpen)
                throw new SyncException(SyncErrorCode.FileInUse, "The memory disk is open. Dispose its store first.");
            _isOpen = true;
            return new Session(this);
        }
    }

    /// <summary>A copy of what is durable, as copying a file makes one.</summary>
    public MemoryDisk Copy() => Copy(isNoticed: true);

    /// <summary>As above; where it goes unnoticed, the copy does not know that it is one, as a file whose machine has no
    /// fingerprint.</summary>
    internal MemoryDisk Copy(bool isNoticed)
    {
        lock (_gate)
        {
            var copy = new MemoryDisk { _isCopied = isNoticed || _isCopied };
            foreach (KeyValuePair<int, byte[]> page in _metadata) copy._metadata.Add(page.Key, page.Value);
            foreach (KeyValuePair<string, byte[]> row in _rows) copy._rows.Add(row.Key, row.Value);
            foreach (KeyValuePair<int, SortedDictionary<long, byte[]>> log in _logs)
                copy._logs.Add(log.Key, new SortedDictionary<long, byte[]>(log.Value));
            foreach (KeyValuePair<int, List<byte[]>> snapshot in _snapshots)
                copy._snapshots.Add(snapshot.Key, [.. snapshot.Value]);
            foreach (KeyValuePair<int, SnapshotFlip> flip in _flipped) copy._flipped.Add(flip.Key, flip.Value);
            return copy;
        }
    }

    private sealed class Session(MemoryDisk disk) : ISyncStorage
    {
        private readonly Dictionary<int, List<byte[]>> _staged = [];

        public string Name => "memory";

        public bool IsCopied => disk._isCopied;

        public long SizeBytes => disk._metadata.Values.Sum(static page => (long)page.Length)
            + disk._rows.Values.Sum(static row => (long)row.Length)
            + disk._logs.Values.Sum(static log => log.Values.Sum(static frame => (long)frame.Length))
            + disk._snapshots.Values.Sum(static pages => pages.Sum(static page => (long)page.Length));

        public IReadOnlyDictionary<int, byte[]> ReadMetadata() => new Dictionary<int, byte[]>(disk._metadata);

        public byte[]? ReadRow(string key) => disk._rows.TryGetValue(key, out byte[]? bytes) ? bytes : null;

        public IReadOnlyList<KeyValuePair<string, byte[]>> ReadRows(string prefix, string? after, int limit) => disk._rows
            .Where(row => row.Key.StartsWith(prefix, StringComparison.Ordinal)
                && (after is null || string.CompareOrdinal(row.Key, after) > 0)).Take(limit).ToList();

        public void ReadFrames(int dataset, IFrameReader reader, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (disk._snapshots.TryGetValue(dataset, out List<byte[]>? pages))
                for (int i = 0; i < pages.Count; i++) reader.OnSnapshotPage(i, pages[i]);
            if (!disk._logs.TryGetValue(dataset, out SortedDictionary<long, byte[]>? log)) return;
            foreach (KeyValuePair<long, byte[]> frame in log)
            {
                cancellationToken.ThrowIfCancellationRequested();
                reader.OnLogFrame(frame.Key, frame.Value);
            }
        }

        public void Commit(StorageBatch batch)
        {
            lock (disk._gate)
            {
                foreach (SnapshotFlip flip in batch.Flips) Check(flip);
                foreach (int dataset in batch.DroppedDatasets)
                {
                    disk._logs.Remove(dataset);
                    disk._snapshots.Remove(dataset);
                    disk._flipped.Remove(dataset);
                }

                foreach (SnapshotFlip flip in batch.Flips) Flip(flip);
                foreach (LogFrame frame in batch.Frames)
                {
                    if (!disk._logs.TryGetValue(frame.Dataset, out SortedDictionary<long, byte[]>? log))
                        disk._logs.Add(frame.Dataset, log = []);
                    log[frame.Sequence] = frame.Bytes.ToArray();
                }

                foreach (KeyValuePair<int, byte[]?> page in batch.Metadata)
                {
                    if (page.Value is null) disk._metadata.Remove(page.Key);
                    else disk._metadata[page.Key] = page.Value;
                }

                foreach (KeyValuePair<string, byte[]?> row in batch.Rows)
                {
                    if (row.Value is null) disk._rows.Remove(row.Key);
                    else disk._rows[row.Key] = row.Value;
                }

                if (batch.ClaimsFile) disk._isCopied = false;
            }
        }

        public void StageSnapshotPage(int dataset, int page, ReadOnlyMemory<byte> frame)
        {
            if (page == 0) _staged[dataset] = [];
            _staged[dataset].Add(frame.ToArray());
        }

        public void Compact(IProgress<double>? progress, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            progress?.Report(1);
        }

        public IReadOnlyList<StorageFault> Verify(IProgress<double>? progress, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            progress?.Report(1);
            return [];
        }

        public void Backup(string path, IProgress<double>? progress, CancellationToken cancellationToken)
        {
            if (!disk._backups.TryAdd(path, disk.Copy()))
                throw new SyncException(SyncErrorCode.StorageFailed, $"{path} exists. Choose another path.");
            progress?.Report(1);
        }

        public void Dispose()
        {
            lock (disk._gate) disk._isOpen = false;
        }

        private void Check(SnapshotFlip flip)
        {
            bool isWhole = _staged.TryGetValue(flip.Dataset, out List<byte[]>? pages)
                ? pages.Count == flip.PageCount
                : flip.PageCount == 0 || (disk._flipped.TryGetValue(flip.Dataset, out SnapshotFlip done) && done == flip);
            if (!isWhole)
                throw new SyncException(SyncErrorCode.StorageFailed,
                    $"The snapshot of dataset {flip.Dataset} lacks pages. Stage it again from page 0.");
        }

        private void Flip(SnapshotFlip flip)
        {
            disk._flipped[flip.Dataset] = flip;
            // Committing a batch twice must come to the same state, so a flip without staged pages was done before.
            if (_staged.Remove(flip.Dataset, out List<byte[]>? pages)) disk._snapshots[flip.Dataset] = pages;
            if (!disk._logs.TryGetValue(flip.Dataset, out SortedDictionary<long, byte[]>? log)) return;
            foreach (long sequence in log.Keys.TakeWhile(sequence => sequence < flip.FirstKeptSequence).ToList())
                log.Remove(sequence);
        }
    }
}
