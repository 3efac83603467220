namespace SyncEngine.Storage;

/// <summary>What one durable commit changes, all or nothing.</summary>
public sealed class StorageBatch
{
    /// <summary>Log frames to append, each with a sequence above all earlier ones of its dataset.</summary>
    public IList<LogFrame> Frames { get; } = new List<LogFrame>();

    /// <summary>Metadata pages to write by number; null removes the page.</summary>
    public IDictionary<int, byte[]?> Metadata { get; } = new Dictionary<int, byte[]?>();

    /// <summary>Longest key of a row, in characters.</summary>
    public const int RowKeyLengthMax = 512;

    /// <summary>Largest row, in bytes.</summary>
    public const int RowBytesMax = 9 * 1024 * 1024;

    /// <summary>Rows to write by key, 1 to <see cref="RowKeyLengthMax"/> printable ASCII characters; null removes the
    /// row.</summary>
    public IDictionary<string, byte[]?> Rows { get; } = new Dictionary<string, byte[]?>(StringComparer.Ordinal);

    /// <summary>Snapshots that become current.</summary>
    public IList<SnapshotFlip> Flips { get; } = new List<SnapshotFlip>();

    /// <summary>Numbers of datasets whose snapshot and log are removed whole, before anything else of this
    /// batch.</summary>
    public IList<int> DroppedDatasets { get; } = new List<int>();

    /// <summary>Whether the storage records that the file now belongs to this place, so that it is no longer
    /// copied.</summary>
    public bool ClaimsFile { get; set; }
}

/// <summary>One frame of a dataset's log.</summary>
/// <param name="Dataset">The dataset's number, from 1.</param>
/// <param name="Sequence">The frame's place in the log, from 1, without regard to gaps.</param>
/// <param name="Bytes">The frame.</param>
public readonly record struct LogFrame(int Dataset, long Sequence, ReadOnlyMemory<byte> Bytes);

/// <summary>Makes the staged pages of a dataset its snapshot and drops the log frames that it replaces.</summary>
/// <param name="Dataset">The dataset's number.</param>
/// <param name="PageCount">How many pages were staged, so that a lost one is noticed.</param>
/// <param name="FirstKeptSequence">Log frames below this sequence are dropped, this one and later ones stay.</param>
public readonly record struct SnapshotFlip(int Dataset, int PageCount, long FirstKeptSequence);
