using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Sync;

namespace SyncEngine.Tests.Golden;

/// <summary>A hub's guard that lets nobody change what one dataset shows, and at most so many records into the others.</summary>
internal sealed class ReadOnlyGuard(string closed, int recordsMax = int.MaxValue) : SessionGuard
{
    public override bool MayRead(string dataset) => true;

    public override FrameRefusal? Judge(Dataset dataset, FrameInspection inspection)
    {
        if (dataset.Name == closed)
        {
            List<CellProposal> denied = [.. inspection.Changes.Where(static change => change.ChangesValues)];
            return denied.Count == 0 ? null : new FrameRefusal(SyncErrorCode.Unauthorized, "only the hub writes here", denied);
        }

        int room = recordsMax - inspection.State.LiveRecords + inspection.RecordsDropped;
        List<CellProposal> surplus = [.. inspection.Changes.Where(static change => change.MakesRecord).Skip(Math.Max(0, room))];
        return surplus.Count == 0 ? null : new FrameRefusal(SyncErrorCode.LimitExceeded, "no room", surplus);
    }
}
