using SyncEngine.Causality;

namespace SyncEngine.Cells;

internal sealed partial class CellState
{
    /// <summary>
    /// The cells of the next part of a transfer: those with a dot above <paramref name="low"/> and none above
    /// <paramref name="high"/>, in order of their least such dot, until they take about <paramref name="bytesMax"/> bytes.
    /// </summary>
    /// <param name="low">Counters by replica that the receiver has.</param>
    /// <param name="high">Counters by replica that the transfer brings it to.</param>
    /// <param name="after">Where the part before ended.</param>
    /// <param name="bytesMax">About how large a part may get.</param>
    /// <param name="cells">Takes the cells.</param>
    /// <param name="isLast">Whether no part follows.</param>
    /// <returns>Where this part ends.</returns>
    public Dot ListPart(
        ReadOnlySpan<long> low, ReadOnlySpan<long> high, Dot after, int bytesMax, List<int> cells, out bool isLast)
    {
        var order = new int[Replicas.Count];
        for (int i = 0; i < order.Length; i++) order[i] = i;
        Array.Sort(order, (a, b) => Replicas.Id(a).CompareTo(Replicas.Id(b)));
        long bytes = 0;
        isLast = false;
        foreach (int replica in order)
        {
            ReplicaId id = Replicas.Id(replica);
            if (id < after.Replica) continue;
            long from = id == after.Replica ? Math.Max(low[replica], after.Counter) : low[replica];
            DotLog log = Replicas.Log(replica);
            for (int i = log.FirstAbove(from); i < log.Count && log.CounterAt(i) <= high[replica]; i++)
            {
                int cell = log.CellAt(i);
                if (!IsOfPart(cell, replica, log.CounterAt(i), low, high)) continue;
                cells.Add(cell);
                bytes += SizeOf(cell);
                if (bytes >= bytesMax) return new Dot(id, log.CounterAt(i));
            }
        }

        isLast = true;
        return new Dot(new ReplicaId(ulong.MaxValue), long.MaxValue >> 16);
    }

    /// <summary>Whether the cells take more than a number of bytes.</summary>
    public bool TakesMoreThan(List<int> cells, long bytesMax)
    {
        long bytes = 0;
        foreach (int cell in cells)
            if ((bytes += SizeOf(cell)) > bytesMax) return true;
        return false;
    }

    /// <summary>
    /// Merges all parts of a transfer and the delta that completes it as if they were one frame. What the delta holds replaces
    /// what parts hold, and later parts replace earlier ones.
    /// </summary>
    /// <param name="completing">A delta on the transfer's vector that covers all the sender had seen.</param>
    /// <param name="parts">The parts, in order.</param>
    /// <param name="isSnapshot">Whether the transfer holds all cells.</param>
    /// <param name="judge">Asked before anything changes; null to ask nobody.</param>
    /// <returns>Whether it was allowed.</returns>
    public bool JoinTransfer(
        CellColumns completing, IReadOnlyList<CellColumns> parts, bool isSnapshot, IFrameJudge? judge)
    {
        FindCells(completing);
        int[] found = FindCells(parts);
        if (judge is not null && !IsAllowed(judge, completing, parts, found, isSnapshot)) return false;

        // In the order of dots, which their logs keep: what comes out of order must be sorted.
        MapReplicas(completing);
        int at = 0;
        foreach (CellColumns part in parts)
        {
            if (_localOf.Length < part.Replicas.Length) _localOf = new int[part.Replicas.Length];
            for (int i = 0; i < part.Replicas.Length; i++) _localOf[i] = Replicas.FindOrAdd(part.Replicas[i]);
            for (int i = 0; i < part.CellCount; i++, at++)
                if (found[at] >= 0) JoinCell(part, part.Cells[i], found[at]);
        }

        MapReplicas(completing);
        for (int i = 0; i < completing.CellCount; i++) JoinCell(completing, completing.Cells[i], _frameCells[i]);
        if (isSnapshot) JoinAbsentCells();
        for (int i = 0; i < completing.CellCount; i++) Table[_frameCells[i]].Flags &= ~CellFlags.InFrame;
        foreach (int cell in found)
            if (cell >= 0) Table[cell].Flags &= ~CellFlags.InFrame;
        Advance(completing);
        JoinCollected(completing);
        return true;
    }

    /// <summary>Finds or makes each cell of the parts; −1 stands for one that a later frame replaces.</summary>
    private int[] FindCells(IReadOnlyList<CellColumns> parts)
    {
        int count = 0;
        foreach (CellColumns part in parts) count = checked(count + part.CellCount);
        Table.EnsureCapacity(count);
        var found = new int[count];
        int at = 0;
        foreach (CellColumns part in parts)
        {
            Container? container = null;
            int containerKeyAt = -1;
            for (int i = 0; i < part.CellCount; i++)
                found[at++] = FindOrAdd(part, part.Cells[i], ref container, ref containerKeyAt);
        }

        for (int p = parts.Count - 1; p >= 0; p--)
        {
            at -= parts[p].CellCount;
            foreach (ref int cell in found.AsSpan(at, parts[p].CellCount))
            {
                if ((Table[cell].Flags & CellFlags.InFrame) != 0) cell = -1;
                else Table[cell].Flags |= CellFlags.InFrame;
            }
        }

        return found;
    }

    /// <summary>Whether the cell holds the dot, as its least in the transfer, and is unchanged since that began.</summary>
    private bool IsOfPart(int cell, int replica, long counter, ReadOnlySpan<long> low, ReadOnlySpan<long> high)
    {
        ref EntryData first = ref Table[cell].First;
        if (first.Next == EntryData.None) return first.Replica == replica && first.Counter == counter;
        if (!Table.Holds(cell, replica, counter)) return false;
        foreach (EntryData entry in EntriesOf(cell))
        {
            if (entry.Counter > high[entry.Replica]) return false;
            if (entry.Counter <= low[entry.Replica]) continue;
            if (entry.Replica == replica ? entry.Counter < counter : Replicas.Id(entry.Replica) < Replicas.Id(replica))
                return false;
        }

        return true;
    }

    /// <summary>About how many bytes of a frame a cell takes.</summary>
    public long SizeOf(int cell)
    {
        ref CellData data = ref Table[cell];
        long bytes = 16 + Table.Text(data).Length;
        if (data.First.Next == EntryData.None)
            return data.IsEmpty || data.First.IsDeleted ? bytes : bytes + Table.Slab.Read(data.First.ValueAt).Length;
        foreach (EntryData entry in EntriesOf(cell))
            if (!entry.IsDeleted) bytes += Table.Slab.Read(entry.ValueAt).Length;
        return bytes;
    }
}
