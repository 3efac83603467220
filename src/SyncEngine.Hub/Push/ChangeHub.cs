using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Push;

/// <summary>
/// Where durable changes go out from: to subscribers of the identity in this process, to the pool's feed and to devices.
/// Thread-safe.
/// </summary>
internal sealed class ChangeHub : IAsyncDisposable
{
    private readonly object _gate = new();
    private readonly Dictionary<(string Pool, IdentityId Identity), List<ChangeSubscription>> _subscriptions = [];
    private readonly Channel<HubChange> _published;
    private readonly ChangeFeed _feed;
    private readonly DevicePush? _devices;
    private readonly ILogger<ChangeHub> _logger;
    private readonly Task _pump;
    private int _overflowed;
    private bool _ended;

    /// <summary>Starts handing out.</summary>
    /// <param name="feed">Takes each change; disposed by its owner, after this.</param>
    /// <param name="devices">Takes each change; null for no push to devices.</param>
    /// <param name="logger">Hears of overflow.</param>
    /// <param name="capacity">Most changes that wait to be handed out; about 100 bytes each. Default 65,536.</param>
    public ChangeHub(ChangeFeed feed, DevicePush? devices, ILogger<ChangeHub> logger, int capacity = 65_536)
    {
        (_feed, _devices, _logger) = (feed, devices, logger);
        _published = Channel.CreateBounded<HubChange>(
            new BoundedChannelOptions(capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        _pump = Task.Run(PumpAsync);
    }

    /// <summary>
    /// Tells of a change that is durable. Constant time; never waits and never throws. When too much waits already, every
    /// subscriber gets a resync instead and every feed notes the interruption.
    /// </summary>
    public void Publish(in HubChange change)
    {
        if (_published.Writer.TryWrite(change)) return;
        Volatile.Write(ref _overflowed, 1);

        // Where the pump emptied the queue meanwhile, this wakes it; where it did not, it looks at the mark when it has.
        _published.Writer.TryWrite(change);
    }

    /// <summary>Hears of the changes of one identity from now on, until disposed.</summary>
    /// <param name="pool">The identity's pool.</param>
    /// <param name="identity">The identity.</param>
    /// <param name="exceptDevice">The device whose own changes are not told; null for none.</param>
    /// <param name="capacity">Most notices that wait for the reader. Default 256.</param>
    public ChangeSubscription Subscribe(string pool, IdentityId identity, string? exceptDevice, int capacity = 256)
    {
        (string, IdentityId) key = (pool, identity);
        var subscription = new ChangeSubscription(exceptDevice, capacity, leaving => Leave(key, leaving));
        lock (_gate)
        {
            if (_ended) subscription.End();
            else if (_subscriptions.TryGetValue(key, out List<ChangeSubscription>? others)) others.Add(subscription);
            else _subscriptions.Add(key, [subscription]);
        }

        return subscription;
    }

    /// <summary>Hands out what was published, then ends each subscription.</summary>
    public async ValueTask DisposeAsync()
    {
        _published.Writer.TryComplete();
        await _pump.ConfigureAwait(false);
    }

    private async Task PumpAsync()
    {
        while (await _published.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (_published.Reader.TryRead(out HubChange change))
            {
                HandOut(change);
                if (Volatile.Read(ref _overflowed) == 1) TellLoss();
            }
        }

        lock (_gate)
        {
            _ended = true;
            foreach (List<ChangeSubscription> group in _subscriptions.Values)
                foreach (ChangeSubscription subscription in group) subscription.End();
            _subscriptions.Clear();
        }
    }

    private void HandOut(in HubChange change)
    {
        // The position is taken before the change joins the feed, so that all the feed holds up to there was told before.
        long position = _feed.Note(change);
        lock (_gate)
        {
            if (_subscriptions.TryGetValue((change.Pool, change.IdentityId), out List<ChangeSubscription>? group))
                foreach (ChangeSubscription subscription in group) subscription.Tell(change, position);
        }

        _devices?.Note(change);
    }

    private void TellLoss()
    {
        Volatile.Write(ref _overflowed, 0);
        PushLog.ChangesOverflowed(_logger);
        _feed.NoteLoss();
        lock (_gate)
        {
            foreach (List<ChangeSubscription> group in _subscriptions.Values)
                foreach (ChangeSubscription subscription in group) subscription.TellResync();
        }
    }

    private void Leave((string, IdentityId) key, ChangeSubscription leaving)
    {
        lock (_gate)
        {
            if (!_subscriptions.TryGetValue(key, out List<ChangeSubscription>? group) || !group.Remove(leaving)) return;
            if (group.Count == 0) _subscriptions.Remove(key);
        }
    }
}
