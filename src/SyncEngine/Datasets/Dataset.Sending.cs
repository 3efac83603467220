using SyncEngine.Causality;
using SyncEngine.Wire;

namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    /// <summary>
    /// What a peer with the given version lacks, built now: hand it out once <paramref name="revision"/> is durable. Null if
    /// the peer lacks nothing that is durable here, or so much that it should go in parts.
    /// </summary>
    /// <param name="known">What the peer has.</param>
    /// <param name="bytesMax">What takes more goes in parts.</param>
    /// <param name="revision">What must be durable before the frame is handed out.</param>
    /// <param name="to">What the peer has after it.</param>
    /// <param name="large">The transfer that should bring it in parts instead.</param>
    internal byte[]? TryEncode(
        VersionVector known, long bytesMax, out long revision, out VersionVector to,
        out (bool IsSnapshot, VersionVector Low, VersionVector High)? large)
    {
        lock (_gate)
        {
            (revision, to, large) = (_state.Revision, known, null);
            if (Version.IsAtMost(known)) return null;
            VersionVector visible = _state.Replicas.ToVector(_state.Replicas.Counters);
            long[] baseCounters = ListOutside(known, out bool isSnapshot);
            Exchanged?.Invoke();
            to = known.Join(visible);
            if (_state.TakesMoreThan(_outside, bytesMax))
            {
                large = (isSnapshot, _state.Replicas.ToVector(baseCounters), visible);
                return null;
            }

            FrameType type = isSnapshot ? FrameType.Snapshot : FrameType.Delta;
            return FrameWriter.WriteShared(Name, _state, baseCounters, _outside, type, packs: false, cutsLines: !isSnapshot);
        }
    }

    /// <summary>The next part of a transfer.</summary>
    /// <returns>Null if deletes were forgotten that the transfer does not cover: it must start anew.</returns>
    internal byte[]? EncodePart(
        bool isSnapshot, VersionVector low, VersionVector high, VersionVector peer, Dot after, int bytesMax,
        out PartHeader header, out long revision)
    {
        lock (_gate)
        {
            CheckHandsOut();
            (revision, header) = (_state.Revision, null!);
            if (!_state.Replicas.CollectedVector().IsAtMost(isSnapshot ? high : peer)) return null;
            long[] lowest = CountersOf(low), highest = CountersOf(high);
            _outside.Clear();
            Dot next = _state.ListPart(lowest, highest, after, bytesMax, _outside, out bool isLast);
            VersionVector seen = _state.Replicas.ToVector(_state.Replicas.Counters);
            header = new PartHeader(after, next, isLast, seen);
            return FrameWriter.WritePart(Name, _state, lowest, highest, _outside, isSnapshot, header);
        }
    }

    /// <summary>The delta that completes a transfer, though it may hold nothing: all cells with a dot outside the transfer's
    /// vector, those that the peer wrote itself too, for the parts left them out.</summary>
    /// <returns>Null if deletes were forgotten that the transfer does not cover: it must start anew.</returns>
    internal byte[]? EncodeCompleting(
        VersionVector high, VersionVector covered, out long revision, out VersionVector to)
    {
        lock (_gate)
        {
            (revision, to) = (_state.Revision, high);
            if (!_state.Replicas.CollectedVector().IsAtMost(covered)) return null;
            to = Seen;
            return EncodeDelta(high, packs: false, out revision);
        }
    }

    /// <summary>Whether a transfer that another session, or another peer, began can be gone on with from here.</summary>
    internal bool CanContinue(TransferMark mark, VersionVector peer)
    {
        lock (_gate)
        {
            return Reconciliation.Plan(_state.Replicas, mark.High, out _) is null
                && mark.High.ToVector().IsAtMost(mark.Seen)
                && mark.Seen.IsAtMost(_state.Replicas.ToVector(_state.Replicas.Counters))
                && _state.Replicas.CollectedVector().IsAtMost(mark.IsSnapshot ? mark.High.ToVector() : peer);
        }
    }
}
