using SyncEngine.Causality;
using SyncEngine.Identities;

namespace SyncEngine.Sync;

/// <summary>What a link needs from the store that made it.</summary>
internal sealed class LinkContext
{
    public required Func<Identity> Identity { get; init; }

    /// <summary>Makes durable what was written so far.</summary>
    public required Func<CancellationToken, ValueTask> Flush { get; init; }

    public required TimeProvider Time { get; init; }

    public required RandomSource Random { get; init; }

    public required Connectivity Connectivity { get; init; }

    public required Action<Exception> ObserverFailed { get; init; }

    /// <summary>Told of each new status.</summary>
    public required Action<SyncLink> StatusChanged { get; init; }
}
