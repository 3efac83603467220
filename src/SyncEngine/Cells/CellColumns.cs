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
        Cells = ArrayPool<CellColumn>.Shared.Rent(count);
        CellCount = count;
    }

    public void RentEntries(int count)
    {
        Entries = ArrayPool<EntryColumn>.Shared.Rent(count);
        EntryCount = count;
    }

    public void Dispose()
    {
        if (Cells.Length > 0) ArrayPool<CellColumn>.Shared.Return(Cells);
        if (Entries.Length > 0) ArrayPool<EntryColumn>.Shared.Return(Entries);
        (Cells, Entries, CellCount, EntryCount) = ([], [], 0, 0);
    }
}
