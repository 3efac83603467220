using System.Threading.Channels;

namespace SyncEngine.Hub.Push;

/// <summary>
/// The changes of one identity as one subscriber hears them, in order. Holds a bounded number; when more come, they are dropped
/// and a resync takes their place. One reader at a time.
/// </summary>
internal sealed class ChangeSubscription : IDisposable
{
    private readonly Action<ChangeSubscription> _leave;
    private readonly Channel<ChangeNotice> _queue;
    private readonly string? _exceptDevice;
    private int _lost;

    public ChangeSubscription(string? exceptDevice, int capacity, Action<ChangeSubscription> leave)
    {
        _exceptDevice = exceptDevice;
        _leave = leave;
        _queue = Channel.CreateBounded<ChangeNotice>(
            new BoundedChannelOptions(capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    }

    /// <summary>Waits until something can be read; false once the hub ended and nothing is left.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken = default) =>
        _queue.Reader.WaitToReadAsync(cancellationToken);

    /// <summary>Takes the next notice, if one is there.</summary>
    public bool TryRead(out ChangeNotice notice)
    {
        if (Interlocked.Exchange(ref _lost, 0) == 0) return _queue.Reader.TryRead(out notice);
        while (_queue.Reader.TryRead(out _))
        {
            // A resync covers all that waited before it.
        }

        notice = ChangeNotice.Resync;
        return true;
    }

    /// <summary>Waits for the next notice and takes it; null once the hub ended.</summary>
    public async ValueTask<ChangeNotice?> ReadAsync(CancellationToken cancellationToken = default)
    {
        while (await WaitAsync(cancellationToken).ConfigureAwait(false))
            if (TryRead(out ChangeNotice notice)) return notice;
        return null;
    }

    public void Dispose() => _leave(this);

    internal void Tell(in HubChange change, long feedSequence)
    {
        if (change.DeviceId is not null && change.DeviceId == _exceptDevice) return;
        Write(new ChangeNotice(false, change.Dataset, change.Revision, feedSequence));
    }

    internal void TellResync() => Write(ChangeNotice.Resync);

    internal void End() => _queue.Writer.TryComplete();

    private void Write(in ChangeNotice notice)
    {
        if (_queue.Writer.TryWrite(notice)) return;
        Volatile.Write(ref _lost, 1);

        // The reader may have emptied the queue meanwhile and be waiting; if not, it sees the mark at its next read.
        _queue.Writer.TryWrite(ChangeNotice.Resync);
    }
}
