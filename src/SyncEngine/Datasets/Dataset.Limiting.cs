using SyncEngine.Causality;
using SyncEngine.Cells;

namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    /// <summary>The start of 2026 in milliseconds: a clock that shows an earlier time is wrong.</summary>
    private const long PlausibleMilliseconds = 1_767_225_600_000;

    /// <summary>Refuses, before anything changes, a frame that others could not take from here, or from an absurd
    /// future.</summary>
    private void RefuseBeyondLimits(CellColumns frame)
    {
        RefuseTooManyReplicas(frame);
        RefuseFarFuture(frame.LatestClock);
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
    private void RefuseFarFuture(HybridTimestamp latest)
    {
        long now = Math.Max(PlausibleMilliseconds, Context.Time.GetUtcNow().ToUnixTimeMilliseconds());
        if (latest.WallMilliseconds - now <= Context.FrameLimits.ClockAheadMax.TotalMilliseconds) return;
        throw new SyncException(SyncErrorCode.ClockAhead, $"Dataset {Name} got a write made at {latest}, more than the "
            + $"{Context.FrameLimits.ClockAheadMax.TotalDays:N0} days allowed ahead of this device's clock. Nothing was "
            + "merged. Set the clocks right, or raise FrameLimits.ClockAheadMax to take it.", 0);
    }
}
