using SyncEngine.Causality;
using SyncEngine.Cells;

namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    /// <summary>Reads several things of one moment: nobody writes meanwhile. It must be short and wait for nothing.</summary>
    internal T AtOneMoment<T>(Func<T> read)
    {
        lock (_gate) return read();
    }

    /// <summary>The keys of which something changed after a revision, deletes that are still known included, in no
    /// particular order. Costs a pass over all cells.</summary>
    internal IReadOnlyCollection<KeyState> KeysChangedAfter(long revision)
    {
        lock (_gate) return revision >= _state.Revision ? [] : ListChangedAfter(revision).Values;
    }

    /// <summary>The records of which something changed after a revision, deleted ones that are still known included, in no
    /// particular order. Costs a pass over all cells.</summary>
    internal List<RecordState> RecordsChangedAfter(long revision)
    {
        lock (_gate)
        {
            if (revision >= _state.Revision) return [];
            var found = new Dictionary<RecordName, long>();
            for (int cell = 0; cell < _state.Table.Bound; cell++)
            {
                ref CellData data = ref _state.Table[cell];
                if (data.Kind == 0 || data.IsEmpty || CellKinds.IsHeader(data.Kind) || data.Revision <= revision) continue;
                RecordName name = NameOf(cell);
                found[name] = Math.Max(found.GetValueOrDefault(name), data.Revision);
            }

            return [.. found.Select(record => new RecordState(
                record.Key, record.Value, ContainsRecord(this, record.Key.Key, record.Key.Kind)))];
        }
    }

    /// <summary>The record that a cell is, or is a part of.</summary>
    internal RecordName NameOf(int cell) => new(
        DatasetText.Decode(_state.Table.KeyOf(_state.Table[cell])), CellKinds.RecordOf(_state.Table[cell].Kind));

    /// <summary>As <see cref="KeysChangedAfter"/>, of a running transaction: what it wrote so far.</summary>
    internal IEnumerable<KeyState> KeysChangedIn(long revision)
    {
        lock (_gate) return ListChangedAfter(revision - 1).Values;
    }

    /// <summary>The revision that last changed a record of any kind under a key; 0 if nothing is known of it. In a
    /// transaction what it wrote counts.</summary>
    internal long RevisionOf(string key)
    {
        Span<byte> scratch = stackalloc byte[DatasetText.ScratchBytes];
        ReadOnlySpan<byte> text = DatasetText.Encode(key, scratch, nameof(key));
        long revision = 0;
        lock (_gate)
        {
            for (CellKind kind = CellKind.Register; kind <= CellKind.Min; kind++)
                revision = Math.Max(revision, RevisionIn(_state.Table.Find(kind, 0, text)));
            for (RecordKind kind = RecordKind.Set; kind <= RecordKind.List; kind++)
            {
                if (_state.Table.FindContainer(kind, text) is not { } container) continue;
                foreach (int member in container.Members) revision = Math.Max(revision, RevisionIn(member));
            }
        }

        return revision;
    }

    private Dictionary<string, KeyState> ListChangedAfter(long revision)
    {
        var found = new Dictionary<string, KeyState>(StringComparer.Ordinal);
        for (int cell = 0; cell < _state.Table.Bound; cell++)
        {
            ref CellData data = ref _state.Table[cell];
            if (data.Kind == 0 || data.IsEmpty || CellKinds.IsHeader(data.Kind) || data.Revision <= revision) continue;
            string key = DatasetText.Decode(_state.Table.KeyOf(data));
            var changed = new KeyState(key, data.Revision, LatestIn(cell));
            if (found.TryGetValue(key, out KeyState known))
            {
                changed = new KeyState(key, Math.Max(known.Revision, changed.Revision),
                    known.Time > changed.Time ? known.Time : changed.Time);
            }

            found[key] = changed;
        }

        return found;
    }

    private long RevisionIn(int cell) => cell < 0 || _state.Table[cell].IsEmpty ? 0 : _state.Table[cell].Revision;

    private HybridTimestamp LatestIn(int cell)
    {
        ulong latest = 0;
        foreach (EntryData entry in _state.EntriesOf(cell)) latest = Math.Max(latest, entry.Clock);
        return new HybridTimestamp(latest);
    }
}
