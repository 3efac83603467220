using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Wire;

namespace SyncEngine.Sync;

internal sealed partial class SyncSession
{
    /// <summary>How often in a row the peer may refuse, without anything to take back, before this side gives up until the next
    /// session.</summary>
    private const int RejectionsMax = 20;

    /// <summary>Merges a delta or snapshot; null where it was refused, and the peer told which writes and why.</summary>
    private PartOutcome? Merge(SessionChannel channel, DecodedFrame frame)
    {
        GuardedFrame? judge = JudgeOf(channel);
        JoinResult result = channel.Dataset.JoinChecked(frame, judge);
        if (judge?.Refusal is { } refusal)
        {
            if (refusal.Changes.Count == 0) throw new SyncException(refusal.Code, refusal.Reason);
            _control.Enqueue(MessageCodec.Write(new RejectMessage(
                frame.Dataset, refusal.Code, refusal.Reason, judge.Dots, judge.Cells)));
            return null;
        }

        if (result.Outcome == JoinOutcome.Joined) _options.Guard?.OnTaken(channel.Dataset, result.Revision);
        return result.Outcome == JoinOutcome.Gap ? PartOutcome.Gap : PartOutcome.Known;
    }

    private GuardedFrame? JudgeOf(SessionChannel channel) =>
        _options.Guard is { } guard ? new GuardedFrame(guard, channel.Dataset) : null;

    /// <summary>Whether anything was renamed; null where the peer may not have that, and was told.</summary>
    private bool? TryReconcile(SessionChannel channel, HaveMessage have)
    {
        try
        {
            return channel.Dataset.Reconcile(have.Version, JudgeOf(channel));
        }
        catch (SyncException e) when (e.Code == SyncErrorCode.Unauthorized)
        {
            channel.IsRefused = true;
            Progress.Refusals[have.Dataset] = e;
            _control.Enqueue(MessageCodec.Write(new RefuseMessage(have.Dataset, e.Code, e.Message)));
            return null;
        }
    }

    /// <summary>Tells the peer of a dataset that it may not have; it goes on with the others.</summary>
    private bool RefusesDataset(string name)
    {
        if (_options.Guard?.MayRead(name) != false) return false;
        _control.Enqueue(MessageCodec.Write(new RefuseMessage(
            name, SyncErrorCode.Unauthorized, _options.Guard.ReasonHidden(name))));
        return true;
    }

    /// <summary>Takes back the writes that the hub refused, keeps their values aside, and sends the rest.</summary>
    private void TakeReject(RejectMessage message)
    {
        if (_options.Guard is not null || !_channels.TryGetValue(message.Dataset, out SessionChannel? channel))
            throw Fault($"Writes to dataset {message.Dataset} were refused, of which nothing was sent.");
        using DecodedFrame theirs = FrameReader.Read(message.Cells, _limits);
        if (theirs.Dataset != message.Dataset) throw Fault("The refusal names one dataset and shows another.");
        bool writesAnew = message.Code == SyncErrorCode.ClockAhead
            && channel.Dataset.Restamp(channel.Peer, message.Dots, HubClock) > 0;
        if (writesAnew)
        {
            SendAnew(channel, channel.Rejections + 1);
            return;
        }

        var failure = new SyncException(message.Code, "The hub refused: " + message.Reason);
        Progress.Refusals[message.Dataset] = failure;
        bool takesBack = message.Code != SyncErrorCode.ClockAhead
            && channel.Dataset.TakeBack(message.Dots, theirs.Columns, message.Code, message.Reason);
        SendAnew(channel, takesBack ? 0 : channel.Rejections + 1);
    }

    private void SendAnew(SessionChannel channel, int rejections)
    {
        channel.Rejections = rejections;
        channel.IsRefused |= channel.Rejections > RejectionsMax;
        channel.Drop();
        channel.Sent = channel.Peer;
        Activate(channel);
    }
}
