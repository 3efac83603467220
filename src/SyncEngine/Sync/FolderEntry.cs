using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Wire;

namespace SyncEngine.Sync;

/// <summary>What is remembered of one file of a shared folder, so that it is read once.</summary>
internal sealed class FolderEntry(FolderFile file)
{
    public FolderFile File => file;

    /// <summary>Null for a bundle that somebody put there by hand.</summary>
    public BundleHeader? Header { get; set; }

    public List<FolderFrame> Frames { get; } = [];

    /// <summary>Why nothing of the file can be used; null if it is sound.</summary>
    public SyncException? Failure { get; set; }

    /// <summary>When what failed is tried again, in ticks UTC.</summary>
    public long RetriesAt { get; set; }

    public bool HasFailed => Failure is not null || Frames.Exists(static frame => frame.Failure is not null);

    /// <summary>Whether the file itself builds on nothing.</summary>
    public bool IsWhole => Frames.TrueForAll(static frame => frame.Base.Count == 0);

    public long Sequence => Header?.Sequence ?? 0;
}

/// <summary>What is remembered of one frame of a file.</summary>
internal sealed class FolderFrame(string dataset, VersionVector from, VersionVector to)
{
    private WeakReference<Dataset>? _joined;

    public string Dataset => dataset;

    public VersionVector Base => from;

    public VersionVector To => to;

    /// <summary>Why the dataset refused it.</summary>
    public SyncException? Failure { get; set; }

    public bool WasJoined => _joined is not null;

    public static FolderFrame Of(DecodedFrame decoded) =>
        new(decoded.Dataset, Vector(decoded, decoded.Columns.Base), Vector(decoded, decoded.Columns.To));

    /// <summary>Whether it is merged into this very dataset, which may have been deleted and made anew.</summary>
    public bool IsJoinedInto(Dataset target)
    {
        if (_joined is null) return false;
        if (_joined.TryGetTarget(out Dataset? joined) && joined == target) return true;
        if (!to.IsAtMost(target.CurrentVersion)) return false;
        NoteJoined(target);
        return true;
    }

    public void NoteJoined(Dataset target) => (_joined, Failure) = (new WeakReference<Dataset>(target), null);

    private static VersionVector Vector(DecodedFrame decoded, long[] counters)
    {
        var dots = new List<Dot>(counters.Length);
        for (int i = 0; i < counters.Length; i++)
            if (counters[i] > 0) dots.Add(new Dot(decoded.Columns.Replicas[i], counters[i]));
        return new VersionVector(dots);
    }
}

/// <summary>What somebody who had nothing would have after reading some files: by dataset a vector.</summary>
internal sealed class FolderCover
{
    private readonly Dictionary<string, VersionVector> _vectors = new(StringComparer.Ordinal);

    public FolderCover(IEnumerable<FolderEntry> entries)
    {
        List<FolderFrame> rest = entries.Where(static entry => entry.Failure is null)
            .SelectMany(static entry => entry.Frames).Where(static frame => frame.Failure is null).ToList();
        while (rest.RemoveAll(TryTake) > 0)
        {
        }
    }

    public VersionVector this[string dataset] =>
        _vectors.TryGetValue(dataset, out VersionVector? vector) ? vector : VersionVector.Empty;

    public bool Holds(FolderEntry entry) => entry.Frames.TrueForAll(frame => frame.To.IsAtMost(this[frame.Dataset]));

    private bool TryTake(FolderFrame frame)
    {
        VersionVector known = this[frame.Dataset];
        if (!frame.Base.IsAtMost(known)) return false;
        if (!frame.To.IsAtMost(known)) _vectors[frame.Dataset] = known.Join(frame.To);
        return true;
    }
}

/// <summary>What a store remembers of the files of one identity in one shared folder.</summary>
internal sealed class FolderMemory
{
    /// <summary>By path.</summary>
    public Dictionary<string, FolderEntry> Entries { get; } = new(StringComparer.Ordinal);
}
