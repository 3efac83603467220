namespace SyncEngine.Cells;

/// <summary>A record of many cells: a set, a map or a list, with the cells that belong to it.</summary>
internal sealed class Container(int number, RecordKind kind, int header, ulong keyHash)
{
    public int Number => number;

    public RecordKind Kind => kind;

    /// <summary>The cell that holds its key in the index.</summary>
    public int Header => header;

    /// <summary>Hash of the key, without a seed, as the digest needs it.</summary>
    public ulong KeyHash => keyHash;

    /// <summary>Its cells, those that hold only tombstones included.</summary>
    public List<int> Members { get; } = [];

    /// <summary>How many of its elements or fields have a surviving value.</summary>
    public int LiveCount { get; set; }

    /// <summary>The cells of a list's values in the order of their places; null when it must be made anew.</summary>
    public List<int>? Order { get; set; }

    /// <summary>This opening's run of positions in a list; null until it inserts.</summary>
    public WaypointAllocator? Waypoints { get; set; }
}
