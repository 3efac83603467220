using SyncEngine.Causality;
using SyncEngine.Storage;
using SyncEngine.Wire;

namespace SyncEngine.Datasets;

/// <summary>What a dataset needs from the store that owns it.</summary>
internal sealed class DatasetContext
{
    /// <summary>This device's clock as it is.</summary>
    public TimeProvider Time
    {
        get => Clock.Source;
        init => Clock = new CorrectedClock(value);
    }

    /// <summary>By what writes are stamped.</summary>
    public CorrectedClock Clock { get; private init; } = new(TimeProvider.System);

    public RandomSource Random { get; init; } = RandomSource.System;

    public DatasetLimits Limits { get; init; } = DatasetLimits.Unlimited;

    public FrameLimits FrameLimits { get; init; } = new();

    /// <summary>Most change sets that wait for one subscriber before it gets a resync instead.</summary>
    public int ChangeQueueMax { get; init; } = 1 << 16;

    /// <summary>Null in memory, where all is durable at once.</summary>
    public Journal? Journal { get; init; }

    /// <summary>Bytes of overwritten changes that the log may hold before it is replaced by a snapshot.</summary>
    public long SnapshotSlackBytes { get; init; } = 1024 * 1024;

    /// <summary>Bytes of a transfer's parts that a crash may lose, or what came in a second if that is less.</summary>
    public long UnstagedBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>The claim of the file under which replicas are drawn.</summary>
    public ulong Claim { get; init; } = 1;

    /// <summary>Told, outside any gate, of an observer that threw and was therefore unsubscribed.</summary>
    public Action<Exception> ObserverFailed { get; init; } = static _ => { };

    /// <summary>Told, outside any gate, of a write that a hub did not take.</summary>
    public Action<RefusedWrite> WriteRefused { get; init; } = static _ => { };

    /// <summary>Told, outside any gate, of a divergence that was healed.</summary>
    public Action<Divergence> Diverged { get; init; } = static _ => { };
}
