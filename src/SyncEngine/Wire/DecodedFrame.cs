using SyncEngine.Cells;

namespace SyncEngine.Wire;

/// <summary>A frame as it was read: checked, but not yet merged. Dispose returns its columns.</summary>
internal sealed class DecodedFrame(FrameType type, string dataset, CellColumns columns, StoredHeader? stored) : IDisposable
{
    public FrameType Type => type;

    public string Dataset => dataset;

    public CellColumns Columns => columns;

    /// <summary>Only in a stored frame.</summary>
    public StoredHeader? Stored => stored;

    /// <summary>Only in a part.</summary>
    public PartHeader? Part { get; set; }

    /// <summary>For each cell of a stored frame how far its revision lies below the frame's.</summary>
    public long[] RevisionsBelow { get; set; } = [];

    public void Dispose() => columns.Dispose();
}
