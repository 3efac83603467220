using Microsoft.Extensions.Logging;
using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Sync;

namespace SyncEngine.Hosting;

/// <summary>
/// Tells a logger how one store is doing, in few lines: a device that is away for a day, or that a policy forbids a thousand
/// writes, is told of once. Each observer is called by one thread at a time.
/// </summary>
internal sealed class SyncStoreLog(ILogger logger, string name)
{
    private readonly HashSet<(string Dataset, SyncErrorCode Code)> _refused = [];
    private SyncStoreState _state = SyncStoreState.Ready;
    private SyncStatus _sync = new(SyncState.Offline);
    private string? _toldReason;
    private bool _wasLive;

    /// <summary>Follows a store until it is closed.</summary>
    public void Follow(SyncStore store)
    {
        store.Status.Subscribe(OnStatus);
        store.Refusals.Subscribe(OnRefused);
        store.Divergences.Subscribe(divergence => HostingLog.Diverged(logger, name, divergence.Dataset));
    }

    private void OnStatus(StoreStatus status)
    {
        if (status.State != _state && status.State == SyncStoreState.StorageFailed)
            HostingLog.StorageFailed(logger, name, status.Failure);
        else if (status.State == SyncStoreState.Ready && _state == SyncStoreState.StorageFailed)
            HostingLog.StorageRecovered(logger, name);
        _state = status.State;
        SyncStatus sync = status.Sync;
        if (sync.State != _sync.State || sync.Failure?.Message != _sync.Failure?.Message) OnLink(sync);
        _sync = sync;
    }

    private void OnLink(SyncStatus sync)
    {
        string? reason = sync.Failure?.Message;
        if (sync.State == SyncState.Live)
        {
            (_wasLive, _toldReason) = (true, null);
            HostingLog.Live(logger, name, sync.Peer);
        }
        else if (sync.State is SyncState.Failed or SyncState.NeedsAuth && reason is not null && reason != _toldReason)
        {
            (_wasLive, _toldReason) = (false, reason);
            if (sync.State == SyncState.NeedsAuth) HostingLog.NeedsAuth(logger, name, sync.Peer, reason);
            else HostingLog.LinkFailed(logger, name, sync.Peer, reason);
        }
        else if (sync.State == SyncState.Offline && _wasLive)
        {
            _wasLive = false;
            HostingLog.Disconnected(logger, name, _sync.Peer);
        }
        else
        {
            HostingLog.LinkStatus(logger, name, sync.ToString());
        }
    }

    private void OnRefused(RefusedWrite write)
    {
        if (_refused.Add((write.Dataset, write.Code)))
            HostingLog.Refused(logger, name, write.Dataset, write.Code, write.Reason);
    }
}
