using SyncEngine.Causality;
using SyncEngine.Cells;

namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    /// <summary>The latest time that received values may have, in milliseconds since 1970.</summary>
    internal long LatestMilliseconds => (long)Context.FrameLimits.ClockAheadMax.TotalMilliseconds
        + Math.Max(CorrectedClock.PlausibleMilliseconds, Context.Clock.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>Refuses, before anything changes, a frame that others could not take from here, or from an absurd
    /// future.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="judge">Who looks at the times of single writes, if anybody does.</param>
    private void RefuseBeyondLimits(CellColumns frame, IFrameJudge? judge = null)
    {
        RefuseTooManyReplicas(frame);
        if (judge is null) RefuseFarFuture(frame);
    }

    /// <summary>What is merged here must fit into one frame for others.</summary>
    private void RefuseTooManyReplicas(CellColumns frame)
    {
        int known = _state.Replicas.Count;
        if (known + frame.Replicas.Length <= Context.FrameLimits.ReplicasMax) return;
        foreach (ReplicaId replica in frame.Replicas)
            if (_state.Replicas.Find(replica) < 0) known++;
        if (known > Context.FrameLimits.ReplicasMax)
            throw new SyncException(SyncErrorCode.LimitExceeded, $"Dataset {Name} would know {known:N0} replicas; "
                + $"{Context.FrameLimits.ReplicasMax:N0} are allowed. Nothing was merged. Raise FrameLimits.ReplicasMax.");
    }

    /// <summary>Such a write would win every concurrent one for lifetimes, and nobody's clock made it.</summary>
    private void RefuseFarFuture(CellColumns frame)
    {
        long latest = LatestMilliseconds;
        if (frame.LatestClock.WallMilliseconds <= latest) return;
        foreach (ref readonly CellColumn cell in frame.Cells.AsSpan(0, frame.CellCount))
        {
            if (!CellKinds.IsOrderedByTime(cell.Kind)) continue;
            foreach (ref readonly EntryColumn entry in frame.Entries.AsSpan(cell.FirstEntry, cell.EntryCount))
            {
                var made = new HybridTimestamp(entry.Clock);
                if (entry.ValueLength == 0 || made.WallMilliseconds <= latest) continue;
                throw new SyncException(SyncErrorCode.ClockAhead, $"Dataset {Name} got a write made at {made}, more than the "
                    + $"{Context.FrameLimits.ClockAheadMax.TotalDays:N0} days allowed ahead of this device's clock. Nothing was "
                    + "merged. Set the clocks right, or raise FrameLimits.ClockAheadMax to take it.", 0);
            }
        }
    }
}
