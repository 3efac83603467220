using SyncEngine.Causality;
using SyncEngine.Wire;

namespace SyncEngine.Hub.Syncing;

/// <summary>How a hub keeps its datasets.</summary>
internal sealed record HubStoreOptions
{
    public TimeProvider Time { get; init; } = TimeProvider.System;

    public RandomSource Random { get; init; } = RandomSource.System;

    /// <summary>Bounds on what devices send: a frame of 64 MiB, a transfer of 256 MiB, 10,000 replicas a dataset.</summary>
    public FrameLimits FrameLimits { get; init; } = new()
    {
        FrameBytesMax = 64 * 1024 * 1024,
        EntriesMax = 1 << 20,
        ReplicasMax = 10_000,
        DatasetsMax = 1_000,
        TransferBytesMax = 256 * 1024 * 1024,
        ClockAheadMax = TimeSpan.FromDays(366),
    };

    /// <summary>Identities that nobody uses stay open up to this many. Default 1,000.</summary>
    public int IdleIdentitiesMax { get; init; } = 1_000;

    /// <summary>An identity that nobody has used for so long is put away. Default one minute.</summary>
    public TimeSpan IdleTime { get; init; } = TimeSpan.FromMinutes(1);

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
