namespace SyncEngine.Cells;

/// <summary>One surviving write of a cell: its dot, its time and where its value lies.</summary>
internal struct EntryData
{
    public const int None = -1;
    public const long DeletedAt = -1;

    public ulong Clock;
    public long Counter;

    /// <summary>Address of the value in the slab; <see cref="DeletedAt"/> for a tombstone.</summary>
    public long ValueAt;

    /// <summary>Index in the replica table; <see cref="None"/> in a cell without entries.</summary>
    public int Replica;

    /// <summary>Index of the cell's next entry in the table's pool, or <see cref="None"/>.</summary>
    public int Next;

    public readonly bool IsDeleted => ValueAt == DeletedAt;
}

[Flags]
internal enum CellFlags : byte
{
    None = 0,

    /// <summary>Waits for the next durable commit.</summary>
    Dirty = 1,

    /// <summary>Changed in the running transaction or join, its entries from before are noted.</summary>
    Touched = 2,

    /// <summary>Named by the frame that is being joined.</summary>
    InFrame = 4,
}

/// <summary>
/// The smallest mergeable thing: an antichain of entries. Nearly every cell holds one, so the first lies in the cell
/// itself and any others in the table's pool; both are reached by the same walk.
/// </summary>
internal struct CellData
{
    /// <summary>Address of the record's key, or of the field for a cell of a container.</summary>
    public long TextAt;

    public EntryData First;

    /// <summary>The dataset's revision that changed the cell last.</summary>
    public long Revision;

    /// <summary>Number of the container plus one; 0 for a record of one cell and for headers.</summary>
    public int Owner;

    public CellKind Kind;
    public CellFlags Flags;

    public readonly bool IsEmpty => First.Replica == EntryData.None;
}
