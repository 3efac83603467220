using SyncEngine.Causality;
using SyncEngine.LiteDB;
using SyncEngine.Storage;

namespace SyncEngine.Hub.Tests.Hosting;

/// <summary>A LiteDB file on a disk that a test may fill up, or make unreadable.</summary>
internal sealed class FailingStorage(string path, LiteDbStorageOptions options, FailingStorage.Disk disk) : ISyncStorage
{
    private readonly LiteDbStorage _storage = LiteDbStorage.Open(path, options);

    public string Name => _storage.Name;

    public bool IsCopied => _storage.IsCopied;

    public long SizeBytes => _storage.SizeBytes;

    public void Commit(StorageBatch batch)
    {
        if (disk.IsFull) throw new SyncException(SyncErrorCode.StorageFull, "The disk of the test is full.");
        if (disk.IsReadOnly) throw new UnauthorizedAccessException("The disk of the test is read-only.");
        Reading().Commit(batch);
    }

    public IReadOnlyDictionary<int, byte[]> ReadMetadata() => Reading().ReadMetadata();

    public byte[]? ReadRow(string key)
    {
        disk.CheckReads();
        return _storage.ReadRow(key);
    }

    public IReadOnlyList<KeyValuePair<string, byte[]>> ReadRows(string prefix, string? after, int limit)
    {
        disk.CheckReads();
        return _storage.ReadRows(prefix, after, limit);
    }

    public void ReadFrames(int dataset, IFrameReader reader, CancellationToken cancellationToken)
    {
        disk.CheckReads();
        Reading().ReadFrames(dataset, reader, cancellationToken);
    }

    public void StageSnapshotPage(int dataset, int page, ReadOnlyMemory<byte> frame) =>
        _storage.StageSnapshotPage(dataset, page, frame);

    public void Compact(IProgress<double>? progress, CancellationToken cancellationToken) =>
        _storage.Compact(progress, cancellationToken);

    public IReadOnlyList<StorageFault> Verify(IProgress<double>? progress, CancellationToken cancellationToken) =>
        _storage.Verify(progress, cancellationToken);

    public void Backup(string path, IProgress<double>? progress, CancellationToken cancellationToken) =>
        _storage.Backup(path, progress, cancellationToken);

    public void Dispose() => _storage.Dispose();

    private LiteDbStorage Reading() => disk.IsGone
        ? throw new SyncException(SyncErrorCode.StorageFailed, "The disk of the test is gone.") : _storage;

    /// <summary>The disk.</summary>
    internal sealed class Disk
    {
        public volatile bool IsFull;

        /// <summary>Nothing is written any more, as on a disk that the system has mounted anew after errors.</summary>
        public volatile bool IsReadOnly;

        /// <summary>Nothing is read either.</summary>
        public volatile bool IsGone;
        public volatile bool IsUnreadable;

        public void CheckReads()
        {
            if (IsUnreadable) throw new IOException("The disk of the test cannot be read.");
        }
    }
}
