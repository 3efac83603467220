using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Wire;

namespace SyncEngine.Sync;

internal sealed partial class SyncSession
{
    /// <summary>Bytes of parts on their way to the peer, for each dataset, before it must acknowledge some.</summary>
    private const int WindowParts = 4;

    private void OnAdvanced(Dataset dataset)
    {
        lock (_advanced) _advanced.Enqueue(dataset);
        Woken?.Invoke();
    }

    private Dataset? NextAdvanced()
    {
        lock (_advanced) return _advanced.Count > 0 ? _advanced.Dequeue() : null;
    }

    private byte[]? Produce(SessionChannel channel)
    {
        // A branch of a copied file was renamed here: the peer must follow before it is told of changes under the new name.
        if (channel.ToldRenames != channel.Dataset.Renames)
        {
            channel.Drop();
            TellVersion(channel);
            channel.Target = channel.Told;
            return _control.Dequeue();
        }

        if ((channel.IsKeptWaiting && !channel.Dataset.IsBusyFor(this))
            || (channel.ToldParts != channel.Dataset.PartsTaken && channel.Dataset.MarkFor(this) is not null))
        {
            channel.IsKeptWaiting = false;
            TellVersion(channel);
            return _control.Dequeue();
        }

        VersionVector durable = channel.Dataset.Version;
        if (channel.OwesAcknowledgement && channel.Peer.IsAtMost(durable))
        {
            channel.OwesAcknowledgement = false;
            channel.Told = durable;
            return MessageCodec.Write(new AcknowledgeMessage(channel.Dataset.Name, durable));
        }

        if (channel.IsRefused || !channel.IsPeerKnown) return null;
        try
        {
            if (!TryRestamp(channel)) return null;
            if (channel.Held is null) Hold(channel);
            if (channel.MissesChanges)
            {
                channel.MissesChanges = false;
                Progress.Refusals.Remove(channel.Dataset.Name);
                TellVersion(channel);
                return _control.Dequeue();
            }
        }
        catch (SyncException e) when (e.Code == SyncErrorCode.Damaged)
        {
            // The peer may bring what is missing here; after that there is something to give.
            if (channel.MissesChanges) return null;
            channel.MissesChanges = true;
            Progress.Refusals[channel.Dataset.Name] = e;
            return MessageCodec.Write(new RefuseMessage(channel.Dataset.Name, e.Code, e.Message));
        }
        catch (SyncException e)
        {
            channel.IsRefused = true;
            Progress.Refusals[channel.Dataset.Name] = e;
            return MessageCodec.Write(new RefuseMessage(channel.Dataset.Name, e.Code, e.Message));
        }

        // Nothing leaves before it is durable: a crash could use its dots again.
        if (channel.Held is not { } frame || channel.Dataset.DurableRevision < channel.HeldRevision) return null;
        channel.Held = null;
        if (!_options.TellsTime && _options.Guard is null) channel.Dataset.NoteShared();
        if (channel.HeldPart is { } part)
        {
            channel.Transfer!.OnSent(part, frame.Length);
            channel.HeldPart = null;
            return frame;
        }

        foreach (Dot dot in channel.HeldTo) Progress.ChangesSent += Math.Max(0, dot.Counter - channel.Sent[dot.Replica]);
        channel.Sent = channel.Sent.Join(channel.HeldTo);
        if (channel.Transfer is { } completed) completed.IsCompleted = true;
        return frame;
    }

    /// <summary>Builds the next frame for the peer, if there is one now.</summary>
    private void Hold(SessionChannel channel)
    {
        Dataset dataset = channel.Dataset;
        if (channel.Transfer is { } transfer && transfer.High.IsAtMost(channel.Peer)) channel.Transfer = null;
        if (channel.Transfer is { IsCompleted: false } running)
        {
            if (running.IsSent)
            {
                channel.Held = dataset.EncodeCompleting(
                    running.High, running.IsSnapshot ? running.High : channel.Peer, out channel.HeldRevision, out channel.HeldTo);
            }
            else
            {
                if (!running.HasRoom((long)WindowParts * _options.PartBytes)) return;
                channel.Held = dataset.EncodePart(running.IsSnapshot, running.Low, running.High, channel.Peer, running.Cursor,
                    _options.PartBytes, out PartHeader part, out channel.HeldRevision);
                if (channel.Held is not null) channel.HeldPart = part;
            }

            if (channel.Held is not null) return;

            // Deletes were forgotten here that the transfer does not cover: it starts anew.
            (channel.Transfer, channel.Sent) = (null, channel.Peer);
        }

        channel.Held = dataset.TryEncode(channel.Sent, (long)WindowParts * _options.PartBytes, out channel.HeldRevision,
            out channel.HeldTo, out (bool IsSnapshot, VersionVector Low, VersionVector High)? large);
        if (large is not { } begun) return;
        channel.Transfer = new OutgoingTransfer(begun.IsSnapshot, begun.Low, begun.High);
        Hold(channel);
    }

    /// <summary>Takes what a have tells of a transfer to the peer: acknowledges parts, or says where to go on.</summary>
    private static void TakeMark(
        SessionChannel channel, TransferMark? mark, bool isRenamed, VersionVector before, VersionVector theirs)
    {
        if (isRenamed) mark = null;
        if (channel.Transfer is { } running && !isRenamed && !running.High.IsAtMost(theirs))
        {
            if (mark is not null && running.IsMarkedBy(mark))
            {
                channel.Sent = mark.IsStuck ? theirs : channel.Sent.Join(theirs);
                if (mark.IsStuck) channel.DropHeld();
                running.Take(mark);
                return;
            }

            // Told before the first part came.
            if (mark is null && !running.HasArrived && theirs.Equals(before)) return;
        }

        channel.Drop();
        channel.Sent = theirs;
        if (mark is not null && channel.Dataset.CanContinue(mark, theirs)) channel.Transfer = new OutgoingTransfer(mark);
    }
}
