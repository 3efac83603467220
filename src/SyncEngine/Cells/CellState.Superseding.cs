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

    /// <summary>
    /// Takes back refused writes of a cell by a new own write of what a peer shows there, given as the peer's column; a
    /// counter's additions by others stay.
    /// </summary>
    public void Supersede(int cell, HashSet<Dot> refused, CellColumns theirs, int column, HybridTimestamp clock)
    {
        ReadOnlySpan<EntryColumn> shown = column < 0 ? default
            : theirs.Entries.AsSpan(theirs.Cells[column].FirstEntry, theirs.Cells[column].EntryCount);
        if (Table[cell].Kind == CellKind.Counter)
        {
            SupersedeAdditions(cell, refused, theirs, shown, clock);
            return;
        }

        int best = -1;
        for (int i = 0; i < shown.Length; i++)
        {
            if (shown[i].ValueLength == 0) continue;
            if (best < 0 || IsShownBefore(Table[cell].Kind, theirs, shown[i], shown[best])) best = i;
        }

        Write(cell, best < 0 ? default : theirs.Bytes(shown[best].ValueAt, shown[best].ValueLength), clock);
    }

    private static bool IsShownBefore(CellKind kind, CellColumns theirs, in EntryColumn left, in EntryColumn right)
    {
        if (kind is CellKind.Max or CellKind.Min)
        {
            int order = Values.ValueOrder.Compare(
                theirs.Bytes(left.ValueAt, left.ValueLength), theirs.Bytes(right.ValueAt, right.ValueLength));
            return kind == CellKind.Max ? order > 0 : order < 0;
        }

        if (left.Clock != right.Clock) return left.Clock > right.Clock;
        ReplicaId a = theirs.Replicas[left.Replica], b = theirs.Replicas[right.Replica];
        return a != b ? a > b : left.Counter > right.Counter;
    }

    /// <summary>What the refused additions had replaced comes back as one running total.</summary>
    private void SupersedeAdditions(
        int cell, HashSet<Dot> refused, CellColumns theirs, ReadOnlySpan<EntryColumn> shown, HybridTimestamp clock)
    {
        long total = 0;
        bool restores = false;
        foreach (ref readonly EntryColumn entry in shown)
        {
            int replica = Replicas.Find(theirs.Replicas[entry.Replica]);
            if (entry.ValueLength == 0 || replica < 0 || entry.Counter > Replicas.Counter(replica)
                || Table.Holds(cell, replica, entry.Counter)) continue;
            Values.ValueScanner.TryReadInteger(theirs.Bytes(entry.ValueAt, entry.ValueLength), out long restored);
            (total, restores) = (unchecked(total + restored), true);
        }

        Touch(cell);
        var tally = new Tally(this, cell);
        RemoveEntries(cell, new RefusedEntries(this, refused));
        Span<byte> value = stackalloc byte[9];
        int length = Values.ValueWriter.WriteInteger(value, total);

        // A counter that the peer does not have must not be there as 0 either.
        WriteEntry(cell, restores ? value[..length] : default, clock, tally, keepsOrder: true);
    }

    private readonly struct RefusedEntries(CellState state, HashSet<Dot> refused) : IEntryFilter
    {
        public bool Removes(in EntryData entry) => refused.Contains(new Dot(state.Replicas.Id(entry.Replica), entry.Counter));
    }
}
