using SyncEngine.Causality;

namespace SyncEngine.Cells;

/// <summary>One cell that a frame would change.</summary>
/// <param name="Frame">The frame, or the part of a transfer that holds the cell.</param>
/// <param name="Column">The cell's place in it; −1 for a cell that a snapshot drops by not holding it.</param>
/// <param name="Cell">The cell here; empty if there was none.</param>
/// <param name="ChangesValues">Whether a value would come or go, shown or beneath the one that is shown. Deletes that take
/// nothing away change none.</param>
/// <param name="MakesLive">Whether the cell has nothing to read now, and would.</param>
/// <param name="MakesRecord">Whether the cell's record has nothing to read now, and would.</param>
/// <param name="GrowthBytes">How many more bytes would be there to read.</param>
internal readonly record struct CellProposal(
    CellColumns Frame, int Column, int Cell, bool ChangesValues, bool MakesLive, bool MakesRecord, long GrowthBytes);

/// <summary>A write that a frame would bring.</summary>
/// <param name="Dot">Which it is.</param>
/// <param name="Entry">What it is, in the frame.</param>
internal readonly record struct ProposedEntry(Dot Dot, EntryColumn Entry)
{
    /// <summary>How many bytes its value has; 0 for a delete.</summary>
    public int ValueLength => Entry.ValueLength;
}

/// <summary>How far a frame would advance a replica.</summary>
internal readonly record struct ReplicaAdvance(ReplicaId Replica, long From, long To);

/// <summary>Decides whether a frame is merged; asked under the dataset's gate, when nothing has changed yet.</summary>
internal interface IFrameJudge
{
    bool Allows(FrameInspection inspection);

    /// <summary>Why it said no, in words.</summary>
    string Reason { get; }

    /// <summary>Whether branches may be renamed here that the frame tells otherwise.</summary>
    bool AllowsRenames(CellState state, IReadOnlyList<Rename> renames);
}

/// <summary>What a frame, or a transfer in parts, would change, cell by cell, found without changing anything.</summary>
internal sealed class FrameInspection
{
    private readonly CellState _state;
    private readonly List<CellProposal> _changes = [];
    private readonly List<ReplicaAdvance> _advances = [];
    private readonly HashSet<int> _made = [];

    // The lengths of a cell's values before the merge and after it.
    private readonly List<int> _before = [];
    private readonly List<int> _after = [];
    private readonly Dictionary<int, int> _liveDeltas = [];
    private readonly long[] _covered;
    private int _singlesDropped;
    private long[] _known = [];
    private int[] _local = [];

    /// <summary>Begins with what the frame covers that ends the merge; its branches were renamed as here.</summary>
    public FrameInspection(CellState state, CellColumns covering)
    {
        (_state, _covered) = (state, new long[state.Replicas.Count]);
        Map(covering);
        for (int i = 0; i < covering.Replicas.Length; i++)
        {
            if (_local[i] < 0) NewReplicas++;
            else _covered[_local[i]] = covering.To[i];
            if (covering.To[i] > _known[i])
                _advances.Add(new ReplicaAdvance(covering.Replicas[i], _known[i], covering.To[i]));
        }
    }

    public CellState State => _state;

    /// <summary>The cells that would change, in the frames' order.</summary>
    public IReadOnlyList<CellProposal> Changes => _changes;

    /// <summary>The replicas that would advance, with or without a change of a cell.</summary>
    public IReadOnlyList<ReplicaAdvance> Advances => _advances;

    /// <summary>Replicas that nobody has named here yet.</summary>
    public int NewReplicas { get; }

    /// <summary>Records that would have nothing to read any more.</summary>
    public int RecordsDropped => _singlesDropped + ContainersDropped().Count();

    /// <summary>How many more bytes would be there to read, everything told.</summary>
    public long BytesGrown
    {
        get
        {
            long growth = 0;
            foreach (CellProposal change in _changes) growth += change.GrowthBytes;
            foreach (Container container in ContainersDropped())
                growth -= _state.Table.Text(_state.Table[container.Header]).Length;
            return growth;
        }
    }

    /// <summary>The writes of a change that are not known here.</summary>
    public IEnumerable<ProposedEntry> EntriesOf(CellProposal change)
    {
        if (change.Column < 0) yield break;
        CellColumn column = change.Frame.Cells[change.Column];
        for (int i = column.FirstEntry; i < column.FirstEntry + column.EntryCount; i++)
        {
            EntryColumn entry = change.Frame.Entries[i];
            var dot = new Dot(change.Frame.Replicas[entry.Replica], entry.Counter);
            int local = _state.Replicas.Find(dot.Replica);
            if (local < 0 || _state.Replicas.Counter(local) < dot.Counter) yield return new ProposedEntry(dot, entry);
        }
    }

    /// <summary>Looks at a frame's cells.</summary>
    /// <param name="frame">The frame, or a part of a transfer.</param>
    /// <param name="cells">For each of its cells the one here; −1 for one that a later frame replaces.</param>
    public void Add(CellColumns frame, ReadOnlySpan<int> cells)
    {
        Map(frame);
        for (int i = 0; i < frame.CellCount; i++)
            if (cells[i] >= 0) Look(frame, i, cells[i]);
    }

    /// <summary>Looks at what a snapshot drops: the cells that are not marked as named by it.</summary>
    public void AddAbsent(CellColumns snapshot)
    {
        for (int cell = 0; cell < _state.Table.Bound; cell++)
        {
            ref CellData data = ref _state.Table[cell];
            if (!_state.Table.IsInUse(cell) || CellKinds.IsHeader(data.Kind) || (data.Flags & CellFlags.InFrame) != 0) continue;
            Look(snapshot, -1, cell);
        }
    }

    private IEnumerable<Container> ContainersDropped() => _liveDeltas
        .Select(delta => (Container: _state.Table.ContainerAt(delta.Key)!, Delta: delta.Value))
        .Where(static known => known.Container.LiveCount > 0 && known.Container.LiveCount + known.Delta <= 0)
        .Select(static known => known.Container);

    private void Map(CellColumns frame)
    {
        int count = frame.Replicas.Length;
        (_local, _known) = (new int[count], new long[count]);
        for (int i = 0; i < count; i++)
        {
            _local[i] = _state.Replicas.Find(frame.Replicas[i]);
            if (_local[i] >= 0) _known[i] = _state.Replicas.Counter(_local[i]);
        }
    }

    private void Look(CellColumns frame, int index, int cell)
    {
        CellColumn column = index < 0 ? default : frame.Cells[index];
        Span<EntryColumn> incoming = frame.Entries.AsSpan(column.FirstEntry, column.EntryCount);
        _before.Clear();
        _after.Clear();
        bool changes = false, changesValues = false;
        foreach (EntryData entry in _state.EntriesOf(cell))
        {
            bool goes = entry.Counter <= _covered[entry.Replica] && !Holds(incoming, entry);
            changes |= goes;
            if (entry.IsDeleted) continue;
            changesValues |= goes;
            _before.Add(_state.Table.Slab.Read(entry.ValueAt).Length);
            if (!goes) _after.Add(_before[^1]);
        }

        foreach (EntryColumn entry in incoming)
        {
            if (entry.Counter <= _known[entry.Replica]) continue;
            if (_state.HasGaps && _local[entry.Replica] >= 0
                && _state.Table.Holds(cell, _local[entry.Replica], entry.Counter)) continue;
            changes = true;
            if (entry.ValueLength == 0) continue;
            changesValues = true;
            _after.Add(entry.ValueLength);
        }

        if (!changes) return;
        CellKind kind = _state.Table[cell].Kind;
        bool makesLive = _before.Count == 0 && _after.Count > 0;
        (bool makesRecord, long growth) = Growth(cell, kind);
        _changes.Add(new CellProposal(frame, index, cell, changesValues, makesLive, makesRecord, growth));
    }

    private bool Holds(ReadOnlySpan<EntryColumn> incoming, in EntryData entry)
    {
        foreach (ref readonly EntryColumn other in incoming)
            if (other.Counter == entry.Counter && _local[other.Replica] == entry.Replica) return true;
        return false;
    }

    private (bool MakesRecord, long Growth) Growth(int cell, CellKind kind)
    {
        long growth = 0;
        foreach (int length in _after) growth += length;
        foreach (int length in _before) growth -= length;
        bool wasLive = _before.Count > 0, isLive = _after.Count > 0;
        if (wasLive == isLive || kind == CellKind.ListPlace) return (false, growth);
        int textLength = _state.Table.Text(_state.Table[cell]).Length;
        if (!CellKinds.HasField(kind))
        {
            if (!isLive) _singlesDropped++;
            return (isLive, isLive ? growth + textLength : growth - textLength);
        }

        int container = _state.Table[cell].Owner - 1;
        _liveDeltas.TryGetValue(container, out int delta);
        _liveDeltas[container] = delta + (isLive ? 1 : -1);
        if (!isLive) return (false, growth - textLength);
        growth += textLength;
        if (_state.Table.ContainerAt(container)!.LiveCount > 0) return (false, growth);

        // Each new record counts once, however many fields it begins with.
        bool isFirst = _made.Add(container);
        return (isFirst, isFirst ? growth + _state.Table.KeyOf(_state.Table[cell]).Length : growth);
    }
}
