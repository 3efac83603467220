using SyncEngine.Causality;

namespace SyncEngine.Cells;

internal sealed partial class CellState
{
    /// <summary>Forgets the deletes that <paramref name="bound"/> covers. Safe under any bound.</summary>
    /// <returns>How many were forgotten.</returns>
    public int CollectTombstones(VersionVector bound)
    {
        var limits = new long[Replicas.Count];
        for (int i = 0; i < limits.Length; i++) limits[i] = Math.Min(bound[Replicas.Id(i)], Replicas.Counter(i));
        return CollectTombstones(limits, long.MaxValue);
    }

    /// <summary>Forgets the deletes in cells that have not changed after a revision.</summary>
    /// <returns>How many were forgotten.</returns>
    public int CollectTombstones(long revision)
    {
        var limits = new long[Replicas.Count];
        for (int i = 0; i < limits.Length; i++) limits[i] = Replicas.Counter(i);
        return CollectTombstones(limits, revision);
    }

    /// <summary>The revision after which no more deletes came here than so many, and with no more bytes.</summary>
    public long RevisionOfTombstones(long count, long bytes)
    {
        var known = new List<(long Revision, int Bytes)>(Tombstones);
        for (int cell = 0; cell < Table.Bound; cell++)
        {
            ref CellData data = ref Table[cell];
            if (data.Kind == 0 || data.IsEmpty) continue;
            foreach (EntryData entry in EntriesOf(cell))
                if (entry.IsDeleted) known.Add((data.Revision, BytesHeldBy(data)));
        }

        known.Sort(static (left, right) => right.Revision.CompareTo(left.Revision));
        foreach ((long revision, int length) in known)
        {
            bytes -= length;
            if (--count < 0 || bytes < 0) return revision;
        }

        return 0;
    }

    private int CollectTombstones(long[] limits, long revision)
    {
        var frontier = new long[limits.Length];
        for (int i = 0; i < limits.Length; i++) frontier[i] = Replicas.Collected(i);
        int forgotten = 0;
        for (int cell = 0; cell < Table.Bound; cell++)
        {
            ref CellData data = ref Table[cell];
            if (data.Kind == 0 || data.IsEmpty || data.Revision > revision) continue;
            if (!HasForgettable(cell, limits, frontier)) continue;
            NoteDirty(cell);
            var tally = new Tally(this, cell);
            forgotten += RemoveEntries(cell, new TombstonesWithin(limits));
            tally.Apply(this, cell, keepsOrder: true);
            if (data.IsEmpty) _emptied.Add(cell);
            ForgottenRevision = Math.Max(ForgottenRevision, data.Revision);
        }

        for (int i = 0; i < frontier.Length; i++)
            if (frontier[i] > Replicas.Collected(i)) Replicas.SetCollected(i, frontier[i]);
        return forgotten;
    }

    private bool HasForgettable(int cell, long[] limits, long[] frontier)
    {
        bool found = false;
        foreach (EntryData entry in EntriesOf(cell))
        {
            if (!entry.IsDeleted || entry.Counter > limits[entry.Replica]) continue;
            frontier[entry.Replica] = Math.Max(frontier[entry.Replica], entry.Counter);
            found = true;
        }

        return found;
    }

    private readonly struct TombstonesWithin(long[] limits) : IEntryFilter
    {
        public bool Removes(in EntryData entry) => entry.IsDeleted && entry.Counter <= limits[entry.Replica];
    }
}
