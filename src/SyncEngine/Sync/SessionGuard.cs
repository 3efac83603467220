using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;

namespace SyncEngine.Sync;

/// <summary>
/// What a hub allows one session. Its members are called from the session's own thread, <see cref="Judge"/> also under the
/// dataset's gate.
/// </summary>
internal abstract class SessionGuard
{
    /// <summary>Whether the peer may see a dataset; one that it may not see it neither gets nor brings.</summary>
    public abstract bool MayRead(string dataset);

    /// <summary>Why the peer may not see a dataset, with what to do.</summary>
    public virtual string ReasonHidden(string dataset) => $"The hub's policy does not let this identity use dataset {dataset}. "
        + "Ask the hub's operator, or keep it on this device alone.";

    /// <summary>Why a frame is not taken; null if it is.</summary>
    public abstract FrameRefusal? Judge(Dataset dataset, FrameInspection inspection);

    /// <summary>Why branches of copied files are not renamed, because the peer knows them otherwise; null if they are. Asked
    /// under the dataset's gate.</summary>
    public virtual FrameRefusal? JudgeRenames(Dataset dataset, CellState state, IReadOnlyList<Rename> renames) => null;

    /// <summary>Whether messages are shown to <see cref="ConsiderAsync"/> before they are taken.</summary>
    public virtual bool Considers => false;

    /// <summary>Looks at a message before it is taken, for as long as that takes; nothing of the session goes on
    /// meanwhile.</summary>
    /// <exception cref="SyncException">The session must end.</exception>
    public virtual ValueTask ConsiderAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) => default;

    /// <summary>Told, outside any gate, of a dataset that a frame of the peer changed.</summary>
    public virtual void OnTaken(Dataset dataset, long revision)
    {
    }
}

/// <summary>Why a frame is not taken.</summary>
/// <param name="Code">For programs.</param>
/// <param name="Reason">In words, with what to do.</param>
/// <param name="Changes">The changes that stand in the way; empty where it is the frame as a whole.</param>
/// <param name="Refuses">Which of their writes are refused, at least one of each; null for all. The others go through once those
/// are taken back.</param>
internal sealed record FrameRefusal(SyncErrorCode Code, string Reason, IReadOnlyList<CellProposal> Changes,
    Func<CellProposal, ProposedEntry, bool>? Refuses = null);

/// <summary>Asks a guard about one frame, and keeps what the peer must be told.</summary>
internal sealed class GuardedFrame(SessionGuard guard, Dataset dataset) : IFrameJudge
{
    /// <summary>About how large a reject may get: the peer sends the rest again, and is told then.</summary>
    private const long ToldBytesMax = 1024 * 1024;
    private const int DotBytes = 18;

    /// <summary>Null while the guard has nothing against it.</summary>
    public FrameRefusal? Refusal { get; private set; }

    public string Reason => Refusal?.Reason ?? "";

    public List<Dot> Dots { get; } = [];

    /// <summary>The cells concerned, as they are here.</summary>
    public byte[] Cells { get; private set; } = [];

    public bool AllowsRenames(CellState state, IReadOnlyList<Rename> renames) =>
        (Refusal = guard.JudgeRenames(dataset, state, renames)) is null;

    public bool Allows(FrameInspection inspection)
    {
        Refusal = guard.Judge(dataset, inspection) ?? JudgeTimes(inspection);
        if (Refusal is null) return true;
        var traceless = new List<int>();
        var cells = new List<int>();
        long bytes = 0;
        foreach (CellProposal change in Refusal.Changes)
        {
            if (bytes > ToldBytesMax) break;
            int known = Dots.Count;
            foreach (ProposedEntry entry in inspection.EntriesOf(change))
                if (Refusal.Refuses?.Invoke(change, entry) != false) Dots.Add(entry.Dot);
            bytes += inspection.State.SizeOf(change.Cell) + ((long)DotBytes * (Dots.Count - known));
            (Dots.Count == known ? traceless : cells).Add(change.Cell);
        }

        // Deletes that the peer has forgotten have no dot to name; they are told once nothing else is to be taken back.
        Cells = dataset.EncodeCells((Dots.Count == 0 ? traceless : cells).FindAll(cell =>
            !inspection.State.Table[cell].IsEmpty).Distinct());
        return false;
    }

    /// <summary>A value of an absurd future would be shown for as long; the peer writes it anew.</summary>
    private FrameRefusal? JudgeTimes(FrameInspection inspection)
    {
        long latest = dataset.LatestMilliseconds;
        bool IsLater(CellProposal change, ProposedEntry write) => write.ValueLength > 0
            && CellKinds.IsOrderedByTime(change.Frame.Cells[change.Column].Kind)
            && new HybridTimestamp(write.Entry.Clock).WallMilliseconds > latest;
        List<CellProposal> later = [.. inspection.Changes.Where(change => change.Frame.LatestClock.WallMilliseconds > latest
            && inspection.EntriesOf(change).Any(write => IsLater(change, write)))];
        return later.Count == 0 ? null : new FrameRefusal(SyncErrorCode.ClockAhead, "These values were written at a time "
            + "too far ahead of the hub's. Set the device's clock right: it writes them anew, and nothing is lost.",
            later, IsLater);
    }
}
