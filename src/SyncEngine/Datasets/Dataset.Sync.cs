using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Wire;

namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    private readonly List<int> _outside = [];
    private VersionVector _version = VersionVector.Empty;
    private long _versionChanges;

    /// <summary>
    /// The dataset's version vector: for each replica the highest change that is here and durable. Tell it to a peer
    /// to get
    /// what is missing.
    /// </summary>
    public VersionVector Version
    {
        get
        {
            lock (_gate)
            {
                if (_versionChanges == _state.Replicas.Changes) return _version;
                _versionChanges = _state.Replicas.Changes;
                return _version = _state.Replicas.ToVector(
                    Context.Journal is null ? _state.Replicas.Counters : _state.Replicas.Durable);
            }
        }
    }

    /// <summary>The deletes that were forgotten here: a peer whose version does not cover it gets a snapshot.</summary>
    public VersionVector Collected
    {
        get
        {
            lock (_gate) return _state.Replicas.CollectedVector();
        }
    }

    /// <summary>
    /// What a peer with the given version lacks, as one frame: a delta, or a snapshot if the peer is behind the
    /// forgotten
    /// deletes. It is handed out once everything in it is durable here. Costs what changed, not what exists.
    /// </summary>
    /// <param name="since">The peer's version.</param>
    /// <param name="packs">Whether to pack the frame with Brotli: about a third smaller for text, and slower.</param>
    /// <param name="cancellationToken">Ends the wait for durability.</param>
    /// <exception cref="SyncException">Storage failed, or a damaged file misses changes that a peer must bring
    /// first.</exception>
    public async ValueTask<byte[]> DeltaAsync(
        VersionVector since, bool packs = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(since);
        NoteShared();
        byte[] frame = EncodeDelta(since, packs, out long revision);
        await WaitDurableAsync(revision, cancellationToken).ConfigureAwait(false);
        if (since.Count > 0) Exchanged?.Invoke();
        return frame;
    }

    /// <summary>All of the dataset as one frame, deletes included.</summary>
    /// <param name="packs">Whether to pack the frame with Brotli.</param>
    /// <param name="cancellationToken">Ends the wait for durability.</param>
    public ValueTask<byte[]> SnapshotAsync(bool packs = false, CancellationToken cancellationToken = default) =>
        DeltaAsync(VersionVector.Empty, packs, cancellationToken);

    /// <summary>Merges a delta or snapshot: whole, or not at all. Visible at once, durable with the next group
    /// commit.</summary>
    /// <exception cref="SyncException">
    /// The frame is malformed or from an unknown version, belongs to another dataset, or comes from a forked copy.
    /// Nothing
    /// changed.
    /// </exception>
    public JoinResult Join(ReadOnlyMemory<byte> frame)
    {
        using DecodedFrame decoded = FrameReader.Read(frame, Context.FrameLimits);
        return JoinChecked(decoded);
    }

    /// <summary>Merges a frame that was read.</summary>
    internal JoinResult JoinChecked(DecodedFrame decoded, IFrameJudge? judge = null)
    {
        if (decoded.Type is not (FrameType.Delta or FrameType.Snapshot))
            throw new SyncException(SyncErrorCode.Malformed, "The frame is no delta and no snapshot: ask the peer for one.", 0);
        if (decoded.Dataset != Name)
            throw new SyncException(SyncErrorCode.WrongDataset,
                $"The frame belongs to dataset {decoded.Dataset}, not to {Name}: join it there.", 0);
        JoinResult result = Join(decoded, judge);
        if (result.Outcome is JoinOutcome.Joined or JoinOutcome.AlreadyKnown) Exchanged?.Invoke();
        return result;
    }

    /// <summary>As <see cref="Join(ReadOnlyMemory{byte})"/>; the task completes when what it brought is durable.</summary>
    /// <param name="frame">A delta or snapshot.</param>
    /// <param name="cancellationToken">Ends the wait; the merge stays.</param>
    public async ValueTask<JoinResult> JoinAsync(
        ReadOnlyMemory<byte> frame, CancellationToken cancellationToken = default)
    {
        JoinResult result = Join(frame);
        if (result.Outcome != JoinOutcome.Gap)
            await WaitDurableAsync(result.Revision, cancellationToken).ConfigureAwait(false);
        return result;
    }

    /// <summary>
    /// Forgets the deletes that a version covers. Safe under any version; a peer that is behind gets a snapshot next
    /// time. Pass what every known peer has acknowledged. Nothing that can be read changes, so the revision stays.
    /// </summary>
    /// <returns>How many deletes were forgotten.</returns>
    public int ForgetDeletes(VersionVector acknowledged)
    {
        ArgumentNullException.ThrowIfNull(acknowledged);
        return Forget(state => state.CollectTombstones(acknowledged));
    }

    /// <summary>Forgets the deletes of what has not changed after a revision. As safe as any version.</summary>
    internal int ForgetDeletesThrough(long revision) => Forget(state => state.CollectTombstones(revision));

    /// <summary>Where there are more deletes than so many, or their keys and elements have more bytes, forgets those that came
    /// here first, and a quarter of the others along, so that the passes over all cells which that costs are rare.</summary>
    internal int ForgetSurplusDeletes(long most, long bytesMost) => Forget(state =>
        state.Tombstones <= most && state.TombstoneBytes <= bytesMost ? 0
            : state.CollectTombstones(state.RevisionOfTombstones(most - (most / 4), bytesMost - (bytesMost / 4))));

    private int Forget(Func<CellState, int> collect)
    {
        lock (_gate)
        {
            EnterLocked();
            int forgotten = collect(_state);
            if (forgotten == 0) return 0;
            _state.Settle();
            QueueForCommit();
            return forgotten;
        }
    }

    private JoinResult Join(DecodedFrame decoded, IFrameJudge? judge)
    {
        lock (_gate)
        {
            EnterLocked();
            RefuseBeyondLimits(decoded.Columns, judge);
            if (!_state.TryCompleteLines(decoded.Columns)) return new JoinResult(JoinOutcome.Gap, _state.Revision);
            IReadOnlyList<Rename> renames = [];
            JoinOutcome? completed = TryComplete(decoded.Columns, judge);
            JoinOutcome outcome = completed ?? _state.Join(decoded.Columns, out renames, judge);
            if (renames.Count > 0) NoteRenames(renames);
            if (outcome != JoinOutcome.Joined && renames.Count > 0) CompleteLocked(new ChangeOrigin(true, default));
            if (outcome is JoinOutcome.Gap or JoinOutcome.Refused) return new JoinResult(outcome, _state.Revision);
            if (outcome == JoinOutcome.Joined)
            {
                DropTransferIfCovered();
                _clock.Observe(decoded.Columns.LatestClock);
                if (_state.HasGaps) CloseGaps();
                CompleteLocked(new ChangeOrigin(true, OnlyReplica(decoded.Columns)));
            }
            else if (_state.Replicas.Changed.Count > 0)
            {
                QueueForCommit();
            }

            return new JoinResult(outcome, _state.Revision);
        }
    }

    /// <summary>Whether there is anything, durable already or not, that a peer with the given version lacks.</summary>
    internal bool HasMoreThan(VersionVector known)
    {
        lock (_gate) return !_state.Replicas.ToVector(_state.Replicas.Counters).IsAtMost(known);
    }

    /// <summary>Whether a delta builds on changes that are missing here.</summary>
    /// <exception cref="SyncException">It contradicts what is here, or goes beyond a limit.</exception>
    internal bool WouldLeaveGap(DecodedFrame frame)
    {
        lock (_gate)
        {
            RefuseBeyondLimits(frame.Columns);
            return !_state.TryCompleteLines(frame.Columns) || _state.WouldLeaveGap(frame.Columns);
        }
    }

    private byte[] EncodeDelta(VersionVector since, bool packs, out long revision)
    {
        lock (_gate)
        {
            revision = _state.Revision;
            long[] baseCounters = ListOutside(since, out bool isSnapshot);
            FrameType type = isSnapshot ? FrameType.Snapshot : FrameType.Delta;
            return FrameWriter.WriteShared(Name, _state, baseCounters, _outside, type, packs);
        }
    }

    /// <summary>Lists the cells that a delta for a peer holds, or a snapshot where the peer is behind forgotten
    /// deletes.</summary>
    private long[] ListOutside(VersionVector since, out bool isSnapshot)
    {
        CheckHandsOut();
        long[] baseCounters = CountersOf(since);
        isSnapshot = !_state.AllowsDelta(baseCounters);
        if (isSnapshot) Array.Clear(baseCounters, 0, baseCounters.Length);
        _outside.Clear();
        _state.ListCellsOutside(baseCounters, _outside);
        return baseCounters;
    }

    private void CheckHandsOut()
    {
        if (_inTransaction)
            throw new InvalidOperationException("A transaction may still fail: end it before handing out changes.");
        if (_state.HasGaps)
            throw new SyncException(SyncErrorCode.Damaged, $"Dataset {Name} misses changes that were in a damaged part "
                + "of its file. Merge a delta from a peer first, or accept the loss with AcceptLoss.");
    }

    private long[] CountersOf(VersionVector version)
    {
        var counters = new long[_state.Replicas.Count];
        for (int i = 0; i < counters.Length; i++)
            counters[i] = Math.Min(version[_state.Replicas.Id(i)], _state.Replicas.Counter(i));
        return counters;
    }

    private static ReplicaId OnlyReplica(CellColumns frame)
    {
        ReplicaId only = default;
        for (int i = 0; i < frame.Replicas.Length; i++)
        {
            if (frame.To[i] <= frame.Base[i]) continue;
            if (!only.IsNone) return default;
            only = frame.Replicas[i];
        }

        return only;
    }
}
