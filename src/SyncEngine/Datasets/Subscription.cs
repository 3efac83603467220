namespace SyncEngine.Datasets;

/// <summary>
/// One subscriber's bounded queue of change sets, filled under the dataset's gate, so in order, and emptied by one
/// work item
/// at a time. A subscriber that falls behind loses its queue and gets a resync; one that throws is unsubscribed.
/// </summary>
internal abstract class Subscription(Dataset dataset, bool durableOnly) : IDisposable
{
    private const int SpinsMax = 16;
    private readonly object _queueGate = new();
    private ChangeSet?[] _waiting = new ChangeSet?[16];
    private ChangeSet?[] _delivering = new ChangeSet?[16];
    private int _count;
    private int _undelivered;
    private bool _running;
    private bool _completing;
    private volatile bool _ended;
    private static readonly WaitCallback _pump = static subscription => ((Subscription)subscription!).Pump();

    protected Dataset Dataset => dataset;

    public bool DurableOnly => durableOnly;

    /// <summary>Appends a change set; called under the dataset's gate.</summary>
    public void Enqueue(ChangeSet changes, int queueMax)
    {
        lock (_queueGate)
        {
            if (_ended || _completing) return;
            if (_count + Volatile.Read(ref _undelivered) >= queueMax)
            {
                Array.Clear(_waiting, 0, _count);
                _count = 0;
                changes = changes.IsResync ? changes : new ChangeSet(
                    changes.Dataset, changes.Cursor, changes.Origin, [], isResync: true);
            }

            if (_count == _waiting.Length) Array.Resize(ref _waiting, _count * 2);
            _waiting[_count++] = changes;
            if (_running || DeliverableCount() == 0) return;
            _running = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(_pump, this);
    }

    /// <summary>More became durable: goes on with what waited for it.</summary>
    public void Wake()
    {
        lock (_queueGate)
        {
            if (_ended || _running || DeliverableCount() == 0) return;
            _running = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(_pump, this);
    }

    public void Dispose()
    {
        lock (_queueGate)
        {
            _ended = true;
            Array.Clear(_waiting, 0, _count);
            _count = 0;
        }

        dataset.Unsubscribe(this);
    }

    /// <summary>Ends the stream, after what waits was delivered: the dataset is closed.</summary>
    public void Complete()
    {
        lock (_queueGate)
        {
            if (_ended || _completing) return;
            _completing = true;
            if (_running) return;
            _running = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(_pump, this);
    }

    protected abstract void Deliver(ChangeSet changes);

    protected abstract void OnCompleted();

    /// <summary>How many of the waiting change sets may be delivered: all, or those that are durable.</summary>
    private int DeliverableCount()
    {
        if (!durableOnly) return _count;
        long durable = dataset.DurableRevision;
        int deliverable = 0;
        while (deliverable < _count && _waiting[deliverable]!.Revision <= durable) deliverable++;
        return deliverable;
    }

    private void Pump()
    {
        while (true)
        {
            int count = Take();
            if (count == 0)
            {
                if (!SpinForMore() && !Rest()) return;
                continue;
            }

            for (int i = 0; i < count && !_ended; i++)
            {
                ChangeSet changes = _delivering[i]!;
                _delivering[i] = null;
                Volatile.Write(ref _undelivered, count - i - 1);
                try
                {
                    Deliver(changes);
                }
                catch (Exception e)
                {
                    Dispose();
                    dataset.Context.ObserverFailed(e);
                }
            }
        }
    }

    /// <summary>
    /// Looks out for more for some microseconds: waking a thread for each of many small changes costs their writer more.
    /// </summary>
    private bool SpinForMore()
    {
        var spin = default(SpinWait);
        for (int i = 0; i < SpinsMax && !durableOnly && !_ended && !_completing; i++)
        {
            if (Volatile.Read(ref _count) > 0) return true;
            spin.SpinOnce();
        }

        return false;
    }

    /// <summary>Ends the work item, unless something came at the last moment.</summary>
    /// <returns>Whether something did.</returns>
    private bool Rest()
    {
        lock (_queueGate)
        {
            if (!_ended && DeliverableCount() > 0) return true;
            _running = false;
            if (_ended || !_completing) return false;
            _ended = true;
        }

        try
        {
            OnCompleted();
        }
        catch (Exception e)
        {
            dataset.Context.ObserverFailed(e);
        }

        return false;
    }

    /// <summary>Takes what may be delivered in one piece, so that writer and subscriber seldom meet at the
    /// lock.</summary>
    private int Take()
    {
        lock (_queueGate)
        {
            int count = _ended ? 0 : DeliverableCount();
            _undelivered = count;
            if (count == 0) return 0;
            if (_delivering.Length < count) _delivering = new ChangeSet?[_waiting.Length];
            if (count == _count)
            {
                (_waiting, _delivering) = (_delivering, _waiting);
            }
            else
            {
                Array.Copy(_waiting, _delivering, count);
                Array.Copy(_waiting, count, _waiting, 0, _count - count);
                Array.Clear(_waiting, _count - count, count);
            }

            _count -= count;
            return count;
        }
    }
}
