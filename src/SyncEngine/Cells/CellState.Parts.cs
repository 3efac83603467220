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
                if (!Table.Holds(cell, replica, log.CounterAt(i)) || !IsOfPart(cell, replica, log.CounterAt(i), low, high))
                    continue;
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
    /// <param name="parts">The parts, the latest first.</param>
    /// <param name="isSnapshot">Whether the transfer holds all cells.</param>
    public void JoinTransfer(CellColumns completing, IEnumerable<CellColumns> parts, bool isSnapshot)
    {
        var flagged = new List<int>();
        FindCells(completing);
        MapReplicas(completing);
        for (int i = 0; i < completing.CellCount; i++)
        {
            JoinCell(completing, completing.Cells[i], _frameCells[i]);
            flagged.Add(_frameCells[i]);
        }

        foreach (CellColumns part in parts)
        {
            if (_localOf.Length < part.Replicas.Length) _localOf = new int[part.Replicas.Length];
            for (int i = 0; i < part.Replicas.Length; i++) _localOf[i] = Replicas.FindOrAdd(part.Replicas[i]);
            for (int i = 0; i < part.CellCount; i++)
            {
                int cell = FindOrAdd(part, part.Cells[i]);
                if ((Table[cell].Flags & CellFlags.InFrame) != 0) continue;
                Table[cell].Flags |= CellFlags.InFrame;
                JoinCell(part, part.Cells[i], cell);
                flagged.Add(cell);
            }
        }

        if (isSnapshot) JoinAbsentCells();
        foreach (int cell in flagged) Table[cell].Flags &= ~CellFlags.InFrame;
        for (int i = 0; i < completing.Replicas.Length; i++) _localOf[i] = Replicas.Find(completing.Replicas[i]);
        Advance(completing);
        JoinCollected(completing);
    }

    private int FindOrAdd(CellColumns frame, in CellColumn column)
    {
        int owner = 0;
        ReadOnlySpan<byte> text = frame.Bytes(column.KeyAt, column.KeyLength);
        if (CellKinds.HasField(column.Kind))
        {
            owner = Table.FindOrAddContainer(CellKinds.RecordOf(column.Kind), text).Number + 1;
            text = frame.Bytes(column.FieldAt, column.FieldLength);
        }

        return Table.FindOrAdd(column.Kind, owner, text, out _);
    }

    /// <summary>Whether the dot is the least of its cell in the transfer, and the cell unchanged since it began.</summary>
    private bool IsOfPart(int cell, int replica, long counter, ReadOnlySpan<long> low, ReadOnlySpan<long> high)
    {
        if (Table[cell].First.Next == EntryData.None) return true;
        foreach (EntryData entry in EntriesOf(cell))
        {
            if (entry.Counter > high[entry.Replica]) return false;
            if (entry.Counter <= low[entry.Replica]) continue;
            if (entry.Replica == replica ? entry.Counter < counter : Replicas.Id(entry.Replica) < Replicas.Id(replica))
                return false;
        }

        return true;
    }

    private long SizeOf(int cell)
    {
        ref CellData data = ref Table[cell];
        long bytes = 16 + Table.Text(data).Length;
        foreach (EntryData entry in EntriesOf(cell))
            if (!entry.IsDeleted) bytes += Table.Slab.Read(entry.ValueAt).Length;
        return bytes;
    }
}
