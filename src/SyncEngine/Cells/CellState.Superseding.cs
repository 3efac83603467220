using SyncEngine.Causality;

namespace SyncEngine.Cells;

internal sealed partial class CellState
{
    /// <summary>The cell in which a write still stands; −1 if nothing is left of it.</summary>
    public int CellOf(Dot dot)
    {
        int replica = Replicas.Find(dot.Replica);
        if (replica < 0) return EntryData.None;
        DotLog log = Replicas.Log(replica);
        for (int i = log.FirstAbove(dot.Counter - 1); i < log.Count && log.CounterAt(i) == dot.Counter; i++)
            if (Table.Holds(log.CellAt(i), replica, dot.Counter)) return log.CellAt(i);
        return EntryData.None;
    }

    /// <summary>The cell that a frame names; −1 if it is not here.</summary>
    public int CellOf(CellColumns frame, int column)
    {
        ref CellColumn data = ref frame.Cells[column];
        ReadOnlySpan<byte> key = frame.Bytes(data.KeyAt, data.KeyLength);
        if (!CellKinds.HasField(data.Kind)) return Table.Find(data.Kind, 0, key);
        return Table.FindContainer(CellKinds.RecordOf(data.Kind), key) is not { } container ? EntryData.None
            : Table.Find(data.Kind, container.Number + 1, frame.Bytes(data.FieldAt, data.FieldLength));
    }

    /// <summary>Whether an entry got its dot when a divergence was healed: no device wrote it under that.</summary>
    public bool IsHealed(in EntryData entry) => entry.Counter == 1
        && Replicas.LineOf(entry.Replica) is [{ FirstCounter: 1 } opening] && opening.Stamp == Replicas.Id(entry.Replica).Bits;

    /// <summary>
    /// Takes refused writes out of a cell by a delete that supersedes them alone, and puts back, as they were, the peer's
    /// entries that they had superseded here: not those that a write which stays, and which the peer has not seen, is known to
    /// have superseded.
    /// </summary>
    /// <param name="cell">The cell.</param>
    /// <param name="refused">The refused writes.</param>
    /// <param name="theirs">What the peer shows.</param>
    /// <param name="column">The cell's place in it; −1 if the peer has nothing there.</param>
    /// <param name="clock">The delete's time.</param>
    public void TakeBack(int cell, HashSet<Dot> refused, CellColumns theirs, int column, HybridTimestamp clock)
    {
        Touch(cell);
        var tally = new Tally(this, cell);
        (List<EntryData> taken, List<EntryData> kept) = ([], []);
        foreach (EntryData entry in EntriesOf(cell))
        {
            if (refused.Contains(new Dot(Replicas.Id(entry.Replica), entry.Counter))) taken.Add(entry);
            else if (!Covers(theirs, entry)) kept.Add(entry);
        }

        RemoveEntries(cell, new RefusedEntries(this, refused));
        if (column >= 0)
        {
            AddCovered(cell, theirs, column, tally.TextHash, (replica, counter) => kept.Count > 0
                && (kept.Exists(entry => Replaced(cell, entry, replica, counter) == true)
                    || taken.TrueForAll(entry => Replaced(cell, entry, replica, counter) == false)));
        }

        WriteEntry(cell, default, clock, tally, keepsOrder: false);
        Replicas.Contexts.NoteTakeBack(Replicas.Counter(Own));
    }

    /// <summary>Puts back the entries of a peer's cell that are covered and gone here.</summary>
    /// <returns>How many there were.</returns>
    public int Restore(CellColumns theirs, int column)
    {
        Container? container = null;
        int containerKeyAt = -1;
        int cell = FindOrAdd(theirs, theirs.Cells[column], ref container, ref containerKeyAt);
        Touch(cell);
        var tally = new Tally(this, cell);
        int restored = AddCovered(cell, theirs, column, tally.TextHash, static (_, _) => false);
        tally.Apply(this, cell);
        if (Table[cell].IsEmpty) _emptied.Add(cell);
        return restored;
    }

    private bool Covers(ILineage frame, in EntryData entry)
    {
        int at = frame.Find(Replicas.Id(entry.Replica));
        return at >= 0 && entry.Counter <= frame.Counter(at);
    }

    /// <summary>Whether a write superseded another one of its cell, or saw it superseded; null if nobody remembers.</summary>
    private bool? Replaced(int cell, in EntryData entry, int replica, long counter)
    {
        bool isSame = entry.Replica == replica;
        if (isSame && entry.Counter < counter) return false;
        if (Table[cell].Kind == CellKind.Counter && !entry.IsDeleted)
        {
            ReadOnlySpan<Opening> line = Replicas.LineOf(replica);
            return isSame && Line.LengthAt(line, counter) == Line.LengthAt(line, entry.Counter);
        }

        // A delete may have taken a write back, which supersedes nothing else; of an own one that is remembered.
        if (isSame && !entry.IsDeleted) return true;
        return entry.Replica == Own ? Replicas.Contexts.Knew(entry.Counter, replica, counter) : null;
    }

    private int AddCovered(int cell, CellColumns theirs, int column, ulong textHash, Func<int, long, bool> staysAway)
    {
        int restored = 0;
        CellColumn shown = theirs.Cells[column];
        foreach (ref readonly EntryColumn entry in theirs.Entries.AsSpan(shown.FirstEntry, shown.EntryCount))
        {
            int replica = Replicas.Find(theirs.Replicas[entry.Replica]);
            if (replica < 0 || entry.Counter > Replicas.Counter(replica) || Table.Holds(cell, replica, entry.Counter)
                || staysAway(replica, entry.Counter)) continue;
            restored++;
            var added = new EntryData
            {
                Replica = replica,
                Counter = entry.Counter,
                Clock = entry.Clock,
                Next = EntryData.None,
                ValueAt = entry.ValueLength == 0 ? EntryData.DeletedAt
                    : Table.Slab.Add(theirs.Bytes(entry.ValueAt, entry.ValueLength)),
            };
            AddEntry(cell, added, textHash, logs: true);
            Replicas.Log(replica).Settle();
        }

        return restored;
    }

    private readonly struct RefusedEntries(CellState state, HashSet<Dot> refused) : IEntryFilter
    {
        public bool Removes(in EntryData entry) => refused.Contains(new Dot(state.Replicas.Id(entry.Replica), entry.Counter));
    }
}
