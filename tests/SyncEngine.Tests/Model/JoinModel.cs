namespace SyncEngine.Tests.Model;

/// <summary>One entry of a modelled cell; a null value is a delete.</summary>
internal readonly record struct ModelEntry(long Clock, object? Value);

/// <summary>One write as the log of all writes has it: the oracle of invariant I1.</summary>
internal sealed record LoggedWrite(string Key, HashSet<(int, long)> Supersedes, bool Deletes);

/// <summary>A modelled delta or snapshot.</summary>
internal sealed record ModelMessage(
    bool IsSnapshot, Dictionary<int, long> Base, Dictionary<int, long> To,
    Dictionary<string, Dictionary<(int, long), ModelEntry>> Cells, Dictionary<int, long> Collected);

/// <summary>
/// The executable specification of the dataset join, ported line by line: a version vector, cells of surviving entries and
/// a frontier of forgotten deletes, as plain dictionaries. Slow and simple on purpose: the engine is held against it.
/// </summary>
/// <remarks>Two rules come from the specification of copied files: a counter keeps an entry for each opening of the file,
/// and the base of a delta is cut down to the sender's own vector. As in the engine, a message that brings nothing new
/// only raises the frontier: a tombstone that the sender forgot may stay, and I1, which is checked at each step, holds
/// all the same.</remarks>
internal sealed class JoinModel(int id, Dictionary<(int, long), LoggedWrite> log)
{
    private long _clock;
    private long? _openedAt;

    public Dictionary<int, long> Vector { get; private set; } = [];

    public Dictionary<int, long> Collected { get; private set; } = [];

    public Dictionary<string, Dictionary<(int, long), ModelEntry>> Cells { get; } = [];

    public static bool Covers(Dictionary<int, long> vector, (int Replica, long Counter) dot) =>
        vector.GetValueOrDefault(dot.Replica) >= dot.Counter;

    public static bool IsAtMost(Dictionary<int, long> left, Dictionary<int, long> right) =>
        left.All(component => right.GetValueOrDefault(component.Key) >= component.Value);

    public static Dictionary<int, long> Join(Dictionary<int, long> left, Dictionary<int, long> right) =>
        left.Keys.Union(right.Keys).ToDictionary(
            replica => replica,
            replica => Math.Max(left.GetValueOrDefault(replica), right.GetValueOrDefault(replica)));

    /// <summary>The file was closed and opened again, or the clock jumped: counters start a new entry.</summary>
    public void Reopen() => _openedAt = null;

    public void Put(string key, object? value, long now) => Write(key, value, now, [.. Entries(key).Keys]);

    public bool Delete(string key, long now)
    {
        if (Entries(key).Values.All(entry => entry.Value is null)) return false;
        Put(key, null, now);
        return true;
    }

    public void Add(string key, long amount, long now)
    {
        long since = _openedAt ?? long.MaxValue;
        List<(int, long)> mine = Entries(key).Keys.Where(dot => dot.Item1 == id && dot.Item2 >= since).ToList();
        long total = mine.Sum(dot => Entries(key)[dot].Value is long was ? was : 0);
        Write(key, total + amount, now, mine);
    }

    public ModelMessage Delta(Dictionary<int, long> since)
    {
        bool whole = !IsAtMost(Collected, since);
        var cells = Cells
            .Where(cell => whole || cell.Value.Keys.Any(dot => !Covers(since, dot)))
            .ToDictionary(cell => cell.Key, cell => new Dictionary<(int, long), ModelEntry>(cell.Value));
        Dictionary<int, long> cut = since.Where(component => Vector.ContainsKey(component.Key))
            .ToDictionary(component => component.Key, component => Math.Min(component.Value, Vector[component.Key]));
        return new ModelMessage(whole, whole ? [] : cut, new(Vector), cells, new(Collected));
    }

    public bool Apply(ModelMessage message)
    {
        if (!IsAtMost(message.Base, Vector)) return false;
        if (IsAtMost(message.To, Vector))
        {
            Collected = Join(Collected, message.Collected);
            return true;
        }

        IEnumerable<string> keys = message.IsSnapshot ? message.Cells.Keys.Union(Cells.Keys) : message.Cells.Keys;
        foreach (string key in keys.ToList())
        {
            Dictionary<(int, long), ModelEntry> left = Entries(key), joined = [];
            Dictionary<(int, long), ModelEntry> right = message.Cells.GetValueOrDefault(key) ?? [];
            foreach (((int, long) dot, ModelEntry entry) in left)
                if (right.ContainsKey(dot) || !Covers(message.To, dot)) joined.Add(dot, entry);
            foreach (((int, long) dot, ModelEntry entry) in right)
                if (!left.ContainsKey(dot) && !Covers(Vector, dot)) joined.Add(dot, entry);
            foreach (ModelEntry entry in right.Values) _clock = Math.Max(_clock, entry.Clock);
            if (joined.Count > 0) Cells[key] = joined;
            else Cells.Remove(key);
        }

        Vector = Join(Vector, message.To);
        Collected = Join(Collected, message.Collected);
        return true;
    }

    public int Collect(Dictionary<int, long> bound)
    {
        int forgotten = 0;
        foreach (string key in Cells.Keys.ToList())
        {
            Dictionary<(int, long), ModelEntry> cell = Cells[key];
            foreach ((int Replica, long Counter) dot in cell.Keys.Where(dot => cell[dot].Value is null).ToList())
            {
                if (!Covers(bound, dot)) continue;
                cell.Remove(dot);
                forgotten++;
                Collected[dot.Replica] = Math.Max(Collected.GetValueOrDefault(dot.Replica), dot.Counter);
            }

            if (cell.Count == 0) Cells.Remove(key);
        }

        return forgotten;
    }

    /// <summary>Invariant I1: what stands is exactly what no covered write superseded.</summary>
    public bool IsSound()
    {
        var gone = new HashSet<(int, long)>();
        foreach (((int, long) dot, LoggedWrite write) in log)
            if (Covers(Vector, dot)) gone.UnionWith(write.Supersedes);
        var wanted = log.Where(write => Covers(Vector, write.Key) && !write.Value.Deletes && !gone.Contains(write.Key))
            .Select(write => (write.Value.Key, write.Key)).ToHashSet();
        var standing = Cells.SelectMany(cell => cell.Value
            .Where(entry => entry.Value.Value is not null).Select(entry => (cell.Key, entry.Key))).ToHashSet();
        return wanted.SetEquals(standing);
    }

    private Dictionary<(int, long), ModelEntry> Entries(string key) => Cells.GetValueOrDefault(key) ?? [];

    private void Write(string key, object? value, long now, List<(int, long)> superseded)
    {
        _clock = Math.Max(_clock + 1, now);
        long counter = Vector[id] = Vector.GetValueOrDefault(id) + 1;
        _openedAt ??= counter;
        if (!Cells.TryGetValue(key, out Dictionary<(int, long), ModelEntry>? cell)) Cells[key] = cell = [];
        foreach ((int, long) dot in superseded) cell.Remove(dot);
        cell[(id, counter)] = new ModelEntry(_clock, value);
        log[(id, counter)] = new LoggedWrite(key, [.. superseded], value is null);
    }
}
