using System.Buffers;
using SyncEngine.Causality;

namespace SyncEngine.Cells;

/// <summary>One cell of a decoded frame: where its key and field lie in the source, and which entries are its
/// own.</summary>
internal struct CellColumn
{
    public int KeyAt;
    public int KeyLength;
    public int FieldAt;
    public int FieldLength;
    public int FirstEntry;
    public int EntryCount;
    public CellKind Kind;
}

/// <summary>One entry of a decoded frame; its replica is an index in the frame's own table.</summary>
internal struct EntryColumn
{
    public ulong Clock;
    public long Counter;
    public int Replica;
    public int ValueAt;

    /// <summary>0 for a tombstone: no value is empty.</summary>
    public int ValueLength;
}

/// <summary>
/// A decoded and checked frame, as views into its bytes and pooled columns: what a join takes. Dispose returns the
/// columns.
/// </summary>
internal sealed class CellColumns : ILineage, IDisposable
{
    private const int PooledMax = 16 * 1024;
    private Dictionary<ReplicaId, int>? _byId;

    public ReadOnlyMemory<byte> Source { get; set; }

    /// <summary>The frame's table of replicas.</summary>
    public ReplicaId[] Replicas { get; set; } = [];

    /// <summary>For each replica the highest counter that the frame covers; 0 where a stored frame does not
    /// say.</summary>
    public long[] To { get; set; } = [];

    /// <summary>For each replica the counter that the receiver must have.</summary>
    public long[] Base { get; set; } = [];

    public long[] Collected { get; set; } = [];

    /// <summary>Each replica's line, or what follows <see cref="OpeningsBefore"/> of it.</summary>
    public Opening[][] Lines { get; set; } = [];

    /// <summary>How many openings of each line come before those that are told: the reader of a stored frame, or of a delta that
    /// was made for it, knows them.</summary>
    public int[] OpeningsBefore { get; set; } = [];

    public bool IsSnapshot { get; set; }

    /// <summary>The latest time of any entry.</summary>
    public HybridTimestamp LatestClock { get; set; }

    public CellColumn[] Cells { get; private set; } = [];

    public int CellCount { get; private set; }

    public EntryColumn[] Entries { get; private set; } = [];

    public int EntryCount { get; private set; }

    int ILineage.Count => Replicas.Length;

    ReplicaId ILineage.Id(int index) => Replicas[index];

    long ILineage.Counter(int index) => To[index];

    long ILineage.Ceiling(int index) => To[index];

    ReadOnlySpan<Opening> ILineage.LineOf(int index) => Lines[index];

    int ILineage.Find(ReplicaId id)
    {
        if (Replicas.Length <= 8) return Array.IndexOf(Replicas, id);
        if (_byId is null)
        {
            _byId = new Dictionary<ReplicaId, int>(Replicas.Length);
            for (int i = 0; i < Replicas.Length; i++) _byId.Add(Replicas[i], i);
        }

        return _byId.TryGetValue(id, out int index) ? index : -1;
    }

    /// <summary>Gives the dots of a branch the replica that they have where the frame is going.</summary>
    public void Apply(Rename rename)
    {
        int old = Array.IndexOf(Replicas, rename.Replica), renamed = Array.IndexOf(Replicas, rename.To);
        if (renamed < 0)
        {
            renamed = Replicas.Length;
            (Replicas, Lines, OpeningsBefore) = ([.. Replicas, rename.To], [.. Lines, []], [.. OpeningsBefore, 0]);
            (To, Base, Collected) = ([.. To, 0], [.. Base, 0], [.. Collected, 0]);
            _byId = null;
        }

        long before = rename.From.FirstCounter - 1;
        int opening = Array.IndexOf(Lines[old]!, rename.From);
        (Lines[renamed], Lines[old]) = (Lines[old]![opening..], Lines[old]![..opening]);
        foreach (long[] counters in (long[][])[To, Base, Collected])
            if (counters[old] > before) (counters[renamed], counters[old]) = (counters[old], before);
        for (int i = 0; i < EntryCount; i++)
            if (Entries[i].Replica == old && Entries[i].Counter > before) Entries[i].Replica = renamed;
    }

    public bool BaseIsAtMost(VersionVector version) => IsAtMost(Base, version);

    public bool CollectedIsAtMost(VersionVector version) => IsAtMost(Collected, version);

    public bool ToIsAtMost(VersionVector version) => IsAtMost(To, version);

    public ReadOnlySpan<byte> Bytes(int at, int length) => Source.Span.Slice(at, length);

    public void RentCells(int count)
    {
        Cells = Rent<CellColumn>(count);
        CellCount = count;
    }

    public void RentEntries(int count)
    {
        Entries = Rent<EntryColumn>(count);
        EntryCount = count;
    }

    public void Dispose()
    {
        Return(Cells, CellCount);
        Return(Entries, EntryCount);
        (Cells, Entries, CellCount, EntryCount) = ([], [], 0, 0);
    }

    private bool IsAtMost(long[] counters, VersionVector version)
    {
        for (int i = 0; i < counters.Length; i++)
            if (counters[i] > version[Replicas[i]]) return false;
        return true;
    }

    // A first merge of a large dataset happens once: the pool would keep its columns for nothing.
    private static T[] Rent<T>(int count) where T : struct =>
        count <= PooledMax ? ArrayPool<T>.Shared.Rent(count) : MemoryPolyfill.AllocateForOverwrite<T>(count);

    private static void Return<T>(T[] items, int count) where T : struct
    {
        if (items.Length > 0 && count <= PooledMax) ArrayPool<T>.Shared.Return(items);
    }
}
