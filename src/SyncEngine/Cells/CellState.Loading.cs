using SyncEngine.Causality;

namespace SyncEngine.Cells;

internal sealed partial class CellState
{
    /// <summary>
    /// Replays a stored frame: its cells replace what they held, its counters, frontiers and lines are taken over. Call
    /// <see cref="CompleteLoading"/> after the last.
    /// </summary>
    /// <returns>Replicas for which an earlier stored frame is missing, with the counter up to which all is
    /// there.</returns>
    public IReadOnlyList<(int Replica, long Counter)> Load(
        CellColumns frame, long revision, long[] revisionsBelow, IReadOnlyList<ReplicaId> lowered)
    {
        List<(int, long)>? gaps = null;
        MapReplicas(frame);
        FindCells(frame);
        for (int i = 0; i < frame.CellCount; i++) LoadCell(frame, frame.Cells[i], _frameCells[i], revision - revisionsBelow[i]);
        for (int i = 0; i < frame.Replicas.Length; i++)
        {
            int local = _localOf[i];
            _frameTo[local] = 0;
            if (frame.Base[i] > Replicas.Counter(local)) (gaps ??= []).Add((local, Replicas.Counter(local)));
            if (frame.To[i] > Replicas.Counter(local)) Replicas.SetCounter(local, frame.To[i]);
            if (frame.Collected[i] > Replicas.Collected(local)) Replicas.SetCollected(local, frame.Collected[i]);
            if (frame.Lines[i] is { } line) Replicas.SetLine(local, line);
            if (lowered.Count > 0 && lowered.Contains(frame.Replicas[i]))
                Replicas.Lower(local, frame.To[i], frame.Collected[i]);
        }

        Revision = Math.Max(Revision, revision);
        return gaps ?? (IReadOnlyList<(int, long)>)[];
    }

    /// <summary>Builds the dot logs once all stored frames are replayed; what was loaded is durable.</summary>
    public void CompleteLoading()
    {
        SweepEmptied();
        for (int i = 0; i < Replicas.Count; i++) Replicas.Log(i).EnsureCapacity(Replicas.Log(i).Live);
        for (int cell = 0; cell < Table.Bound; cell++)
        {
            if (!Table.IsInUse(cell) || CellKinds.IsHeader(Table[cell].Kind)) continue;
            foreach (EntryData entry in EntriesOf(cell)) Replicas.Log(entry.Replica).Append(entry.Counter, cell);
        }

        for (int i = 0; i < Replicas.Count; i++)
        {
            Replicas.Log(i).Settle();
            Replicas.SetDurable(i, Replicas.Counter(i));
        }

        Replicas.ClearChanged();
        Settle();
    }

    private void LoadCell(CellColumns frame, in CellColumn column, int cell, long revision)
    {
        var tally = new Tally(this, cell);
        RemoveEntries(cell, default(EveryEntry));
        for (int i = column.FirstEntry; i < column.FirstEntry + column.EntryCount; i++)
        {
            ref EntryColumn stored = ref frame.Entries[i];
            var entry = new EntryData
            {
                Replica = _localOf[stored.Replica],
                Counter = stored.Counter,
                Clock = stored.Clock,
                Next = EntryData.None,
                ValueAt = stored.ValueLength == 0 ? EntryData.DeletedAt
                    : Table.Slab.Add(frame.Bytes(stored.ValueAt, stored.ValueLength)),
            };
            AddEntry(cell, entry, tally.TextHash, logs: false);
        }

        tally.Apply(this, cell);
        ref CellData data = ref Table[cell];
        data.Flags &= ~CellFlags.InFrame;
        data.Revision = Math.Max(data.Revision, revision);
        if (data.IsEmpty) _emptied.Add(cell);
    }
}
