namespace SyncEngine.Causality;

/// <summary>What a version vector says together with its replicas' lines: enough to tell two copies of a file
/// apart.</summary>
internal interface ILineage
{
    int Count { get; }

    ReplicaId Id(int index);

    /// <summary>The highest counter covered; 0 for a replica that is only named.</summary>
    long Counter(int index);

    /// <summary>The highest counter that anything here has: above <see cref="Counter"/> where a damaged file misses
    /// changes.</summary>
    long Ceiling(int index);

    ReadOnlySpan<Opening> LineOf(int index);

    /// <summary>The index of a replica, or −1.</summary>
    int Find(ReplicaId id);
}

/// <summary>The dots of <paramref name="Replica"/> from an opening on belong to a replica of their own, named by that
/// opening's stamp.</summary>
internal readonly record struct Rename(ReplicaId Replica, Opening From)
{
    public ReplicaId To => new(From.Stamp);
}

/// <summary>A version vector with lines: what a peer tells of a dataset, and what reconciling works on.</summary>
internal sealed class Lineage : ILineage
{
    private readonly Dictionary<ReplicaId, int> _byId = [];
    private readonly List<ReplicaId> _ids = [];
    private readonly List<long> _counters = [];
    private readonly List<long> _ceilings = [];
    private readonly List<Opening[]> _lines = [];

    public Lineage()
    {
    }

    public Lineage(ILineage source)
    {
        for (int i = 0; i < source.Count; i++)
        {
            if (source.Ceiling(i) == 0) continue;
            Add(source.Id(i), source.Counter(i), source.LineOf(i).ToArray());
            _ceilings[^1] = source.Ceiling(i);
        }
    }

    public int Count => _ids.Count;

    public ReplicaId Id(int index) => _ids[index];

    public long Counter(int index) => _counters[index];

    public long Ceiling(int index) => _ceilings[index];

    public ReadOnlySpan<Opening> LineOf(int index) => _lines[index];

    public int Find(ReplicaId id) => _byId.TryGetValue(id, out int index) ? index : -1;

    /// <summary>Adds a replica.</summary>
    /// <returns>Whether it was not there yet.</returns>
    public bool Add(ReplicaId id, long counter, Opening[] line)
    {
        if (!_byId.TryAdd(id, _ids.Count)) return false;
        _ids.Add(id);
        _counters.Add(counter);
        _ceilings.Add(counter);
        _lines.Add(line);
        return true;
    }

    /// <summary>Takes down that more of a replica is there than is whole.</summary>
    /// <returns>Whether it is more.</returns>
    public bool TrySetBeyond(ReplicaId id, long ceiling, Opening[] line)
    {
        if (Find(id) < 0) Add(id, 0, []);
        int index = Find(id);
        if (ceiling <= _ceilings[index]) return false;
        (_ceilings[index], _lines[index]) = (ceiling, line);
        return true;
    }

    public VersionVector ToVector()
    {
        var dots = new List<Dot>(Count);
        for (int i = 0; i < Count; i++)
            if (_counters[i] > 0) dots.Add(new Dot(_ids[i], _counters[i]));
        return new VersionVector(dots);
    }

    /// <summary>Whether vectors and lines are the same.</summary>
    public bool IsSameAs(Lineage other)
    {
        if (!ToVector().Equals(other.ToVector())) return false;
        for (int i = 0; i < Count; i++)
            if (_counters[i] > 0 && !LineOf(i).SequenceEqual(other.LineOf(other.Find(_ids[i])))) return false;
        return true;
    }

    /// <exception cref="SyncException">The branch's name is taken: one side contradicts itself.</exception>
    public void Apply(Rename rename)
    {
        int at = Find(rename.Replica);
        int opening = Array.IndexOf(_lines[at], rename.From);
        int taken = Find(rename.To);
        if (taken >= 0 && _ceilings[taken] > 0)
            throw new SyncException(SyncErrorCode.Malformed, $"Replica {rename.To} is told under two names. Nothing was "
                + "merged; ask the sender for a snapshot.", 0);
        if (taken < 0) Add(rename.To, 0, []);
        taken = Find(rename.To);
        long before = rename.From.FirstCounter - 1;
        _counters[taken] = _counters[at] > before ? _counters[at] : 0;
        (_ceilings[taken], _lines[taken]) = (_ceilings[at], _lines[at][opening..]);
        (_counters[at], _ceilings[at]) = (Math.Min(_counters[at], before), before);
        _lines[at] = _lines[at][..opening];
    }
}
