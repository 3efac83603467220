using SyncEngine.Causality;
using SyncEngine.Sync;

namespace SyncEngine;

/// <summary>How a store is doing.</summary>
public enum SyncStoreState
{
    /// <summary>Writes are taken and become durable.</summary>
    Ready = 1,

    /// <summary>The last commit failed: what is pending stays queued and visible, new writes are refused, and the
    /// commit is
    /// tried again every second and at each flush.</summary>
    StorageFailed = 2,

    /// <summary>The store was disposed.</summary>
    Closed = 3,
}

/// <summary>How a store is doing, and why.</summary>
/// <param name="State">The state.</param>
/// <param name="Failure">Why the last commit failed; null unless it did.</param>
public sealed record StoreStatus(SyncStoreState State, SyncException? Failure = null)
{
    /// <summary>How syncing is doing: with several links that of the one that is furthest; <see cref="SyncState.Offline"/>
    /// where there is none.</summary>
    public SyncStatus Sync { get; init; } = new(SyncState.Offline);
}
