using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Wire;

namespace SyncEngine.Sync;

internal sealed partial class SyncSession
{
    /// <summary>How often in a row the peer may refuse writes before this side gives up until the next session.</summary>
    private const int RejectionsMax = 20;

    /// <summary>Merges a delta or snapshot; null where it was refused, and the peer told which writes and why.</summary>
    private PartOutcome? Merge(SessionChannel channel, DecodedFrame frame)
    {
        GuardedFrame? judge = _options.Guard is { } guard ? new GuardedFrame(guard, channel.Dataset) : null;
        JoinResult result = channel.Dataset.JoinChecked(frame, judge);
        if (judge?.Refusal is { } refusal)
        {
            if (judge.Dots.Count == 0) throw new SyncException(refusal.Code, refusal.Reason);
            _control.Enqueue(MessageCodec.Write(new RejectMessage(
                frame.Dataset, refusal.Code, refusal.Reason, judge.Dots, judge.Cells)));
            return null;
        }

        if (result.Outcome == JoinOutcome.Joined) _options.Guard?.OnTaken(channel.Dataset, result.Revision);
        return result.Outcome == JoinOutcome.Gap ? PartOutcome.Gap : PartOutcome.Known;
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
        var failure = new SyncException(message.Code, "The hub refused: " + message.Reason);
        Progress.Refusals[message.Dataset] = failure;
        channel.IsRefused |= ++channel.Rejections > RejectionsMax;
        if (!channel.IsRefused) channel.Dataset.Supersede(message.Dots, theirs.Columns, message.Code, message.Reason);
        channel.Drop();
        channel.Sent = channel.Peer;
        Activate(channel);
    }
}
