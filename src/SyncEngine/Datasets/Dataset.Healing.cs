using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Wire;

namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    private long _encodedRenames;
    private long _durableRenames;

    /// <summary>What is durable here, with the lines of its replicas; the digest where nothing else is here.</summary>
    internal Lineage Tell(out ulong? digest)
    {
        lock (_gate)
        {
            ReadOnlySpan<long> counters = _state.Replicas.Counters, durable = _state.Replicas.Durable;
            digest = !_state.HasGaps && (Context.Journal is null || counters.SequenceEqual(durable)) ? _state.Digest : null;
            var told = new Lineage();
            foreach (Dot dot in Version)
            {
                ReadOnlySpan<Opening> line = _state.Replicas.LineOf(_state.Replicas.Find(dot.Replica));
                told.Add(dot.Replica, dot.Counter, line[..Line.LengthAt(line, dot.Counter)].ToArray());
            }

            // A peer must know under which names things stand beyond a gap, or it would not rename its branch of them.
            for (int i = 0; i < _state.Replicas.Count && _state.HasGaps; i++)
                if (_state.Replicas.Ceiling(i) > _state.Replicas.Counter(i))
                    told.TrySetBeyond(_state.Replicas.Id(i), _state.Replicas.Ceiling(i), _state.Replicas.LineOf(i).ToArray());

            return told;
        }
    }

    /// <summary>Brings this dataset and what a peer told to agree on what every dot means; renames branches of copied files
    /// in both.</summary>
    /// <param name="peer">What the peer told.</param>
    /// <param name="judge">Asked before anything is renamed here; null to ask nobody.</param>
    /// <exception cref="SyncException">The peer contradicts what is here, or may not rename. Nothing was changed.</exception>
    /// <returns>Whether anything was renamed on either side.</returns>
    internal bool Reconcile(Lineage peer, IFrameJudge? judge = null)
    {
        lock (_gate)
        {
            if (Reconciliation.Plan(_state.Replicas, peer, out _) is not { } plan) return false;
            RefuseRenames(plan.Here, judge);
            foreach (Rename rename in plan.There) peer.Apply(rename);
            if (plan.Here.Count > 0) EnterLocked();
            ApplyRenames(plan.Here);
            return true;
        }
    }

    /// <summary>How many branches of copied files were renamed here, durably, since the dataset was opened.</summary>
    internal long Renames
    {
        get
        {
            lock (_gate) return Context.Journal is null ? _state.Renames : _durableRenames;
        }
    }

    /// <summary>Whether there are renames, durable or not, beyond the given count.</summary>
    internal bool HasRenamesBeyond(long renames)
    {
        lock (_gate) return _state.Renames != renames;
    }

    private void RefuseRenames(List<Rename> renames, IFrameJudge? judge)
    {
        if (renames.Count > 0 && judge?.AllowsRenames(_state, renames) == false)
            throw new SyncException(SyncErrorCode.Unauthorized, judge.Reason);
    }

    private void ApplyRenames(List<Rename> renames)
    {
        if (renames.Count == 0) return;
        foreach (Rename rename in renames) _state.Apply(rename);
        NoteRenames(renames);
        CompleteLocked(new ChangeOrigin(true, default));
    }

    /// <summary>Has what is noted by replica follow the renames; a transfer to here starts again.</summary>
    private void NoteRenames(IReadOnlyList<Rename> renames)
    {
        DropTransfer();
        _laterFrames.Clear();
        foreach (Rename rename in renames)
        {
            int old = _state.Replicas.Find(rename.Replica);
            long before = rename.From.FirstCounter - 1;
            for (int i = 0; i < _inFlightCounters.Count; i++)
                if (_inFlightCounters[i].Replica == old && _inFlightCounters[i].Counter > before)
                    _inFlightCounters[i] = (old, before);
            foreach (Dot dot in _takenBack.Where(dot => dot.Replica == rename.Replica && dot.Counter > before).ToList())
            {
                _takenBack.Remove(dot);
                _takenBack.Add(new Dot(rename.To, dot.Counter));
            }
        }

        if (_state.HasGaps) CloseGaps();
    }

    /// <summary>Everything here, for a peer whose data differs though version and lines are the same. Null where something
    /// else is not durable yet.</summary>
    internal byte[]? TryEncodeHealing()
    {
        lock (_gate)
        {
            Tell(out ulong? digest);
            if (digest is null || _inTransaction) return null;
            _outside.Clear();
            _state.ListCellsOutside(new long[_state.Replicas.Count], _outside);
            return FrameWriter.WriteShared(Name, _state, [], _outside, FrameType.Heal, packs: false);
        }
    }

    /// <summary>
    /// Heals a divergence: keeps what both sides hold; each surviving write that only one holds stays, under a name made from
    /// its content, so that every healer comes to the same. Nothing happens where the frame does not tell this version or
    /// the data are the same.
    /// </summary>
    /// <returns>Whether anything was healed.</returns>
    internal bool Heal(DecodedFrame decoded, ReadOnlyMemory<byte> frame)
    {
        Divergence divergence;
        lock (_gate)
        {
            EnterLocked();
            RefuseBeyondLimits(decoded.Columns);
            if (!new Lineage(_state.Replicas).IsSameAs(new Lineage(decoded.Columns))) return false;
            byte[]? here = TryEncodeHealing();
            int limit = Context.FrameLimits.ReplicasMax - _state.Replicas.Count;
            if (here is null || _state.Heal(decoded.Columns, limit) == 0) return false;
            divergence = new Divergence(Name, Version, here, frame.ToArray());
            _stamp = 0;
            CompleteLocked(new ChangeOrigin(true, default));
        }

        Context.Diverged(divergence);
        return true;
    }
}
