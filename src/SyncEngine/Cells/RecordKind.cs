namespace SyncEngine.Cells;

/// <summary>What a record is and how its concurrent changes merge. Part of a record's identity, beside its
/// key.</summary>
public enum RecordKind
{
    /// <summary>One value; the latest of concurrent writes is shown, the others stay readable as conflicts.</summary>
    Register = 1,

    /// <summary>A 64-bit sum; concurrent additions all count.</summary>
    Counter = 2,

    /// <summary>The greatest number raised.</summary>
    Max = 3,

    /// <summary>The least number lowered.</summary>
    Min = 4,

    /// <summary>A set of values; an addition beats a concurrent removal.</summary>
    Set = 5,

    /// <summary>Named fields, each merging as a register.</summary>
    Map = 6,

    /// <summary>An ordered list; concurrent insertions do not interleave, a move keeps its element one.</summary>
    List = 7,
}
