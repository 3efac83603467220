using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Values;

namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    /// <summary>Registers and fields where concurrent writes left different values, ordered by key and field.</summary>
    public IReadOnlyList<Conflict> Conflicts
    {
        get
        {
            lock (_gate)
            {
                var conflicts = new List<Conflict>();
                foreach (int cell in _state.Contested)
                    if (_state.Table.IsInUse(cell) && IsConflicted(cell)) conflicts.Add(ConflictOf(cell));
                conflicts.Sort(static (left, right) =>
                {
                    int order = string.CompareOrdinal(left.Key, right.Key);
                    return order != 0 ? order : string.CompareOrdinal(left.Field, right.Field);
                });
                return conflicts;
            }
        }
    }

    /// <summary>All records that have something to read, ordered by key and then kind, as a copy.</summary>
    public IReadOnlyList<RecordName> Records
    {
        get
        {
            var names = new List<RecordName>();
            lock (_gate)
            {
                for (int cell = 0; cell < _state.Table.Bound; cell++)
                {
                    ref CellData data = ref _state.Table[cell];
                    if (data.Kind == 0 || data.Owner != 0) continue;
                    bool live = CellKinds.IsHeader(data.Kind)
                        ? _state.Table.ContainerAt((int)data.First.Counter)!.LiveCount > 0
                        : _state.LiveEntryCount(cell) > 0;
                    if (live)
                        names.Add(new RecordName(DatasetText.Decode(_state.Table.Text(data)), CellKinds.RecordOf(data.Kind)));
                }
            }

            names.Sort();
            return names;
        }
    }

    /// <summary>
    /// Ends a conflict by writing a value, if nobody wrote there since the conflict was read.
    /// </summary>
    /// <returns>Whether it was written; otherwise read the conflicts anew.</returns>
    public bool Resolve(Conflict conflict, Value value)
    {
        ArgumentNullException.ThrowIfNull(conflict);
        lock (_gate)
        {
            EnterLocked();
            Span<byte> keyScratch = stackalloc byte[DatasetText.ScratchBytes];
            Span<byte> fieldScratch = stackalloc byte[DatasetText.ScratchBytes];
            CellKind kind = conflict.Kind == RecordKind.Map ? CellKind.MapField : CellKind.Register;
            ReadOnlySpan<byte> field = conflict.Field is null ? default
                : DatasetText.Encode(conflict.Field, fieldScratch, nameof(conflict));
            int cell = FindCell(kind, DatasetText.Encode(conflict.Key, keyScratch, nameof(conflict)), field, out _);
            if (cell < 0 || !HasExactly(cell, conflict)) return false;
            if (conflict.Field is null) this[conflict.Key] = value;
            else Map(conflict.Key)[conflict.Field] = value;
            return true;
        }
    }

    /// <summary>Every surviving write of a key, of any kind, and why the record reads as it does.</summary>
    public Explanation Explain(string key)
    {
        var cells = new List<ExplainedCell>();
        Span<byte> scratch = stackalloc byte[DatasetText.ScratchBytes];
        ReadOnlySpan<byte> text = DatasetText.Encode(key, scratch, nameof(key));
        lock (_gate)
        {
            for (CellKind kind = CellKind.Register; kind <= CellKind.Min; kind++)
            {
                int cell = _state.Table.Find(kind, 0, text);
                if (cell >= 0 && !_state.Table[cell].IsEmpty) cells.Add(ExplainCell(cell));
            }

            for (RecordKind kind = RecordKind.Set; kind <= RecordKind.List; kind++)
            {
                if (_state.Table.FindContainer(kind, text) is not { } container) continue;
                foreach (int cell in container.Members)
                    if (!_state.Table[cell].IsEmpty) cells.Add(ExplainCell(cell));
            }
        }

        return new Explanation(key, cells.ConvertAll(cell => Resolved(key, cell)));
    }

    /// <summary>A cell as its resolver shows it; the resolver is the app's code, so it runs outside the gate.</summary>
    private ExplainedCell Resolved(string key, ExplainedCell cell)
    {
        List<CompetingWrite> live = cell.Writes.Select(static write => write.Write)
            .Where(static write => !write.IsDeleted).Reverse().ToList();
        bool competes = live.Select(static write => write.Value).Distinct().Count() > 1
            && cell.Kind is RecordKind.Register or RecordKind.Map;
        if (Resolver is not { } resolver || !competes) return cell;
        Value shown = resolver(key, cell.Field, live);
        return shown.IsMissing ? cell : cell with
        {
            Value = shown, Reason = $"the dataset's resolver made it of {live.Count} concurrent writes",
        };
    }

    private bool HasExactly(int cell, Conflict conflict)
    {
        var seen = new HashSet<Dot>(conflict.Losers.Select(static loser => loser.Dot)) { conflict.Winner.Dot };
        return seen.SetEquals(LiveWrites(cell).Select(static write => write.Dot));
    }

    private Conflict ConflictOf(int cell)
    {
        ref CellData data = ref _state.Table[cell];
        string key = DatasetText.Decode(_state.Table.KeyOf(data));
        string? field = data.Owner == 0 ? null : DatasetText.Decode(_state.Table.Text(data));
        CompetingWrite[] writes = LiveWrites(cell);
        Array.Reverse(writes);
        return new Conflict(key, CellKinds.RecordOf(data.Kind), field, writes[0], writes[1..]);
    }

    private ExplainedCell ExplainCell(int cell)
    {
        ref CellData data = ref _state.Table[cell];
        var entries = new List<EntryData>();
        foreach (EntryData entry in _state.EntriesOf(cell)) entries.Add(entry);
        entries.Sort((left, right) => left.IsDeleted != right.IsDeleted ? left.IsDeleted.CompareTo(right.IsDeleted)
            : _state.IsLater(left, right) ? -1 : 1);
        Value shown = data.Kind == CellKind.SetElement && _state.LiveEntryCount(cell) > 0 ? ElementOf(cell) : ShownValue(cell);
        bool allCount = data.Kind is CellKind.Counter or CellKind.SetElement;
        var writes = new List<ExplainedWrite>();
        for (int i = 0; i < entries.Count; i++)
        {
            bool counts = !entries[i].IsDeleted && (allCount || (data.Kind is CellKind.Max or CellKind.Min
                ? _state.Table.ValueOf(entries[i]) == shown : i == 0));
            writes.Add(new ExplainedWrite(WriteOf(entries[i]), entries[i].Replica == _state.Own, counts));
        }

        string? field = data.Kind switch
        {
            CellKind.MapField => DatasetText.Decode(_state.Table.Text(data)),
            CellKind.SetElement => ElementOf(cell).ToString(),
            CellKind.ListValue or CellKind.ListPlace => BitConverter.ToString(_state.Table.Text(data).ToArray()),
            _ => null,
        };
        return new ExplainedCell(CellKinds.RecordOf(data.Kind), field, shown, ReasonFor(data.Kind, entries), writes);
    }

    private static string ReasonFor(CellKind kind, List<EntryData> entries)
    {
        int live = entries.Count(static entry => !entry.IsDeleted);
        if (live == 0) return "it was deleted, and nobody wrote it at the same time";
        string kept = entries.Count > live ? "; a concurrent delete lost to it, because an update wins" : "";
        return kind switch
        {
            CellKind.Counter => "the sum of one running total for each opening of a file that added" + kept,
            CellKind.Max => "the greatest number that was raised" + kept,
            CellKind.Min => "the least number that was lowered" + kept,
            CellKind.SetElement => "it was added, and no remover saw each of its additions" + kept,
            _ when live == 1 => "it is the only write that no other superseded" + kept,
            _ => $"of {live} concurrent writes it has the latest time, then the greatest replica id" + kept,
        };
    }
}
