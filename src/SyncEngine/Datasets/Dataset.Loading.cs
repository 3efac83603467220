using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Storage;
using SyncEngine.Wire;

namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    private readonly Dictionary<int, long> _gapCeilings = [];
    private readonly List<StorageFault> _faults = [];

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
            foreach (KeyValuePair<int, long> gap in _gapCeilings)
                if (_state.Replicas.Counter(gap.Key) < gap.Value) _state.Replicas.SetCounter(gap.Key, gap.Value);
            CloseGaps();
            NoteEpoch();
            _state.Complete();
            QueueForCommit();
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
    }

    private void CloseGaps()
    {
        foreach (int replica in _gapCeilings.Keys.ToList())
            if (_state.Replicas.Counter(replica) >= _gapCeilings[replica]) _gapCeilings.Remove(replica);
        _state.HasGaps = _gapCeilings.Count > 0;
    }

    private sealed class Loader(Dataset dataset) : IFrameReader
    {
        // What was stored here was taken in before: bounds for strangers must not lock it away.
        private static readonly FrameLimits _ownFrames = new()
        {
            FrameBytesMax = int.MaxValue, ReplicasMax = int.MaxValue, EntriesMax = int.MaxValue,
        };

        private readonly CellState _state = dataset._state;
        private readonly Dictionary<int, long> _wholeUpTo = [];
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
            _state.HasGaps = dataset._gapCeilings.Count > 0;
            if (_header is not null)
            {
                dataset._epochs.AddRange(_epochs);
                dataset._clock.Observe(new HybridTimestamp(_header.Clock));
                _state.ForgottenRevision = Math.Max(_state.ForgottenRevision, _header.ForgottenRevision);

                // A copy, or a replica some of whose own changes are lost, must never count on under its old name.
                if (_header.Claim == dataset.Context.Claim && !_damaged && !_state.HasGaps && !_header.Own.IsNone)
                    _state.Own = _state.Replicas.Find(_header.Own);
            }

            dataset._durableRevision = dataset._encodedRevision = _state.Revision;
        }

        private void Replay(ReadOnlyMemory<byte> frame)
        {
            using DecodedFrame decoded = FrameReader.Read(frame, _ownFrames);
            if (decoded.Stored is null || decoded.Dataset != dataset.Name)
                throw new SyncException(SyncErrorCode.Damaged, $"A frame that is stored for dataset {dataset.Name} "
                    + "is none of its own. Restore a backup, or sync a new file.");
            if (decoded.Stored.Epochs.Count > 0) _epochs = decoded.Stored.Epochs;
            if (_header is null || decoded.Stored.Revision >= _header.Revision) _header = decoded.Stored;
            foreach ((int replica, long counter) in _state.Load(
                decoded.Columns, decoded.Stored.Revision, decoded.RevisionsBelow, decoded.Stored.Lowered))
            {
                if (!_wholeUpTo.TryGetValue(replica, out long known) || counter < known) _wholeUpTo[replica] = counter;
            }
        }

        /// <summary>Lowers the vector to what is surely whole, so that a peer sends the rest again.</summary>
        private void NoteGaps()
        {
            var highest = new long[_state.Replicas.Count];
            for (int cell = 0; cell < _state.Table.Bound; cell++)
            {
                if (!_state.Table.IsInUse(cell) || CellKinds.IsHeader(_state.Table[cell].Kind)) continue;
                foreach (EntryData entry in _state.EntriesOf(cell))
                    highest[entry.Replica] = Math.Max(highest[entry.Replica], entry.Counter);
            }

            for (int i = 0; i < highest.Length; i++)
            {
                long whole = _lostPage ? 0 : _wholeUpTo.TryGetValue(i, out long known) ? known : _state.Replicas.Counter(i);
                long ceiling = Math.Max(highest[i], _state.Replicas.Counter(i));
                if (whole >= ceiling) continue;
                dataset._gapCeilings[i] = ceiling;
                _state.Replicas.SetCounter(i, whole);
                _state.Replicas.SetDurable(i, whole);
            }
        }
    }
}
