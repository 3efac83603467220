using SyncEngine.Causality;

namespace SyncEngine.Storage;

/// <summary>
/// Where a store keeps its frames: the one port between the engine and a disk. The engine calls every member from one
/// thread at a time, its storage thread, which also creates and disposes the storage; an implementation need not be
/// thread-safe and may bind to that thread.
/// </summary>
/// <remarks>
/// A dataset is a snapshot (pages, possibly none) followed by a log (frames of increasing sequence). The storage treats
/// both as opaque bytes. Failures are <see cref="SyncException"/> with <see cref="SyncErrorCode.StorageFailed"/>,
/// <see cref="SyncErrorCode.StorageFull"/>, <see cref="SyncErrorCode.Damaged"/> or
/// <see cref="SyncErrorCode.UnsupportedVersion"/>.
/// </remarks>
public interface ISyncStorage : IDisposable
{
    /// <summary>What error messages call this storage: the path of its file.</summary>
    string Name { get; }

    /// <summary>
    /// Whether the file was copied, restored or moved to another machine since it was last claimed, so that every
    /// dataset in it must take a new replica id before it writes. A new, empty storage is not copied.
    /// </summary>
    bool IsCopied { get; }

    /// <summary>Bytes that the storage takes on its medium now.</summary>
    long SizeBytes { get; }

    /// <summary>All metadata pages by number.</summary>
    IReadOnlyDictionary<int, byte[]> ReadMetadata();

    /// <summary>The bytes of the row under a key; null if there is none. Rows that are not read cost no memory.</summary>
    byte[]? ReadRow(string key);

    /// <summary>Rows whose keys start with a prefix and are above another key, in ordinal order.</summary>
    IReadOnlyList<KeyValuePair<string, byte[]>> ReadRows(string prefix, string? after, int limit);

    /// <summary>
    /// Hands the frames of one dataset to <paramref name="reader"/>: the pages of the current snapshot in page order,
    /// then the log frames in sequence order. A frame that fails its check is reported as damaged, kept aside for
    /// diagnosis, and skipped; a frame's memory is valid only during the call.
    /// </summary>
    void ReadFrames(int dataset, IFrameReader reader, CancellationToken cancellationToken);

    /// <summary>
    /// Makes the whole batch durable, or none of it. When it throws, the outcome may be unknown; the engine then
    /// commits the same batch again, which must come to the same state as committing it once.
    /// </summary>
    void Commit(StorageBatch batch);

    /// <summary>
    /// Stages one page of a dataset's next snapshot. Staged pages are not read until a batch with a
    /// <see cref="SnapshotFlip"/> commits; they may become durable before, and are dropped when the storage opens.
    /// </summary>
    /// <param name="dataset">The dataset's number.</param>
    /// <param name="page">0 first (which drops pages staged before), then one more each time.</param>
    /// <param name="frame">The page's bytes.</param>
    void StageSnapshotPage(int dataset, int page, ReadOnlyMemory<byte> frame);

    /// <summary>
    /// Rewrites the storage so that it takes no more room than its live data needs. Crash-safe: a crash leaves the old
    /// file or the new one.
    /// </summary>
    void Compact(IProgress<double>? progress, CancellationToken cancellationToken);

    /// <summary>Reads everything and checks it; returns each fault found, none for a sound storage. Changes
    /// nothing.</summary>
    IReadOnlyList<StorageFault> Verify(IProgress<double>? progress, CancellationToken cancellationToken);

    /// <summary>
    /// Writes a copy of the durable state to a new file of the same format. The copy, when opened, is
    /// <see cref="IsCopied"/>. Fails if the file exists; leaves no partial file behind.
    /// </summary>
    void Backup(string path, IProgress<double>? progress, CancellationToken cancellationToken);
}

/// <summary>Receives what <see cref="ISyncStorage.ReadFrames"/> reads.</summary>
public interface IFrameReader
{
    /// <summary>A page of the snapshot.</summary>
    void OnSnapshotPage(int page, ReadOnlyMemory<byte> frame);

    /// <summary>A frame of the log.</summary>
    void OnLogFrame(long sequence, ReadOnlyMemory<byte> frame);

    /// <summary>A page or frame that failed its check and was set aside.</summary>
    void OnDamaged(StorageFault fault);
}

/// <summary>One thing that is wrong in a storage.</summary>
/// <param name="Dataset">The dataset's number; −1 where the fault concerns none.</param>
/// <param name="IsSnapshotPage">Whether it is a page of a snapshot; otherwise a frame of the log.</param>
/// <param name="Sequence">The page or the sequence of the frame; −1 if unknown.</param>
/// <param name="Description">What is wrong, in words.</param>
public sealed record StorageFault(int Dataset, bool IsSnapshotPage, long Sequence, string Description);
