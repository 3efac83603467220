namespace SyncEngine.Tests.Model;

/// <summary>What a modelled vector says: counters and lines. Base of replicas, deltas and requests, so that all can be
/// renamed.</summary>
internal class HealKnown
{
    public Dictionary<string, long> Vector { get; set; } = [];

    public Dictionary<string, List<(long First, string Stamp)>> Line { get; set; } = [];

    public Dictionary<string, long> Base { get; set; } = [];

    public Dictionary<string, long> Collected { get; set; } = [];

    public Dictionary<string, Dictionary<(string Id, long Counter), (long Clock, object? Value)>> Cells { get; set; } = [];

    public string? Id { get; set; }

    public static bool Covers(Dictionary<string, long> vector, (string Id, long Counter) dot) =>
        vector.GetValueOrDefault(dot.Id) >= dot.Counter;

    public static bool IsAtMost(Dictionary<string, long> left, Dictionary<string, long> right) =>
        left.All(component => right.GetValueOrDefault(component.Key) >= component.Value);

    /// <summary>Before anything is compared, sent or joined: rename until the two agree on what every dot means.</summary>
    public static int Reconcile(HealKnown a, HealKnown b)
    {
        for (int renames = 0; ; renames++)
        {
            if (renames > 1000) throw new InvalidOperationException("Renames do not end.");
            if ((Fork(a, b) ?? Elsewhere(a, b) ?? Elsewhere(b, a)) is not { } found) return renames;
            found.Side.Rename(found.Replica, found.Index);
        }
    }

    public void CopyKnownFrom(HealKnown other)
    {
        Vector = new(other.Vector);
        Line = other.Line.ToDictionary(line => line.Key, line => line.Value.ToList());
        Base = new(other.Base);
        Collected = new(other.Collected);
        Cells = other.Cells.ToDictionary(cell => cell.Key, cell => new Dictionary<(string, long), (long, object?)>(cell.Value));
        Id = other.Id;
    }

    private void Rename(string replica, int index)
    {
        (long first, string renamed) = Line[replica][index];
        long fork = first - 1;
        Line[renamed] = Line[replica][index..];
        Line[replica] = Line[replica][..index];
        foreach (Dictionary<string, long> vector in new[] { Vector, Base, Collected })
        {
            if (vector.GetValueOrDefault(replica) <= fork) continue;
            vector[renamed] = vector[replica];
            vector[replica] = fork;
            if (fork == 0) vector.Remove(replica);
        }

        if (Line[replica].Count == 0) Line.Remove(replica);
        foreach (string key in Cells.Keys.ToList())
            Cells[key] = Cells[key].ToDictionary(entry => entry.Key.Id == replica && entry.Key.Counter > fork
                ? (renamed, entry.Key.Counter) : entry.Key, entry => entry.Value);
        if (Id == replica) Id = renamed;
    }

    private static (HealKnown Side, string Replica, int Index)? Fork(HealKnown a, HealKnown b)
    {
        foreach (string replica in a.Vector.Keys.Where(b.Vector.ContainsKey).Order(StringComparer.Ordinal))
        {
            List<(long First, string Stamp)> la = a.Line[replica], lb = b.Line[replica];
            int i = 0;
            while (i < la.Count && i < lb.Count && la[i] == lb[i]) i++;
            (long First, string Stamp) fa = i < la.Count ? la[i] : (a.Vector[replica] + 1, "");
            (long First, string Stamp) fb = i < lb.Count ? lb[i] : (b.Vector[replica] + 1, "");
            if (fa.First == fb.First)
            {
                if (fa.Stamp.Length == 0 || fb.Stamp.Length == 0) continue;
                return (string.CompareOrdinal(fa.Stamp, fb.Stamp) > 0 ? a : b, replica, i);
            }

            (HealKnown side, (long First, string Stamp) f, HealKnown other) = fa.First < fb.First ? (a, fa, b) : (b, fb, a);
            if (f.Stamp.Length > 0 && other.Vector[replica] >= f.First) return (side, replica, i);
        }

        return null;
    }

    /// <summary>The other calls a branch by its own name already: this follows.</summary>
    private static (HealKnown Side, string Replica, int Index)? Elsewhere(HealKnown a, HealKnown b)
    {
        foreach (string replica in a.Line.Keys.Order(StringComparer.Ordinal))
            for (int i = 0; i < a.Line[replica].Count; i++)
                if (a.Line[replica][i].Stamp is var stamp && stamp != replica && b.Vector.ContainsKey(stamp))
                    return (a, replica, i);
        return null;
    }
}

/// <summary>
/// The executable specification of copied and restored files, ported line by line: a copy keeps its replica id and does not
/// know that it is a copy. One rule was added with the engine: who learns of writes under its own id, which it did not
/// make, writes under a new id from then on (a claim of a peer must not use up its counters).
/// </summary>
internal sealed class HealModel(Random random, string? id) : HealKnown
{
    private long _clock;
    private string? _stamp;
    private bool _isNamed;

    public void Open() => _stamp = null;

    public HealModel Copied()
    {
        var copy = new HealModel(random, null) { _clock = _clock, _isNamed = true };
        copy.CopyKnownFrom(this);
        return copy;
    }

    public void Put(string key, object? value, long now)
    {
        _clock = Math.Max(_clock + 1, now);
        Cells[key] = new() { [NextDot()] = (_clock, value) };
    }

    public bool Delete(string key, long now)
    {
        if (!Cells.TryGetValue(key, out var cell) || cell.Values.All(entry => entry.Value is null)) return false;
        Put(key, null, now);
        return true;
    }

    public void Add(string key, long amount, long now)
    {
        _clock = Math.Max(_clock + 1, now);
        (string, long) dot = NextDot();
        var cell = Cells.TryGetValue(key, out var known) ? known : Cells[key] = [];
        long since = Line[Id!][^1].First;
        foreach ((string Id, long Counter) mine in cell.Keys.Where(d => d.Id == Id && d.Counter >= since).ToList())
        {
            amount += (long)cell[mine].Value!;
            cell.Remove(mine);
        }

        cell[dot] = (_clock, amount);
    }

    public HealMessage Delta(HealKnown to)
    {
        var known = new HealKnown();
        known.CopyKnownFrom(new HealKnown { Vector = to.Vector, Line = to.Line });
        Reconcile(this, known);
        bool isSnapshot = !IsAtMost(Collected, known.Vector);
        var message = new HealMessage { IsSnapshot = isSnapshot };
        message.CopyKnownFrom(this);
        message.Id = null;
        message.Base = isSnapshot ? [] : known.Vector.Where(component => Vector.ContainsKey(component.Key))
            .ToDictionary(component => component.Key, component => Math.Min(component.Value, Vector[component.Key]));
        foreach (string key in message.Cells.Keys.ToList())
            if (!isSnapshot && message.Cells[key].Keys.All(dot => Covers(message.Base, dot))) message.Cells.Remove(key);
        return message;
    }

    public bool Apply(HealMessage sent)
    {
        var message = new HealMessage { IsSnapshot = sent.IsSnapshot };
        message.CopyKnownFrom(sent);
        Reconcile(this, message);
        if (!IsAtMost(message.Base, Vector)) return false;
        foreach (string key in message.Cells.Keys.Union(message.IsSnapshot ? [.. Cells.Keys] : []).ToList())
        {
            var left = Cells.GetValueOrDefault(key) ?? [];
            var right = message.Cells.GetValueOrDefault(key) ?? [];
            var joined = left.Where(e => right.ContainsKey(e.Key) || !Covers(message.Vector, e.Key))
                .ToDictionary(e => e.Key, e => e.Value);
            foreach (var entry in right)
            {
                if (!left.ContainsKey(entry.Key) && !Covers(Vector, entry.Key)) joined[entry.Key] = entry.Value;
                _clock = Math.Max(_clock, entry.Value.Clock);
            }

            if (joined.Count > 0) Cells[key] = joined;
            else Cells.Remove(key);
        }

        foreach ((string replica, long counter) in message.Vector)
        {
            if (counter <= Vector.GetValueOrDefault(replica)) continue;
            (Vector[replica], Line[replica]) = (counter, [.. message.Line[replica]]);
            if (replica == Id) Id = null;
        }

        foreach ((string replica, long counter) in message.Collected)
            Collected[replica] = Math.Max(Collected.GetValueOrDefault(replica), counter);
        return true;
    }

    public void Collect(Dictionary<string, long> stable)
    {
        foreach (string key in Cells.Keys.ToList())
        {
            foreach ((string Id, long Counter) dot in Cells[key].Where(e => e.Value.Value is null && Covers(stable, e.Key))
                .Select(e => e.Key).ToList())
            {
                Cells[key].Remove(dot);
                Collected[dot.Id] = Math.Max(Collected.GetValueOrDefault(dot.Id), dot.Counter);
            }

            if (Cells[key].Count == 0) Cells.Remove(key);
        }
    }

    private string Fresh() => "s" + random.NextInt64().ToString("x16", System.Globalization.CultureInfo.InvariantCulture);

    private (string, long) NextDot()
    {
        if (!_isNamed) (Id, _isNamed) = (id, true);
        Id ??= Fresh();
        long counter = Vector.GetValueOrDefault(Id) + 1;
        var line = Line.TryGetValue(Id, out var known) ? known : Line[Id] = [];
        if (line.Count == 0 || line[^1].Stamp != _stamp)
        {
            _stamp = Fresh();
            line.Add((counter, _stamp));
        }

        Vector[Id] = counter;
        return (Id, counter);
    }
}

/// <summary>A modelled delta or snapshot.</summary>
internal sealed class HealMessage : HealKnown
{
    public bool IsSnapshot { get; init; }
}
