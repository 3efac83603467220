using SyncEngine.Causality;
using SyncEngine.Wire;

namespace SyncEngine.Sync;

/// <summary>A large delta or snapshot on its way to the peer in parts; a window bounds what is not acknowledged.</summary>
internal sealed class OutgoingTransfer(bool isSnapshot, VersionVector low, VersionVector high)
{
    private readonly Queue<(PartHeader Part, int Bytes)> _inFlight = new();
    private Dot _acknowledged;
    private bool _isAcknowledged;
    private long _inFlightBytes;

    /// <summary>Goes on where the receiver's mark stands.</summary>
    public OutgoingTransfer(TransferMark mark)
        : this(mark.IsSnapshot, mark.Low, mark.High.ToVector())
    {
        (_acknowledged, _isAcknowledged) = (mark.Cursor, mark.IsFinished);
        Rewind();
    }

    public bool IsSnapshot => isSnapshot;

    public VersionVector Low => low;

    public VersionVector High => high;

    /// <summary>Where the last part that was sent ended.</summary>
    public Dot Cursor { get; private set; }

    /// <summary>Whether all parts were sent.</summary>
    public bool IsSent { get; private set; }

    /// <summary>Whether the delta that completes the transfer was sent as well.</summary>
    public bool IsCompleted { get; set; }

    public bool HasRoom(long windowBytes) => _inFlightBytes < windowBytes;

    public bool IsInFlight => _inFlight.Count > 0;

    /// <summary>Whether a mark tells of this transfer.</summary>
    public bool IsMarkedBy(TransferMark mark) =>
        mark.IsSnapshot == isSnapshot && mark.Low.Equals(low) && mark.High.ToVector().Equals(high);

    /// <summary>Whether the receiver has any part of it, as far as known.</summary>
    public bool HasArrived => _acknowledged != default;

    public void OnSent(PartHeader part, int bytes)
    {
        (Cursor, IsSent) = (part.Next, part.IsLast);
        _inFlight.Enqueue((part, bytes));
        _inFlightBytes += bytes;
    }

    /// <summary>Takes what the receiver has; where that is stuck, sends on from there.</summary>
    public void Take(TransferMark mark)
    {
        if (PartHeader.IsBefore(_acknowledged, mark.Cursor)) (_acknowledged, _isAcknowledged) = (mark.Cursor, mark.IsFinished);
        while (_inFlight.Count > 0 && !PartHeader.IsBefore(mark.Cursor, _inFlight.Peek().Part.Next))
            _inFlightBytes -= _inFlight.Dequeue().Bytes;
        if (mark.IsStuck) Rewind();
    }

    /// <summary>Assumes that what is not acknowledged is lost.</summary>
    public void Rewind()
    {
        (Cursor, IsSent, IsCompleted) = (_acknowledged, _isAcknowledged, false);
        _inFlight.Clear();
        _inFlightBytes = 0;
    }
}
