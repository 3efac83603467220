using SyncEngine.Cells;
using SyncEngine.Storage;
using SyncEngine.Wire;

namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    private long _logBytes;
    private long _snapshotBytes;
    private long _inFlightBytes;
    private long _stagedBytes;
    private long _logBytesAtStart;
    private long _snapshotNotBelow;
    private long _firstKeptSequence;
    private int _page = -1;
    private int _nextCell;
    private bool _flipReady;
    private bool _holdsDamage;

    /// <summary>
    /// A snapshot pays once most of what is stored has been overwritten: then each byte is rewritten a fraction of
    /// once.
    /// </summary>
    bool IJournaled.WantsSnapshot
    {
        get
        {
            lock (_gate)
            {
                long live = _state.LiveBytes + 16L * (_state.LiveRecords + _state.Tombstones);

                // While changes are missing the old frames tell best what is.
                if (_holdsDamage || _state.HasGaps) return _holdsDamage && !_state.HasGaps;
                long most = (SnapshotFactor * live) + Context.SnapshotSlackBytes;
                return _logBytes + _snapshotBytes > Math.Max(_snapshotNotBelow, most);
            }
        }
    }

    /// <summary>
    /// Stages cells in the order of their indexes while writes go on: whatever changes meanwhile stands in a log frame
    /// that the
    /// flip keeps, and replaying that frame after the pages gives the state of the flip.
    /// </summary>
    bool IJournaled.StagePage(ISyncStorage storage)
    {
        byte[] frame;
        int page;
        lock (_gate)
        {
            if (_discarded) return false;
            if (_page < 0)
                (_page, _nextCell, _stagedBytes, _firstKeptSequence, _logBytesAtStart) = (0, 0, 0, _sequence + 1, _logBytes);
            var cells = new List<int>();
            long bytes = 0;
            for (; _nextCell < _state.Table.Bound && bytes < PageBytes; _nextCell++)
            {
                ref CellData data = ref _state.Table[_nextCell];
                if (data.Kind == 0 || data.IsEmpty || CellKinds.IsHeader(data.Kind)) continue;
                cells.Add(_nextCell);
                bytes += 16 + _state.Table.Text(data).Length + LiveValueBytes(_nextCell);
            }

            if (cells.Count == 0 && _page > 0)
            {
                _flipReady = true;
                return false;
            }

            frame = FrameWriter.WritePage(Name, _state, _page == 0, cells.ToArray(), HeaderNow(withEpochs: true));
            page = _page;
        }

        storage.StageSnapshotPage(Number, page, frame);
        lock (_gate)
        {
            _page++;
            _stagedBytes += frame.Length + FrameOverheadBytes;
            if (_nextCell < _state.Table.Bound) return true;
            _flipReady = true;
            return false;
        }
    }

    void IJournaled.AbandonSnapshot()
    {
        lock (_gate)
        {
            (_page, _flipReady) = (-1, false);
            _snapshotNotBelow = 2 * (_logBytes + _snapshotBytes);
        }
    }

    private void CompleteSnapshot()
    {
        _snapshotBytes = _stagedBytes;
        _holdsDamage = false;
        _logBytes -= _logBytesAtStart;

        // What does not shrink by a snapshot, such as keys of deleted records, must not ask for the next one at once.
        (_page, _flipReady, _snapshotNotBelow) = (-1, false, 2 * (_logBytes + _snapshotBytes));
    }

    /// <summary>Bytes of frames that are stored for the dataset.</summary>
    internal long StoredBytes
    {
        get
        {
            lock (_gate) return _logBytes + _snapshotBytes;
        }
    }
}
