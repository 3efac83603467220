using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Storage;
using SyncEngine.Wire;

namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    private readonly List<StorageFault> _faults = [];
    private readonly List<LaterFrame> _laterFrames = [];

    /// <summary>
    /// Whether changes are missing that stood in a damaged part of the file. Reading and writing go on, deltas are
    /// refused until
    /// a peer has brought the changes again (any merge does) or <see cref="AcceptLoss"/> is called.
    /// </summary>
    public bool IsDamaged
    {
        get
        {
            lock (_gate) return _state.HasGaps;
        }
    }

    /// <summary>What was found damaged when the dataset was loaded.</summary>
    public IReadOnlyList<StorageFault> Faults => _faults;

    /// <summary>
    /// Gives up changes that stood in a damaged part of the file and that no peer can bring again: the dataset syncs
    /// again, as if
    /// they had been seen and were gone.
    /// </summary>
    public void AcceptLoss()
    {
        lock (_gate)
        {
            EnterLocked();
            _laterFrames.Clear();
            for (int i = 0; i < _state.Replicas.Count; i++)
            {
                long ceiling = _state.Replicas.Ceiling(i);
                if (_state.Replicas.Counter(i) < ceiling) _state.Replicas.SetCounter(i, ceiling);
            }

            CloseGaps();
            CompleteLocked(new ChangeOrigin(true, default));
        }
    }

    /// <summary>Reads the stored frames; called once, on the storage thread, before anyone else has the
    /// dataset.</summary>
    internal void Load(ISyncStorage storage, CancellationToken cancellationToken)
    {
        var loader = new Loader(this);
        storage.ReadFrames(Number, loader, cancellationToken);
        loader.Complete();
        var parts = new PartLoader(this);
        storage.ReadFrames(-Number, parts, cancellationToken);
        parts.Complete();
        LoadRefused(storage);
        _isShared = Context.Journal!.ReadRows(storage, SharedRow, null, 1).Count > 0;

        // A transfer builds on what was here when it began.
        if (_transfer is { Count: > 0 } && (_state.HasGaps || !_transfer.Low.IsAtMost(Seen))) DropTransfer();
    }

    private void CloseGaps()
    {
        // What was written after a damaged frame counts once what it builds on is there: as a delta it is merged.
        _state.HasGaps = true;
        for (int i = 0; i < _laterFrames.Count; i++)
        {
            if (!_laterFrames[i].From.IsAtMost(Seen)) continue;
            using DecodedFrame later = FrameReader.Read(_laterFrames[i].Frame, Loader.OwnFrames);
            _laterFrames.RemoveAt(i);
            i = -1;
            _state.JoinLater(later.Columns);
        }

        _state.HasGaps = false;
        for (int i = 0; i < _state.Replicas.Count; i++)
        {
            _state.HasGaps |= _state.Replicas.Ceiling(i) > _state.Replicas.Counter(i);
            ReadOnlySpan<Opening> line = _state.Replicas.LineOf(i);
            int openings = Line.LengthAt(line, _state.Replicas.Ceiling(i));
            if (openings < line.Length) _state.Replicas.SetLine(i, line[..openings].ToArray());
        }
    }

    /// <summary>A stored frame that came after a damaged one.</summary>
    private readonly record struct LaterFrame(VersionVector From, byte[] Frame);

    private sealed class Loader(Dataset dataset) : IFrameReader
    {
        // What was stored here was taken in before: bounds for strangers must not lock it away.
        public static readonly FrameLimits OwnFrames = new()
        {
            FrameBytesMax = int.MaxValue, ReplicasMax = int.MaxValue, EntriesMax = int.MaxValue,
        };

        private readonly CellState _state = dataset._state;
        private readonly Dictionary<ReplicaId, long> _wholeUpTo = [];
        private bool _damaged;
        private bool _lostPage;
        private StoredHeader? _header;
        private IReadOnlyList<(long, ulong)> _epochs = [];

        public void OnSnapshotPage(int page, ReadOnlyMemory<byte> frame)
        {
            dataset._snapshotBytes += frame.Length + FrameOverheadBytes;
            Replay(frame);
        }

        public void OnLogFrame(long sequence, ReadOnlyMemory<byte> frame)
        {
            dataset._sequence = sequence;
            dataset._logBytes += frame.Length + FrameOverheadBytes;
            Replay(frame);
        }

        public void OnDamaged(StorageFault fault)
        {
            dataset._faults.Add(fault);
            _damaged = true;
            dataset._holdsDamage |= fault.Sequence >= 0;
            _lostPage |= fault.IsSnapshotPage;
            if (!fault.IsSnapshotPage) dataset._sequence = Math.Max(dataset._sequence, fault.Sequence);
        }

        public void Complete()
        {
            _state.CompleteLoading();
            NoteGaps();
            dataset.CloseGaps();
            if (_header is not null)
            {
                dataset._epochs.AddRange(_epochs);
                dataset._clock.Observe(new HybridTimestamp(_header.Clock));
                _state.ForgottenRevision = Math.Max(_state.ForgottenRevision, _header.ForgottenRevision);

                // A copy, or a replica some of whose own changes are lost, must never count on under its old name.
                if (_header.Claim == dataset.Context.Claim && !_damaged && !_state.HasGaps && !_header.Own.IsNone)
                    _state.Own = _state.Replicas.Find(_header.Own);
            }

            if (dataset._snapshotBytes > 0) dataset._snapshotNotBelow = 2 * dataset._snapshotBytes;
            dataset._durableRevision = dataset._encodedRevision = dataset._toldRevision = _state.Revision;
        }

        private void Replay(ReadOnlyMemory<byte> frame)
        {
            using DecodedFrame decoded = FrameReader.Read(frame, OwnFrames);
            if (decoded.Stored is null || decoded.Dataset != dataset.Name)
                throw new SyncException(SyncErrorCode.Damaged, $"A frame that is stored for dataset {dataset.Name} "
                    + "is none of its own. Restore a backup, or sync a new file.");
            if (decoded.Stored.Epochs.Count > 0) _epochs = decoded.Stored.Epochs;
            if (_header is null || decoded.Stored.Revision >= _header.Revision) _header = decoded.Stored;
            if (_damaged) NoteWhole(decoded, frame);
            foreach (ReplicaId branch in _state.Load(
                decoded.Columns, decoded.Stored.Revision, decoded.RevisionsBelow, decoded.Stored.Lowered, _damaged))
            {
                // Names before and after a rename do not go together.
                _wholeUpTo[branch] = 0;
                dataset._laterFrames.Clear();
            }
        }

        /// <summary>After a damaged frame: up to where all is there. A frame that builds on more than that does not change it;
        /// one that a peer brought afterwards builds on it.</summary>
        private void NoteWhole(DecodedFrame decoded, ReadOnlyMemory<byte> bytes)
        {
            CellColumns frame = decoded.Columns;
            IReadOnlyList<ReplicaId> lowered = decoded.Stored!.Lowered;
            bool buildsOnMore = false;
            for (int i = 0; i < frame.Replicas.Length; i++)
            {
                ReplicaId id = frame.Replicas[i];
                int local = _state.Replicas.Find(id);
                long known = local < 0 ? 0 : _state.Replicas.Counter(local);
                if (lowered.Count > 0 && local < 0) _wholeUpTo[id] = 0;
                bool isLowered = lowered.Contains(id);
                if (frame.To[i] == 0 && !isLowered) continue;
                if (!_wholeUpTo.TryGetValue(id, out long whole)) whole = _lostPage ? 0 : known;
                buildsOnMore |= frame.Base[i] > whole;
                if (frame.Base[i] <= whole) whole = Math.Max(whole, frame.To[i]);
                if (isLowered) whole = Math.Min(whole, frame.To[i]);
                _wholeUpTo[id] = whole;
            }

            if (buildsOnMore) dataset._laterFrames.Add(new LaterFrame(BaseOf(frame), bytes.ToArray()));
        }

        private static VersionVector BaseOf(CellColumns frame) => new(Enumerable.Range(0, frame.Replicas.Length)
            .Where(i => frame.Base[i] > 0).Select(i => new Dot(frame.Replicas[i], frame.Base[i])));

        /// <summary>Lowers the vector to what is surely whole, so that a peer sends the rest again.</summary>
        private void NoteGaps()
        {
            var whole = new long[_state.Replicas.Count];
            for (int i = 0; i < whole.Length; i++)
            {
                if (!_wholeUpTo.TryGetValue(_state.Replicas.Id(i), out whole[i]))
                    whole[i] = _lostPage ? 0 : _state.Replicas.Counter(i);
                if (Line.LengthAt(_state.Replicas.LineOf(i), whole[i]) == 0) whole[i] = 0;
            }

            // What replaced others and is dropped leaves holes anywhere: a peer tells all of it again.
            if (_damaged && _state.HasBrokenLines) dataset._laterFrames.Clear();
            if (_damaged && _state.DropUnnamed(whole)) Array.Clear(whole, 0, whole.Length);
            var ceilings = new long[whole.Length];
            for (int cell = 0; cell < _state.Table.Bound; cell++)
            {
                if (!_state.Table.IsInUse(cell) || CellKinds.IsHeader(_state.Table[cell].Kind)) continue;
                foreach (EntryData entry in _state.EntriesOf(cell))
                    ceilings[entry.Replica] = Math.Max(ceilings[entry.Replica], entry.Counter);
            }

            for (int i = 0; i < whole.Length; i++)
            {
                if (!_state.IsLineBroken(i)) ceilings[i] = Math.Max(ceilings[i], _state.Replicas.Counter(i));
                ceilings[i] = Math.Max(ceilings[i], whole[i]);
                if (whole[i] < Math.Max(ceilings[i], _state.Replicas.Counter(i)))
                    _state.Replicas.SetGap(i, whole[i], ceilings[i]);
                if (_state.Replicas.Collected(i) > whole[i]) _state.Replicas.SetCollected(i, whole[i]);
            }
        }
    }
}
