namespace SyncEngine.Cells;

/// <summary>What a cell is, as stored and sent. Values above 127 are bookkeeping and never leave memory.</summary>
internal enum CellKind : byte
{
    Register = 1,
    Counter = 2,
    Max = 3,
    Min = 4,
    SetElement = 5,
    MapField = 6,
    ListValue = 7,
    ListPlace = 8,

    SetHeader = 128 + 5,
    MapHeader = 128 + 6,
    ListHeader = 128 + 7,
}

/// <summary>How cell kinds map to record kinds.</summary>
internal static class CellKinds
{
    public const byte LargestSent = (byte)CellKind.ListPlace;

    public static bool HasField(CellKind kind) => kind is >= CellKind.SetElement and <= CellKind.ListPlace;

    /// <summary>Whether of several values the latest is shown. Counters, sets, greatest and least read alike at any
    /// time.</summary>
    public static bool IsOrderedByTime(CellKind kind) =>
        kind is CellKind.Register or CellKind.MapField or CellKind.ListValue or CellKind.ListPlace;

    public static bool IsHeader(CellKind kind) => ((byte)kind & 128) != 0;

    public static RecordKind RecordOf(CellKind kind) => kind switch
    {
        CellKind.ListPlace => RecordKind.List,
        _ => (RecordKind)((byte)kind & 127),
    };

    public static CellKind HeaderOf(RecordKind kind) => (CellKind)(128 | (byte)kind);
}
