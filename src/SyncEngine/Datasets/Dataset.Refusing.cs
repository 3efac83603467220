using System.Globalization;
using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Storage;
using SyncEngine.Wire;

namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    private const int RefusedMax = 10_000;
    private readonly List<RefusedWrite> _refused = [];
    private long _refusedSequence;

    /// <summary>Writes that only took others back: no value of the app's.</summary>
    private readonly HashSet<Dot> _takenBack = [];

    /// <summary>
    /// Writes of this device that a hub did not take, oldest first, at most 10,000: the app decides what becomes of them.
    /// Kept in the file until they are dismissed.
    /// </summary>
    public IReadOnlyList<RefusedWrite> Refused
    {
        get
        {
            lock (_gate) return _refused.ToArray();
        }
    }

    private string RefusedPrefix => "refused/" + Number.ToString("D10", CultureInfo.InvariantCulture) + "/";

    /// <summary>Forgets refused writes that the app has dealt with.</summary>
    public void DismissRefused(params IReadOnlyCollection<RefusedWrite> writes)
    {
        ArgumentNullException.ThrowIfNull(writes);
        lock (_gate)
        {
            EnterLocked();
            foreach (RefusedWrite write in writes) Dismiss(write);
        }
    }

    /// <summary>Keeps aside what another dataset did, whose place this one takes; what is here already is not doubled.</summary>
    internal void TakeRefused(Dataset other)
    {
        IReadOnlyList<RefusedWrite> theirs = other.Refused;
        lock (_gate)
        {
            EnterLocked();
            Keep([.. theirs.Select(write => write with { Dataset = Name, Row = null })
                .Where(write => !_refused.Exists(kept => kept with { Row = null } == write))]);
        }
    }

    /// <summary>
    /// Takes back writes that a hub refused: writes what the hub shows in their place, so that everything else can go on,
    /// and keeps their values in <see cref="Refused"/>.
    /// </summary>
    /// <param name="dots">The refused writes.</param>
    /// <param name="theirs">The hub's state of the cells concerned.</param>
    /// <param name="code">Why.</param>
    /// <param name="reason">Why, in words.</param>
    /// <returns>How many cells were written.</returns>
    internal int Supersede(IReadOnlyList<Dot> dots, CellColumns theirs, SyncErrorCode code, string reason)
    {
        var told = new List<RefusedWrite>();
        int written = 0;
        lock (_gate)
        {
            EnterLocked();
            var refused = new HashSet<Dot>(dots);
            var cells = new List<int>();
            foreach (Dot dot in dots)
            {
                int cell = _state.CellOf(dot);
                if (cell < 0 || cells.Contains(cell)) continue;
                cells.Add(cell);
                Note(cell, refused, code, reason, told);
            }

            if (cells.Count == 0) return 0;
            Keep(told);
            BeginWriting();
            if (_takenBack.Count > RefusedMax) _takenBack.Clear();
            foreach (int cell in cells)
            {
                _state.Supersede(cell, refused, theirs, ColumnOf(theirs, cell), _now);
                _takenBack.Add(new Dot(_state.Replicas.Id(_state.Own), _state.Replicas.Counter(_state.Own)));
            }

            written = cells.Count;
            CompleteLocked(default);
        }

        foreach (RefusedWrite write in told) Context.WriteRefused(write);
        return written;
    }

    /// <summary>Some cells as they are here, for a peer that is to show the same in them.</summary>
    internal byte[] EncodeCells(IEnumerable<int> cells)
    {
        lock (_gate)
        {
            var listed = cells.ToList();
            return FrameWriter.WriteShared(Name, _state, new long[_state.Replicas.Count], listed, FrameType.Delta, packs: false);
        }
    }

    private void Note(int cell, HashSet<Dot> refused, SyncErrorCode code, string reason, List<RefusedWrite> told)
    {
        ref CellData data = ref _state.Table[cell];
        if (data.Kind == CellKind.ListPlace) return;
        foreach (EntryData entry in _state.EntriesOf(cell))
        {
            var dot = new Dot(_state.Replicas.Id(entry.Replica), entry.Counter);
            if (!refused.Contains(dot) || _takenBack.Contains(dot)) continue;
            Values.Value value = entry.IsDeleted ? default
                : data.Kind == CellKind.SetElement ? ElementOf(cell) : _state.Table.ValueOf(entry);
            told.Add(new RefusedWrite(Name, DatasetText.Decode(_state.Table.KeyOf(data)), CellKinds.RecordOf(data.Kind),
                data.Kind == CellKind.MapField ? DatasetText.Decode(_state.Table.Text(data)) : null, value, code, reason,
                Context.Time.GetUtcNow()));
        }
    }

    /// <summary>Written before the cells are: a crash in between leaves a note too many, never one too few.</summary>
    private void Keep(List<RefusedWrite> told)
    {
        var rows = new List<KeyValuePair<string, byte[]?>>();
        for (int i = 0; i < told.Count; i++)
        {
            string row = RefusedPrefix + (++_refusedSequence).ToString("D19", CultureInfo.InvariantCulture);
            _refused.Add(told[i] with { Row = row });
            rows.Add(new KeyValuePair<string, byte[]?>(row, told[i].Encode()));
        }

        Context.Journal?.SetRows(rows);
        while (_refused.Count > RefusedMax) Dismiss(_refused[0]);
    }

    private void Dismiss(RefusedWrite write)
    {
        if (_refused.RemoveAll(kept => kept.Row == write.Row && kept == write) == 0) return;
        Context.Journal?.SetRows([new KeyValuePair<string, byte[]?>(write.Row!, null)]);
    }

    private void LoadRefused(ISyncStorage storage)
    {
        foreach (KeyValuePair<string, byte[]> row in storage.ReadRows(RefusedPrefix, null, RefusedMax))
        {
            _refused.Add(RefusedWrite.Decode(Name, row.Key, row.Value));
            _refusedSequence = long.Parse(row.Key.AsSpan(RefusedPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture);
        }
    }

    private int ColumnOf(CellColumns frame, int cell)
    {
        ref CellData data = ref _state.Table[cell];
        for (int i = 0; i < frame.CellCount; i++)
        {
            ref CellColumn column = ref frame.Cells[i];
            if (column.Kind != data.Kind
                || !frame.Bytes(column.KeyAt, column.KeyLength).SequenceEqual(_state.Table.KeyOf(data))) continue;
            if (!CellKinds.HasField(column.Kind)
                || frame.Bytes(column.FieldAt, column.FieldLength).SequenceEqual(_state.Table.Text(data))) return i;
        }

        return -1;
    }
}
