using SyncEngine.Causality;

namespace SyncEngine.Cells;

internal sealed partial class CellState
{
    /// <summary>Finds the values of a replica above a counter that are shown for their time, a later one than given.</summary>
    /// <param name="replica">Index of the replica.</param>
    /// <param name="counter">The counter.</param>
    /// <param name="milliseconds">The time, in milliseconds since 1970.</param>
    /// <param name="dots">Takes what was found, as index and counter.</param>
    /// <param name="cells">Takes their cells.</param>
    public void ListLater(
        int replica, long counter, long milliseconds, HashSet<(int Replica, long Counter)> dots, List<int> cells)
    {
        DotLog log = Replicas.Log(replica);
        for (int i = log.FirstAbove(counter); i < log.Count; i++)
            AddIfLater(log.CellAt(i), replica, log.CounterAt(i), milliseconds, dots, cells);
    }

    /// <summary>Adds a value and its cell if it is shown for its time, a later one than given.</summary>
    public void AddIfLater(int cell, int replica, long counter, long milliseconds,
        HashSet<(int Replica, long Counter)> dots, List<int> cells)
    {
        if (!CellKinds.IsOrderedByTime(Table[cell].Kind)) return;
        foreach (EntryData entry in EntriesOf(cell))
        {
            if (entry.Replica != replica || entry.Counter != counter || entry.IsDeleted) continue;
            if (new HybridTimestamp(entry.Clock).WallMilliseconds > milliseconds && dots.Add((replica, counter))) cells.Add(cell);
        }
    }

    /// <summary>
    /// Writes values anew, each under an own dot that supersedes it alone. Not for counters: who has got one as another device
    /// wrote it would count it twice.
    /// </summary>
    /// <param name="cell">A cell of a kind that is ordered by time.</param>
    /// <param name="dots">The values, as index of the replica and counter.</param>
    /// <param name="now">The time that they get at most, in milliseconds since 1970.</param>
    /// <param name="shift">By how many milliseconds own ones were made later or earlier than they say.</param>
    public void Restamp(int cell, HashSet<(int Replica, long Counter)> dots, long now, long shift)
    {
        var found = new List<EntryData>();
        foreach (EntryData entry in EntriesOf(cell))
            if (dots.Contains((entry.Replica, entry.Counter))) found.Add(entry);

        // In their order, which their counters keep where they come to one time.
        found.Sort((left, right) => IsLater(left, right) ? 1 : IsLater(right, left) ? -1 : 0);
        foreach (EntryData entry in found)
        {
            byte[] value = Table.Slab.Read(entry.ValueAt).ToArray();
            long made = new HybridTimestamp(entry.Clock).WallMilliseconds + shift;
            bool isKnown = entry.Replica == Own && shift < 0 && made > 0 && made < now;
            ulong bits = isKnown ? (ulong)made << 16 | (entry.Clock & 0xFFFF) : (ulong)now << 16;
            Touch(cell);
            var tally = new Tally(this, cell);
            RemoveEntries(cell, new OneEntry(entry.Replica, entry.Counter));
            WriteEntry(cell, value, new HybridTimestamp(bits), tally, keepsOrder: false);
            Replicas.Contexts.NoteTakeBack(Replicas.Counter(Own));
        }
    }

    private readonly struct OneEntry(int replica, long counter) : IEntryFilter
    {
        public bool Removes(in EntryData entry) => entry.Replica == replica && entry.Counter == counter;
    }
}
