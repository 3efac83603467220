using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Values;

namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    internal Value ReadRegister(Records reader, CellKind kind, string key, string? field)
    {
        Span<byte> keyScratch = stackalloc byte[DatasetText.ScratchBytes];
        ReadOnlySpan<byte> text = DatasetText.Encode(key, keyScratch, nameof(key));
        Span<byte> fieldScratch = stackalloc byte[field is null ? 0 : DatasetText.ScratchBytes];
        ReadOnlySpan<byte> fieldText = field is null ? default : DatasetText.Encode(field, fieldScratch, nameof(field));
        reader.CheckUsable();
        Value winner;
        Competition? competition;
        lock (_gate)
        {
            int cell = FindCell(kind, text, fieldText, out _);
            if (cell < 0 || !_state.TryGetWinner(cell, out EntryData entry)) return default;
            winner = _state.Table.ValueOf(entry);
            competition = CompetitionOf(cell, key, field);
        }

        return competition is null ? winner : competition.Resolve(winner);
    }

    internal long ReadCounter(Records reader, string key)
    {
        Span<byte> scratch = stackalloc byte[DatasetText.ScratchBytes];
        ReadOnlySpan<byte> text = DatasetText.Encode(key, scratch, nameof(key));
        reader.CheckUsable();
        lock (_gate)
        {
            int cell = _state.Table.Find(CellKind.Counter, 0, text);
            return cell < 0 ? 0 : SumOf(cell);
        }
    }

    internal Value ReadExtreme(Records reader, CellKind kind, string key)
    {
        Span<byte> scratch = stackalloc byte[DatasetText.ScratchBytes];
        ReadOnlySpan<byte> text = DatasetText.Encode(key, scratch, nameof(key));
        reader.CheckUsable();
        lock (_gate)
        {
            int cell = _state.Table.Find(kind, 0, text);
            return cell < 0 ? default : ExtremeOf(cell, kind);
        }
    }

    internal bool ContainsRecord(Records reader, string key, RecordKind kind)
    {
        Span<byte> scratch = stackalloc byte[DatasetText.ScratchBytes];
        ReadOnlySpan<byte> text = DatasetText.Encode(key, scratch, nameof(key));
        reader.CheckUsable();
        lock (_gate)
        {
            if (kind is RecordKind.Set or RecordKind.Map or RecordKind.List)
                return _state.Table.FindContainer(kind, text) is { LiveCount: > 0 };
            int cell = _state.Table.Find((CellKind)kind, 0, text);
            return cell >= 0 && _state.LiveEntryCount(cell) > 0;
        }
    }

    internal int CountOf(Records reader, RecordKind kind, string key)
    {
        Span<byte> scratch = stackalloc byte[DatasetText.ScratchBytes];
        ReadOnlySpan<byte> text = DatasetText.Encode(key, scratch, nameof(key));
        reader.CheckUsable();
        lock (_gate) return _state.Table.FindContainer(kind, text)?.LiveCount ?? 0;
    }

    internal bool ContainsElement(Records reader, string key, Value element)
    {
        Span<byte> scratch = stackalloc byte[DatasetText.ScratchBytes];
        ReadOnlySpan<byte> text = DatasetText.Encode(key, scratch, nameof(key));
        reader.CheckUsable();
        lock (_gate)
        {
            if (_state.Table.FindContainer(RecordKind.Set, text) is not { } set) return false;
            int cell = _state.Table.Find(CellKind.SetElement, set.Number + 1, element.Encoded);
            return cell >= 0 && _state.LiveEntryCount(cell) > 0;
        }
    }

    internal IReadOnlyList<Value> ReadSet(Records reader, string key)
    {
        reader.CheckUsable();
        lock (_gate)
        {
            if (FindContainer(RecordKind.Set, key) is not { } set) return [];
            List<int> cells = LiveMembers(set, CellKind.SetElement);
            return cells.ConvertAll(ElementOf);
        }
    }

    internal IReadOnlyList<KeyValuePair<string, Value>> ReadMap(Records reader, string key)
    {
        reader.CheckUsable();
        var fields = new List<(string Field, Value Winner, Competition? Competition)>();
        lock (_gate)
        {
            if (FindContainer(RecordKind.Map, key) is not { } map) return [];
            foreach (int cell in LiveMembers(map, CellKind.MapField))
            {
                string field = DatasetText.Decode(_state.Table.Text(_state.Table[cell]));
                _state.TryGetWinner(cell, out EntryData entry);
                fields.Add((field, _state.Table.ValueOf(entry), CompetitionOf(cell, key, field)));
            }
        }

        return fields.ConvertAll(static f =>
            KeyValuePair.Create(f.Field, f.Competition is null ? f.Winner : f.Competition.Resolve(f.Winner)));
    }

    internal IReadOnlyList<Value> ReadList(Records reader, string key)
    {
        reader.CheckUsable();
        lock (_gate)
        {
            return FindContainer(RecordKind.List, key) is not { } list ? [] : OrderOf(list).ConvertAll(ShownValue);
        }
    }

    internal Value ReadElement(Records reader, string key, int index)
    {
        reader.CheckUsable();
        lock (_gate)
        {
            Container? list = FindContainer(RecordKind.List, key);
            CheckIndex(index, list?.LiveCount ?? 0, nameof(index));
            return ShownValue(OrderOf(list!)[index]);
        }
    }

    private Container? FindContainer(RecordKind kind, string key)
    {
        Span<byte> scratch = stackalloc byte[DatasetText.ScratchBytes];
        return _state.Table.FindContainer(kind, DatasetText.Encode(key, scratch, nameof(key)));
    }

    /// <summary>A container's live cells of one kind, ordered by their field's bytes.</summary>
    private List<int> LiveMembers(Container container, CellKind kind)
    {
        var cells = new List<int>(container.LiveCount);
        foreach (int cell in container.Members)
            if (_state.Table[cell].Kind == kind && _state.LiveEntryCount(cell) > 0) cells.Add(cell);
        cells.Sort((left, right) =>
            _state.Table.Text(_state.Table[left]).SequenceCompareTo(_state.Table.Text(_state.Table[right])));
        return cells;
    }

    private Value ElementOf(int cell)
    {
        byte[] buffer = _state.Table.Slab.Locate(_state.Table[cell].TextAt, out int offset, out int length);
        return new Value(buffer, offset, length);
    }

    /// <summary>What a cell of any kind reads as, without a resolver; missing if it shows nothing.</summary>
    private Value ShownValue(int cell)
    {
        CellKind kind = _state.Table[cell].Kind;
        if (kind == CellKind.Counter) return _state.LiveEntryCount(cell) == 0 ? default : SumOf(cell);
        if (kind is CellKind.Max or CellKind.Min) return ExtremeOf(cell, kind);
        return _state.TryGetWinner(cell, out EntryData winner) ? _state.Table.ValueOf(winner) : default;
    }

    private long SumOf(int cell)
    {
        long sum = 0;
        foreach (EntryData entry in _state.EntriesOf(cell))
            if (!entry.IsDeleted) sum = unchecked(sum + _state.CounterValue(entry));
        return sum;
    }

    private Value ExtremeOf(int cell, CellKind kind)
    {
        Value extreme = default;
        foreach (EntryData entry in _state.EntriesOf(cell))
        {
            if (entry.IsDeleted) continue;
            Value candidate = _state.Table.ValueOf(entry);
            if (extreme.IsMissing || GoesBeyond(kind, candidate.Encoded, extreme.Encoded)) extreme = candidate;
        }

        return extreme;
    }

    private static bool GoesBeyond(CellKind kind, ReadOnlySpan<byte> candidate, ReadOnlySpan<byte> extreme)
    {
        int order = ValueOrder.Compare(candidate, extreme);
        return kind == CellKind.Max ? order > 0 : order < 0;
    }

    /// <summary>What the resolver needs to choose, where there is one and different values compete.</summary>
    private Competition? CompetitionOf(int cell, string key, string? field)
    {
        ConflictResolver? resolver = Resolver;
        if (resolver is null || !IsConflicted(cell)) return null;
        return new Competition(resolver, key, field, LiveWrites(cell));
    }

    /// <summary>Whether live entries of a register or field have different values.</summary>
    private bool IsConflicted(int cell)
    {
        ref CellData data = ref _state.Table[cell];
        if (data.IsEmpty || data.First.Next == EntryData.None) return false;
        if (data.Kind is not (CellKind.Register or CellKind.MapField)) return false;
        Value first = default;
        foreach (EntryData entry in _state.EntriesOf(cell))
        {
            if (entry.IsDeleted) continue;
            Value value = _state.Table.ValueOf(entry);
            if (first.IsMissing) first = value;
            else if (first != value) return true;
        }

        return false;
    }

    /// <summary>The live entries of a cell, earliest first.</summary>
    private CompetingWrite[] LiveWrites(int cell)
    {
        var entries = new List<EntryData>();
        foreach (EntryData entry in _state.EntriesOf(cell))
            if (!entry.IsDeleted) entries.Add(entry);
        entries.Sort((left, right) => _state.IsLater(left, right) ? 1 : _state.IsLater(right, left) ? -1 : 0);
        return entries.ConvertAll(entry => WriteOf(entry)).ToArray();
    }

    private CompetingWrite WriteOf(in EntryData entry) => new(
        _state.Table.ValueOf(entry), new Dot(_state.Replicas.Id(entry.Replica), entry.Counter),
        new HybridTimestamp(entry.Clock));
}
