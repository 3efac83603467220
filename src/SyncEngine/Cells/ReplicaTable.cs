using SyncEngine.Causality;

namespace SyncEngine.Cells;

/// <summary>
/// The replicas that a dataset knows, by a small index: their counters (the version vector), collected frontiers, lines
/// and dots. Parallel arrays, because the join reads counters for every entry.
/// </summary>
internal sealed class ReplicaTable : ILineage
{
    private readonly Dictionary<ulong, int> _byId = [];
    private readonly Dictionary<ulong, int> _byStamp = [];
    private ulong[] _ids = new ulong[2];
    private long[] _counters = new long[2];
    private long[] _ceilings = new long[2];
    private long[] _collected = new long[2];
    private long[] _durable = new long[2];
    private bool[] _changed = new bool[2];
    private bool[] _lineChanged = new bool[2];
    private Opening[][] _lines = new Opening[2][];
    private DotLog[] _logs = new DotLog[2];
    private readonly List<int> _changedList = [];
    private int _own = EntryData.None;

    /// <summary>Index of the own replica; −1 until the first write.</summary>
    public int Own
    {
        get => _own;
        set
        {
            _own = value;
            Contexts.Clear();
        }
    }

    /// <summary>What was known when own writes were made.</summary>
    public WriteContexts Contexts { get; } = new();

    public int Count { get; private set; }

    /// <summary>Raised whenever a component changes, so that a cached vector knows when it is stale.</summary>
    public long Changes { get; private set; }

    /// <summary>Replicas whose counter, frontier or line changed since the last durable frame was encoded.</summary>
    public IReadOnlyList<int> Changed => _changedList;

    public ReadOnlySpan<long> Counters => _counters.AsSpan(0, Count);

    public ReadOnlySpan<long> Durable => _durable.AsSpan(0, Count);

    public ReplicaId Id(int replica) => new(_ids[replica]);

    public long Counter(int replica) => _counters[replica];

    public long Ceiling(int replica) => _ceilings[replica];

    public long Collected(int replica) => _collected[replica];

    public ReadOnlySpan<Opening> LineOf(int replica) => _lines[replica];

    /// <summary>Whether the line changed since the last durable frame was encoded.</summary>
    public bool LineChanged(int replica) => _lineChanged[replica];

    public DotLog Log(int replica) => _logs[replica];

    public int Find(ReplicaId id) => _byId.TryGetValue(id.Bits, out int replica) ? replica : EntryData.None;

    public int FindOrAdd(ReplicaId id)
    {
        if (_byId.TryGetValue(id.Bits, out int replica)) return replica;
        if (Count == _ids.Length) Grow();
        replica = Count++;
        _ids[replica] = id.Bits;
        _lines[replica] = [];
        _logs[replica] = new DotLog();
        _byId.Add(id.Bits, replica);
        return replica;
    }

    public void SetCounter(int replica, long counter)
    {
        if (replica == _own && counter > _counters[replica]) Contexts.NoteWrite(counter);
        else if (replica != _own && _own >= 0) Contexts.NoteRaise(_counters[_own], replica, _counters[replica]);
        _counters[replica] = counter;
        _ceilings[replica] = Math.Max(_ceilings[replica], counter);
        NoteChange(replica);
    }

    /// <summary>Of what is here of a replica only what <paramref name="counter"/> covers is surely whole. The next frame tells,
    /// for what is written from now on builds on that.</summary>
    public void SetGap(int replica, long counter, long ceiling)
    {
        Contexts.Clear();
        (_counters[replica], _durable[replica], _ceilings[replica]) = (counter, counter, ceiling);
        if (!Lowered.Contains(replica)) Lowered.Add(replica);
        NoteChange(replica);
    }

    /// <summary>Something of a replica is here that its counter may not cover.</summary>
    public void NoteBeyond(int replica, long counter) => _ceilings[replica] = Math.Max(_ceilings[replica], counter);

    public void SetCollected(int replica, long counter)
    {
        _collected[replica] = counter;
        NoteChange(replica);
    }

    /// <summary>The replica in whose line a stamp stands; −1 if none.</summary>
    public int FindStamp(ulong stamp) => _byStamp.TryGetValue(stamp, out int replica) ? replica : EntryData.None;

    public void SetLine(int replica, Opening[] line)
    {
        // A merge hands over the same line again and again: the next stored frame need not carry it.
        if (_lines[replica].AsSpan().SequenceEqual(line)) return;
        foreach (Opening opening in _lines[replica])
            if (FindStamp(opening.Stamp) == replica) _byStamp.Remove(opening.Stamp);
        foreach (Opening opening in line) _byStamp[opening.Stamp] = replica;
        _lines[replica] = line;
        _lineChanged[replica] = true;
        NoteChange(replica);
    }

    public void SetDurable(int replica, long counter)
    {
        _durable[replica] = counter;
        Changes++;
    }

    /// <summary>Has the next frame carry every replica.</summary>
    public void NoteAllChanged()
    {
        for (int i = 0; i < Count; i++)
        {
            _lineChanged[i] = true;
            NoteChange(i);
        }
    }

    /// <summary>Forgets which replicas changed, because a frame now carries them.</summary>
    public void ClearChanged()
    {
        foreach (int replica in _changedList) _changed[replica] = _lineChanged[replica] = false;
        _changedList.Clear();
        Lowered.Clear();
    }

    /// <summary>Replicas whose counter a rename lowered since the last durable frame was encoded.</summary>
    public List<int> Lowered { get; } = [];

    /// <summary>Gives the part of a replica's line, counter and frontiers from an opening on to another replica, of which
    /// nothing counts as durable until the next frame is.</summary>
    public void Split(int old, int renamed, Opening from)
    {
        Contexts.Clear();
        long before = from.FirstCounter - 1;
        int opening = Array.IndexOf(_lines[old], from);
        SetLine(renamed, _lines[old][opening..]);
        SetLine(old, _lines[old][..opening]);
        if (_counters[old] > before) (_counters[renamed], _counters[old]) = (_counters[old], before);
        if (_ceilings[old] > before) (_ceilings[renamed], _ceilings[old]) = (_ceilings[old], before);
        if (_collected[old] > before) (_collected[renamed], _collected[old]) = (_collected[old], before);
        _durable[old] = Math.Min(_durable[old], before);
        if (!Lowered.Contains(old)) Lowered.Add(old);
    }

    /// <summary>Sets a replica's counter and frontier as a stored frame has them, lower ones too.</summary>
    public void Lower(int replica, long counter, long collected)
    {
        Contexts.Clear();
        (_counters[replica], _ceilings[replica], _collected[replica]) = (counter, counter, collected);
        NoteChange(replica);
    }

    public VersionVector ToVector(ReadOnlySpan<long> counters)
    {
        int count = 0;
        foreach (long counter in counters)
            if (counter > 0) count++;
        if (count == 0) return VersionVector.Empty;
        var dots = new Dot[count];
        int at = 0;
        for (int i = 0; i < counters.Length; i++)
            if (counters[i] > 0) dots[at++] = new Dot(Id(i), counters[i]);
        if (count > 1) Array.Sort(dots, static (a, b) => a.Replica.CompareTo(b.Replica));
        return VersionVector.FromSorted(dots);
    }

    public VersionVector CollectedVector() => ToVector(_collected.AsSpan(0, Count));

    private void NoteChange(int replica)
    {
        Changes++;
        if (_changed[replica]) return;
        _changed[replica] = true;
        _changedList.Add(replica);
    }

    private void Grow()
    {
        int length = Count * 2;
        Array.Resize(ref _ids, length);
        Array.Resize(ref _counters, length);
        Array.Resize(ref _ceilings, length);
        Array.Resize(ref _collected, length);
        Array.Resize(ref _durable, length);
        Array.Resize(ref _changed, length);
        Array.Resize(ref _lineChanged, length);
        Array.Resize(ref _lines, length);
        Array.Resize(ref _logs, length);
    }
}
