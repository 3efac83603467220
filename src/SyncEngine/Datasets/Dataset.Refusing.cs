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

    private string RefusedPrefix => RowPrefixesOf(Number)[0];

    /// <summary>What the rows of a dataset begin with: those of its refused writes, and the one that tells that it was
    /// shared.</summary>
    internal static string[] RowPrefixesOf(int number)
    {
        string padded = number.ToString("D10", CultureInfo.InvariantCulture);
        return ["refused/" + padded + "/", "shared/" + padded];
    }

    /// <summary>Forgets refused writes that the app has dealt with.</summary>
    public void DismissRefused(params IReadOnlyCollection<RefusedWrite> writes)
    {
        ArgumentNullException.ThrowIfNull(writes);
        lock (_gate)
        {
            EnterLocked();
            var dismissed = new Dictionary<string, RefusedWrite>(StringComparer.Ordinal);
            foreach (RefusedWrite write in writes)
                if (write.Row is not null) dismissed[write.Row] = write;
            RemoveRefused(kept => dismissed.TryGetValue(kept.Row!, out RefusedWrite? write) && write == kept);
        }
    }

    /// <summary>Keeps aside what another dataset did, whose place this one takes; what is here already is not doubled.</summary>
    internal void TakeRefused(Dataset other)
    {
        IReadOnlyList<RefusedWrite> theirs = other.Refused;
        lock (_gate)
        {
            EnterLocked();
            HashSet<RefusedWrite> kept = [.. _refused.Select(static write => write with { Row = null })];
            Keep([.. theirs.Select(write => write with { Dataset = Name, Row = null }).Where(write => !kept.Contains(write))]);
        }
    }

    /// <summary>
    /// Takes back writes that a hub refused, so that everything else can go on, and keeps their values in
    /// <see cref="Refused"/>. What they had superseded here comes back as the hub shows it: under its own dots, so that it is
    /// no new write, a delete that somebody makes meanwhile takes it away, and no counter counts it twice.
    /// </summary>
    /// <param name="dots">The refused writes; none where what stands in the way is that cells of the hub are gone here without
    /// a trace, because deletes were forgotten.</param>
    /// <param name="theirs">The hub's state of the cells concerned.</param>
    /// <param name="code">Why.</param>
    /// <param name="reason">Why, in words.</param>
    /// <returns>Whether anything that an app wrote was taken back.</returns>
    internal bool TakeBack(IReadOnlyList<Dot> dots, CellColumns theirs, SyncErrorCode code, string reason)
    {
        var told = new List<RefusedWrite>();
        lock (_gate)
        {
            EnterLocked();
            if (dots.Count == 0) return Restore(theirs);
            var refused = new HashSet<Dot>(dots);
            Dictionary<int, int> cells = ListRefused(dots, theirs);
            if (cells.Count == 0) return false;
            foreach (int cell in cells.Keys) Note(cell, refused, code, reason, told);
            Keep(told);
            BeginWriting();
            if (_takenBack.Count > RefusedMax) _takenBack.Clear();
            foreach (KeyValuePair<int, int> cell in cells)
            {
                _state.TakeBack(cell.Key, refused, theirs, cell.Value, _now);
                _takenBack.Add(new Dot(_state.Replicas.Id(_state.Own), _state.Replicas.Counter(_state.Own)));
            }

            CompleteLocked(default);
        }

        foreach (RefusedWrite write in told) Context.WriteRefused(write);
        return told.Count > 0;
    }

    /// <summary>The cells in which refused writes stand, with their columns in what the hub shows.</summary>
    private Dictionary<int, int> ListRefused(IReadOnlyList<Dot> dots, CellColumns theirs)
    {
        var cells = new Dictionary<int, int>();
        foreach (Dot dot in dots)
        {
            int cell = _state.CellOf(dot);
            if (cell >= 0) cells[cell] = -1;
        }

        for (int i = 0; i < theirs.CellCount; i++)
        {
            int cell = _state.CellOf(theirs, i);
            if (cells.ContainsKey(cell)) cells[cell] = i;
        }

        return cells;
    }

    private bool Restore(CellColumns theirs)
    {
        int restored = 0;
        for (int i = 0; i < theirs.CellCount; i++) restored += _state.Restore(theirs, i);
        CompleteLocked(new ChangeOrigin(true, default));
        return restored > 0;
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
            if (!refused.Contains(dot) || _takenBack.Contains(dot) || _state.IsHealed(entry)) continue;
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
        foreach (RefusedWrite write in told)
        {
            string row = RefusedPrefix + (++_refusedSequence).ToString("D19", CultureInfo.InvariantCulture);
            byte[] bytes = write.Encode();

            // A value of its own, for one that looks into the dataset's memory would keep that alive.
            _refused.Add(RefusedWrite.Decode(Name, row, bytes));
            rows.Add(new KeyValuePair<string, byte[]?>(row, bytes));
        }

        Context.Journal?.SetRows(rows);
        if (_refused.Count <= RefusedMax) return;
        string firstKept = _refused[^RefusedMax].Row!;
        RemoveRefused(kept => string.CompareOrdinal(kept.Row, firstKept) < 0);
    }

    private void RemoveRefused(Predicate<RefusedWrite> isGone)
    {
        var rows = new List<KeyValuePair<string, byte[]?>>();
        _refused.RemoveAll(kept =>
        {
            bool goes = isGone(kept);
            if (goes) rows.Add(new KeyValuePair<string, byte[]?>(kept.Row!, null));
            return goes;
        });
        if (rows.Count > 0) Context.Journal?.SetRows(rows);
    }

    private void LoadRefused(ISyncStorage storage)
    {
        foreach (KeyValuePair<string, byte[]> row in Context.Journal!.ReadRows(storage, RefusedPrefix, null, RefusedMax))
        {
            _refused.Add(RefusedWrite.Decode(Name, row.Key, row.Value));
            _refusedSequence = long.Parse(row.Key.AsSpan(RefusedPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture);
        }
    }
}
