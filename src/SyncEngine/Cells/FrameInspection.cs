using System.Text;
using SyncEngine.Causality;

namespace SyncEngine.Cells;

/// <summary>One cell that a frame would change.</summary>
/// <param name="Frame">The frame.</param>
/// <param name="Column">The cell's place in it; −1 for a cell that a snapshot drops by not holding it.</param>
/// <param name="Cell">The cell here; −1 if there is none.</param>
/// <param name="ChangesReading">Whether the cell would read otherwise.</param>
/// <param name="MakesRecord">Whether the cell's record has nothing to read now, and would.</param>
/// <param name="GrowthBytes">How many more bytes would be there to read.</param>
internal readonly record struct CellProposal(
    CellColumns Frame, int Column, int Cell, bool ChangesReading, bool MakesRecord, long GrowthBytes);

/// <summary>Decides whether a frame is merged; asked under the dataset's gate, when nothing has changed yet.</summary>
internal interface IFrameJudge
{
    bool Allows(FrameInspection inspection);
}

/// <summary>What frames would change, cell by cell, found without changing anything.</summary>
internal sealed class FrameInspection(CellState state)
{
    private readonly List<CellProposal> _changes = [];
    private readonly HashSet<string> _made = new(StringComparer.Ordinal);
    private readonly List<Survivor> _before = [];
    private readonly List<Survivor> _after = [];
    private readonly Dictionary<int, int> _liveDeltas = [];
    private int _singlesDropped;
    private long[] _covered = [];
    private long[] _known = [];
    private int[] _local = [];

    public CellState State => state;

    /// <summary>The cells that would change, in the frames' order.</summary>
    public IReadOnlyList<CellProposal> Changes => _changes;

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
                growth -= state.Table.Text(state.Table[container.Header]).Length;
            return growth;
        }
    }

    /// <summary>Replicas that nobody has named here yet.</summary>
    public int NewReplicas { get; private set; }

    /// <summary>The farthest that one replica would advance.</summary>
    public long AdvanceMax { get; private set; }

    /// <summary>The dots of a change that are not known here.</summary>
    public void AddDots(in CellProposal change, List<Dot> dots)
    {
        if (change.Column < 0) return;
        CellColumn column = change.Frame.Cells[change.Column];
        foreach (ref readonly EntryColumn entry in change.Frame.Entries.AsSpan(column.FirstEntry, column.EntryCount))
        {
            var dot = new Dot(change.Frame.Replicas[entry.Replica], entry.Counter);
            int local = state.Replicas.Find(dot.Replica);
            if (local < 0 || state.Replicas.Counter(local) < dot.Counter) dots.Add(dot);
        }
    }

    /// <summary>Looks at one frame, whose branches were renamed as here.</summary>
    public void Add(CellColumns frame)
    {
        Map(frame);
        HashSet<int>? seen = frame.IsSnapshot ? [] : null;
        for (int i = 0; i < frame.CellCount; i++)
        {
            int cell = Find(frame, frame.Cells[i]);
            if (cell >= 0) seen?.Add(cell);
            Look(frame, i, cell);
        }

        if (seen is null) return;
        for (int cell = 0; cell < state.Table.Bound; cell++)
        {
            if (!state.Table.IsInUse(cell) || CellKinds.IsHeader(state.Table[cell].Kind) || seen.Contains(cell)) continue;
            Look(frame, -1, cell);
        }
    }

    private IEnumerable<Container> ContainersDropped() => _liveDeltas
        .Select(delta => (Container: state.Table.ContainerAt(delta.Key)!, Delta: delta.Value))
        .Where(static known => known.Container.LiveCount > 0 && known.Container.LiveCount + known.Delta <= 0)
        .Select(static known => known.Container);

    private void Map(CellColumns frame)
    {
        int count = frame.Replicas.Length;
        (_local, _known) = (new int[count], new long[count]);
        _covered = new long[state.Replicas.Count];
        for (int i = 0; i < count; i++)
        {
            _local[i] = state.Replicas.Find(frame.Replicas[i]);
            if (_local[i] < 0) NewReplicas++;
            else (_known[i], _covered[_local[i]]) = (state.Replicas.Counter(_local[i]), frame.To[i]);
            AdvanceMax = Math.Max(AdvanceMax, frame.To[i] - _known[i]);
        }
    }

    private int Find(CellColumns frame, in CellColumn column)
    {
        ReadOnlySpan<byte> key = frame.Bytes(column.KeyAt, column.KeyLength);
        if (!CellKinds.HasField(column.Kind)) return state.Table.Find(column.Kind, 0, key);
        Container? container = state.Table.FindContainer(CellKinds.RecordOf(column.Kind), key);
        return container is null ? -1 : state.Table.Find(
            column.Kind, container.Number + 1, frame.Bytes(column.FieldAt, column.FieldLength));
    }

    private void Look(CellColumns frame, int index, int cell)
    {
        CellColumn column = index < 0 ? default : frame.Cells[index];
        Span<EntryColumn> incoming = frame.Entries.AsSpan(column.FirstEntry, column.EntryCount);
        _before.Clear();
        _after.Clear();
        bool changes = false;
        if (cell >= 0 && !state.Table[cell].IsEmpty)
        {
            foreach (EntryData entry in state.EntriesOf(cell))
            {
                bool goes = entry.Counter <= _covered[entry.Replica] && !Holds(incoming, entry);
                changes |= goes;
                if (entry.IsDeleted) continue;
                var survivor = new Survivor(entry.Clock, state.Replicas.Id(entry.Replica), entry.Counter, null, entry.ValueAt, 0);
                _before.Add(survivor);
                if (!goes) _after.Add(survivor);
            }
        }

        foreach (EntryColumn entry in incoming)
        {
            if (entry.Counter <= _known[entry.Replica]) continue;
            changes = true;
            if (entry.ValueLength == 0) continue;
            _after.Add(new Survivor(entry.Clock, frame.Replicas[entry.Replica], entry.Counter, frame, entry.ValueAt,
                entry.ValueLength));
        }

        if (!changes) return;
        CellKind kind = index < 0 ? state.Table[cell].Kind : column.Kind;
        (bool makesRecord, long growth) = Growth(frame, index, cell, kind);
        _changes.Add(new CellProposal(frame, index, cell, !ReadsSame(kind), makesRecord, growth));
    }

    private bool Holds(ReadOnlySpan<EntryColumn> incoming, in EntryData entry)
    {
        foreach (ref readonly EntryColumn other in incoming)
            if (other.Counter == entry.Counter && _local[other.Replica] == entry.Replica) return true;
        return false;
    }

    private bool ReadsSame(CellKind kind)
    {
        if (kind == CellKind.Counter) return Sum(_before) == Sum(_after);
        if (_before.Count == 0 || _after.Count == 0) return _before.Count == _after.Count;
        return kind switch
        {
            CellKind.SetElement => true,
            CellKind.Max or CellKind.Min => Extreme(kind, _before).SequenceEqual(Extreme(kind, _after)),
            _ => Latest(_before).SequenceEqual(Latest(_after)),
        };
    }

    private (bool MakesRecord, long Growth) Growth(CellColumns frame, int index, int cell, CellKind kind)
    {
        long growth = 0;
        foreach (Survivor survivor in _after) growth += ValueOf(survivor).Length;
        foreach (Survivor survivor in _before) growth -= ValueOf(survivor).Length;
        bool wasLive = _before.Count > 0, isLive = _after.Count > 0;
        if (wasLive == isLive || kind == CellKind.ListPlace) return (false, growth);
        CountRecord(frame, index, cell, kind, isLive);
        CellColumn column = index < 0 ? default : frame.Cells[index];
        int textLength = index < 0 ? state.Table.Text(state.Table[cell]).Length
            : CellKinds.HasField(kind) ? column.FieldLength : column.KeyLength;
        if (!isLive) return (false, growth - textLength);
        growth += textLength;
        if (!CellKinds.HasField(kind)) return (true, growth);
        ReadOnlySpan<byte> key = frame.Bytes(column.KeyAt, column.KeyLength);
        if (state.Table.FindContainer(CellKinds.RecordOf(kind), key) is { LiveCount: > 0 }) return (false, growth);

        // Each new record counts once, however many fields it begins with.
        bool isFirst = _made.Add((char)CellKinds.RecordOf(kind) + Encoding.UTF8.GetString(key));
        return (isFirst, isFirst ? growth + key.Length : growth);
    }

    private void CountRecord(CellColumns frame, int index, int cell, CellKind kind, bool isLive)
    {
        if (!CellKinds.HasField(kind))
        {
            if (!isLive) _singlesDropped++;
            return;
        }

        int container = cell >= 0 ? state.Table[cell].Owner - 1
            : state.Table.FindContainer(CellKinds.RecordOf(kind), KeyOf(frame, index))?.Number ?? -1;
        if (container < 0) return;
        _liveDeltas.TryGetValue(container, out int delta);
        _liveDeltas[container] = delta + (isLive ? 1 : -1);
    }

    private static ReadOnlySpan<byte> KeyOf(CellColumns frame, int index) =>
        frame.Bytes(frame.Cells[index].KeyAt, frame.Cells[index].KeyLength);

    private ReadOnlySpan<byte> ValueOf(Survivor survivor) => survivor.Frame is null
        ? state.Table.Slab.Read(survivor.ValueAt) : survivor.Frame.Bytes((int)survivor.ValueAt, survivor.ValueLength);

    private long Sum(List<Survivor> survivors)
    {
        long sum = 0;
        foreach (Survivor survivor in survivors)
        {
            Values.ValueScanner.TryReadInteger(ValueOf(survivor), out long total);
            sum = unchecked(sum + total);
        }

        return sum;
    }

    private ReadOnlySpan<byte> Extreme(CellKind kind, List<Survivor> survivors)
    {
        ReadOnlySpan<byte> extreme = default;
        foreach (Survivor survivor in survivors)
        {
            ReadOnlySpan<byte> value = ValueOf(survivor);
            if (extreme.IsEmpty || IsBeyond(kind, value, extreme)) extreme = value;
        }

        return extreme;
    }

    private static bool IsBeyond(CellKind kind, ReadOnlySpan<byte> value, ReadOnlySpan<byte> other)
    {
        int order = Values.ValueOrder.Compare(value, other);
        return kind == CellKind.Max ? order > 0 : order < 0;
    }

    private ReadOnlySpan<byte> Latest(List<Survivor> survivors)
    {
        Survivor latest = survivors[0];
        foreach (Survivor survivor in survivors)
            if (survivor.IsAfter(latest)) latest = survivor;
        return ValueOf(latest);
    }

    /// <summary>An entry with something to read, here or in a frame.</summary>
    private readonly record struct Survivor(
        ulong Clock, ReplicaId Replica, long Counter, CellColumns? Frame, long ValueAt, int ValueLength)
    {
        public bool IsAfter(in Survivor other) => Clock != other.Clock ? Clock > other.Clock
            : Replica != other.Replica ? Replica > other.Replica : Counter > other.Counter;
    }
}
