using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Values;

namespace SyncEngine.Cli.Demo;

/// <summary>
/// Remembers each write that a device acknowledged, and what its author had seen, to check at the end that none was
/// lost: each
/// must still be there, or be superseded by a write whose author had seen it.
/// </summary>
internal sealed class WriteLedger
{
    private readonly List<LedgerWrite> _writes = [];
    private readonly Dictionary<string, long> _sums = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Value>> _elements = new(StringComparer.Ordinal);
    private readonly List<string> _unexplained = [];
    private readonly Dictionary<string, List<string>> _story = new(StringComparer.Ordinal);

    /// <summary>How many changes were acknowledged.</summary>
    public int Count => _writes.Count;

    /// <summary>What each device did, in words, since the last call.</summary>
    public Dictionary<string, List<string>> TakeStory()
    {
        Dictionary<string, List<string>> story = new(_story, StringComparer.Ordinal);
        _story.Clear();
        return story;
    }

    /// <summary>Writes, waits until it is durable, and notes each change that it made.</summary>
    public async Task WriteAsync(DemoDevice device, string key, string words, Action<Transaction> write)
    {
        VersionVector seen = device.Save.Version;
        await device.Save.WriteAsync(write);
        long first = seen[device.Save.ReplicaId] + 1, last = device.Save.Version[device.Save.ReplicaId];
        int found = 0;
        foreach (ExplainedCell cell in device.Save.Explain(key).Cells)
        {
            foreach (ExplainedWrite explained in cell.Writes)
            {
                Dot dot = explained.Write.Dot;
                if (!device.Wrote(dot.Replica) || dot.Counter < first || dot.Counter > last) continue;
                _writes.Add(new LedgerWrite(device.Name, words, key, cell.Kind, cell.Field, dot, seen));
                found++;
            }
        }

        if (found != last - first + 1)
            _unexplained.Add($"{device.Name} {words}: {last - first + 1} changes were acknowledged, {found} are there");
        if (!_story.TryGetValue(device.Name, out List<string>? lines)) _story.Add(device.Name, lines = []);
        lines.Add(words);
    }

    public Task AddAsync(DemoDevice device, string key, long amount, string words)
    {
        _sums[key] = _sums.GetValueOrDefault(key) + amount;
        return WriteAsync(device, key, words, write => write.Counter(key).Add(amount));
    }

    public Task InsertAsync(DemoDevice device, string key, int index, string[] elements, string words)
    {
        if (!_elements.TryGetValue(key, out List<Value>? all)) _elements.Add(key, all = []);
        all.AddRange(elements.Select(static element => (Value)element));
        return WriteAsync(device, key, words, write =>
        {
            for (int i = 0; i < elements.Length; i++) write.List(key).Insert(index + i, elements[i]);
        });
    }

    public Task RemoveAsync(DemoDevice device, string key, Value element, string words)
    {
        _elements[key].Remove(element);
        return WriteAsync(device, key, words, write =>
            write.List(key).RemoveAt(write.List(key).ToArray().ToList().IndexOf(element)));
    }

    /// <summary>Every acknowledged write that a device lost, in words; and how many of the others are still
    /// there.</summary>
    public List<string> FindLost(DemoDevice device, out int kept)
    {
        var lost = new List<string>(_unexplained);
        kept = 0;
        foreach (LedgerWrite write in _writes)
        {
            bool isThere = device.Save.Explain(write.Key).Cells.Any(cell => write.IsIn(cell.Kind, cell.Field)
                && cell.Writes.Any(explained => explained.Write.Dot == write.Dot));
            if (isThere) kept++;
            bool isSuperseded = _writes.Any(later => later.Key == write.Key && write.IsIn(later.Kind, later.Field)
                && later.Seen.Covers(write.Dot));
            if (!device.Save.Version.Covers(write.Dot)) lost.Add($"{device.Name} never got: {write.Device} {write.Words}");
            else if (!isThere && !isSuperseded) lost.Add($"{device.Name} lost: {write.Device} {write.Words}");
        }

        foreach ((string key, long sum) in _sums)
        {
            long shown = device.Save.Counter(key).Value;
            if (shown != sum) lost.Add($"{device.Name} counts {shown} {key}, but {sum} were added");
        }

        foreach ((string key, List<Value> elements) in _elements)
        {
            IEnumerable<string> wanted = elements.Select(static e => e.ToString()).Order(StringComparer.Ordinal);
            IReadOnlyList<Value> shown = device.Save.List(key).ToArray();
            if (!wanted.SequenceEqual(shown.Select(static e => e.ToString()).Order(StringComparer.Ordinal)))
                lost.Add($"{device.Name} has in {key}: {string.Join(", ", shown)}, but not what was put in and left there");
        }

        return lost;
    }

    private sealed record LedgerWrite(
        string Device, string Words, string Key, RecordKind Kind, string? Field, Dot Dot, VersionVector Seen)
    {
        public bool IsIn(RecordKind kind, string? field) => kind == Kind && field == Field;
    }
}
