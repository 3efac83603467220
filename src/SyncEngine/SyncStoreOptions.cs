using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Sync;
using SyncEngine.Wire;

namespace SyncEngine;

/// <summary>How a store behaves. The defaults suit an app; immutable once a store is open.</summary>
public sealed record SyncStoreOptions
{
    /// <summary>Limits on local writes. Default: none but the format's.</summary>
    public DatasetLimits Limits { get; init; } = DatasetLimits.Unlimited;

    /// <summary>Bounds on received frames.</summary>
    public FrameLimits FrameLimits { get; init; } = new();

    /// <summary>
    /// Most change sets that wait for one slow subscriber before it gets a resync instead. Default 65,536, at least 2.
    /// </summary>
    public int ChangeQueueMax { get; init; } = 1 << 16;

    /// <summary>Where the time comes from. Default: the system.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where random bits come from. Default: the system; replace it only to replay a simulation.</summary>
    public RandomSource RandomSource { get; init; } = RandomSource.System;

    /// <summary>Told of an observer that threw, which was therefore unsubscribed. Default: nothing is done.</summary>
    public Action<Exception> ObserverFailed { get; init; } = static _ => { };

    /// <summary>Whether the store has no storage thread: a simulation does its work, see Journal.RunNow.</summary>
    internal bool StoresByHand { get; init; }

    /// <summary>See DatasetContext; small in simulations, so that their few writes make snapshots.</summary>
    internal long SnapshotSlackBytes { get; init; } = 1024 * 1024;

    /// <summary>See DatasetContext; small in simulations, so that parts are staged.</summary>
    internal long UnstagedBytesMax { get; init; } = 8 * 1024 * 1024;

    internal Connectivity Connectivity { get; init; } = Connectivity.System;
}
