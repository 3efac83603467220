namespace SyncEngine.Datasets;

/// <summary>
/// One subscriber's bounded queue of change sets, filled under the dataset's gate, so in order, and emptied by one work item
/// at a time. A subscriber that falls behind loses its queue and gets a resync; one that throws is unsubscribed.
/// </summary>
internal abstract class Subscription(Dataset dataset, bool durableOnly) : IDisposable
{
    private readonly object _queueGate = new();
    private ChangeSet?[] _ring = new ChangeSet?[16];
    private int _head;
    private int _count;
    private bool _running;
    private volatile bool _ended;
    private static readonly WaitCallback _pump = static subscription => ((Subscription)subscription!).Pump();

    protected Dataset Dataset => dataset;

    public bool DurableOnly => durableOnly;

    /// <summary>Appends a change set; called under the dataset's gate.</summary>
    public void Enqueue(ChangeSet changes, int queueMax)
    {
        lock (_queueGate)
        {
            if (_ended) return;
            if (_count >= queueMax)
            {
                Array.Clear(_ring, 0, _ring.Length);
                (_head, _count) = (0, 0);
                changes = changes.IsResync ? changes : new ChangeSet(
                    changes.Dataset, changes.Cursor, changes.Origin, [], isResync: true);
            }

            if (_count == _ring.Length) Grow();
            _ring[(_head + _count++) & (_ring.Length - 1)] = changes;
            if (_running || (durableOnly && !IsDeliverable())) return;
            _running = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(_pump, this);
    }

    /// <summary>More became durable: goes on with what waited for it.</summary>
    public void Wake()
    {
        lock (_queueGate)
        {
            if (_ended || _running || _count == 0 || !IsDeliverable()) return;
            _running = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(_pump, this);
    }

    public void Dispose()
    {
        lock (_queueGate)
        {
            _ended = true;
            Array.Clear(_ring, 0, _ring.Length);
            _count = 0;
        }

        dataset.Unsubscribe(this);
    }

    /// <summary>Ends the stream: the dataset is closed.</summary>
    public void Complete()
    {
        lock (_queueGate)
        {
            if (_ended) return;
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
    }

    protected abstract void Deliver(ChangeSet changes);

    protected abstract void OnCompleted();

    private bool IsDeliverable() => !durableOnly || _ring[_head]!.Revision <= dataset.DurableRevision;

    private void Pump()
    {
        while (true)
        {
            ChangeSet changes;
            lock (_queueGate)
            {
                if (_ended || _count == 0 || !IsDeliverable())
                {
                    _running = false;
                    return;
                }

                changes = _ring[_head]!;
                _ring[_head] = null;
                _head = (_head + 1) & (_ring.Length - 1);
                _count--;
            }

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

    private void Grow()
    {
        var larger = new ChangeSet?[_ring.Length * 2];
        for (int i = 0; i < _count; i++) larger[i] = _ring[(_head + i) & (_ring.Length - 1)];
        (_ring, _head) = (larger, 0);
    }
}
