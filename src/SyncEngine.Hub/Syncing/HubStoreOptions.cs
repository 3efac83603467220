using SyncEngine.Causality;
using SyncEngine.Wire;

namespace SyncEngine.Hub.Syncing;

/// <summary>How a hub keeps its datasets.</summary>
internal sealed record HubStoreOptions
{
    public TimeProvider Time { get; init; } = TimeProvider.System;

    public RandomSource Random { get; init; } = RandomSource.System;

    /// <summary>What stays open, and how much is taken at once.</summary>
    public HubMemoryOptions Memory { get; init; } = new();

    /// <summary>Bounds on what devices send.</summary>
    public FrameLimits FrameLimits => new()
    {
        FrameBytesMax = Memory.FrameBytesMax,
        EntriesMax = 1 << 20,
        ReplicasMax = 10_000,
        DatasetsMax = 1_000,
        TransferBytesMax = Memory.TransferBytesMax,
        ClockAheadMax = TimeSpan.FromDays(366),
    };

    /// <summary>How often idle identities are looked for. Default 5 s.</summary>
    public TimeSpan SweepEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes of overwritten changes that a dataset's log may hold before a snapshot replaces it. Default
    /// 1 MiB.</summary>
    public long SnapshotSlackBytes { get; init; } = 1024 * 1024;

    /// <summary>How long deletes are kept, from when they came. Default 90 days.</summary>
    public TimeSpan DeletesKept { get; init; } = TimeSpan.FromDays(90);

    /// <summary>Whether there is no storage thread: a simulation does its work.</summary>
    public bool StoresByHand { get; init; }
}
