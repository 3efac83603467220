namespace SyncEngine.Cells;

internal sealed partial class CellState
{
    /// <summary>Asks about a frame whose cells were found, or about a transfer as the one frame that it is merged as.</summary>
    /// <param name="judge">Whom to ask.</param>
    /// <param name="frame">The frame, or the delta that completes the transfer.</param>
    /// <param name="parts">The transfer's parts.</param>
    /// <param name="found">The parts' cells here, one after another.</param>
    /// <param name="isSnapshot">Whether what neither holds goes.</param>
    private bool IsAllowed(
        IFrameJudge judge, CellColumns frame, IReadOnlyList<CellColumns> parts, int[] found, bool isSnapshot)
    {
        bool allows = false;
        try
        {
            var inspection = new FrameInspection(this, frame);
            int at = 0;
            foreach (CellColumns part in parts)
            {
                inspection.Add(part, found.AsSpan(at, part.CellCount));
                at += part.CellCount;
            }

            inspection.Add(frame, _frameCells.AsSpan(0, frame.CellCount));
            if (isSnapshot) inspection.AddAbsent(frame);
            allows = judge.Allows(inspection);
        }
        finally
        {
            if (!allows)
            {
                ForgetCells(found);
                ForgetCells(_frameCells.AsSpan(0, frame.CellCount));
            }
        }

        return allows;
    }

    /// <summary>Takes out what was added for a frame that is not merged.</summary>
    private void ForgetCells(ReadOnlySpan<int> cells)
    {
        foreach (int cell in cells)
        {
            if (cell < 0) continue;
            Table[cell].Flags &= ~CellFlags.InFrame;
            if (Table[cell].IsEmpty) _emptied.Add(cell);
        }

        SweepEmptied();
        if (_touches.Count == 0) Table.CompactIfWasteful();
    }
}
