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
internal sealed class CellColumns : IDisposable
{
    private const int PooledMax = 16 * 1024;

    public ReadOnlyMemory<byte> Source { get; set; }

    /// <summary>The frame's table of replicas.</summary>
    public ReplicaId[] Replicas { get; set; } = [];

    /// <summary>For each replica the highest counter that the frame covers; 0 where a stored frame does not
    /// say.</summary>
    public long[] To { get; set; } = [];

    /// <summary>For each replica the counter that the receiver must have.</summary>
    public long[] Base { get; set; } = [];

    public long[] Collected { get; set; } = [];

    /// <summary>Each replica's line; null where a stored frame leaves it as it is.</summary>
    public Opening[]?[] Lines { get; set; } = [];

    public bool IsSnapshot { get; set; }

    public CellColumn[] Cells { get; private set; } = [];

    public int CellCount { get; private set; }

    public EntryColumn[] Entries { get; private set; } = [];

    public int EntryCount { get; private set; }

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

    // A first merge of a large dataset happens once: the pool would keep its columns for nothing.
    private static T[] Rent<T>(int count) where T : struct =>
        count <= PooledMax ? ArrayPool<T>.Shared.Rent(count) : MemoryPolyfill.AllocateForOverwrite<T>(count);

    private static void Return<T>(T[] items, int count) where T : struct
    {
        if (items.Length > 0 && count <= PooledMax) ArrayPool<T>.Shared.Return(items);
    }
}
