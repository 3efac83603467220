using SyncEngine.Causality;

namespace SyncEngine.Cells;

internal sealed partial class CellState
{
    /// <summary>What the running transaction must give back if it is undone.</summary>
    internal readonly record struct WriteMark(long Counter, int LogCount, int LineLength);

    public WriteMark MarkWrites() => Own < 0
        ? new WriteMark(0, 0, 0)
        : new WriteMark(Replicas.Counter(Own), Replicas.Log(Own).Count, Replicas.LineOf(Own).Length);

    /// <summary>Takes back all writes since the mark.</summary>
    public void Undo(in WriteMark mark)
    {
        UndoTouched();
        if (Own >= 0)
        {
            Replicas.Log(Own).Truncate(mark.LogCount);
            Replicas.SetCounter(Own, mark.Counter);
            Replicas.SetLine(Own, Replicas.LineOf(Own)[..mark.LineLength].ToArray());
        }

        Settle();
    }

    /// <summary>Takes back an opening of the own line that was noted for a write that then failed.</summary>
    public void DropUnusedOpening()
    {
        if (Own < 0) return;
        ReadOnlySpan<Opening> line = Replicas.LineOf(Own);
        if (line.Length > 0 && line[^1].FirstCounter > Replicas.Counter(Own)) Replicas.SetLine(Own, line[..^1].ToArray());
    }

    /// <summary>Replaces all entries of a cell by one new own write.</summary>
    /// <param name="cell">The cell.</param>
    /// <param name="value">The value's canonical bytes; empty for a delete.</param>
    /// <param name="clock">The transaction's time.</param>
    /// <param name="keepsOrder">The caller keeps the order of the list that the cell belongs to.</param>
    public void Write(int cell, ReadOnlySpan<byte> value, HybridTimestamp clock, bool keepsOrder = false)
    {
        Touch(cell);
        var tally = new Tally(this, cell);
        RemoveEntries(cell, default(EveryEntry));
        WriteEntry(cell, value, clock, tally, keepsOrder);
    }

    /// <summary>
    /// Adds to a counter: supersedes only the entries of the own opening, whose running total the new entry carries.
    /// </summary>
    public void AddToCounter(int cell, long amount, HybridTimestamp clock)
    {
        Touch(cell);
        long total = amount;
        long since = Replicas.LineOf(Own)[^1].FirstCounter;
        foreach (EntryData entry in EntriesOf(cell))
        {
            if (entry.Replica != Own || entry.Counter < since || entry.IsDeleted) continue;
            total = unchecked(total + CounterValue(entry));
        }

        var tally = new Tally(this, cell);
        RemoveEntries(cell, new EntriesOfOpening(Own, since));
        Span<byte> value = stackalloc byte[9];
        int length = Values.ValueWriter.WriteInteger(value, total);
        WriteEntry(cell, value[..length], clock, tally, keepsOrder: true);
    }

    public long CounterValue(in EntryData entry)
    {
        Values.ValueScanner.TryReadInteger(Table.Slab.Read(entry.ValueAt), out long total);
        return total;
    }

    internal void BookLive(in CellData data, bool isLive)
    {
        int sign = isLive ? 1 : -1;
        LiveBytes += sign * Table.Text(data).Length;
        if (data.Owner == 0)
        {
            LiveRecords += sign;
            return;
        }

        Container container = Table.ContainerAt(data.Owner - 1)!;
        container.LiveCount += sign;
        if (container.LiveCount != (isLive ? 1 : 0)) return;
        LiveRecords += sign;
        LiveBytes += sign * Table.KeyOf(data).Length;
    }

    private void WriteEntry(int cell, ReadOnlySpan<byte> value, HybridTimestamp clock, in Tally tally, bool keepsOrder)
    {
        long counter = Replicas.Counter(Own) + 1;
        Replicas.SetCounter(Own, counter);
        var entry = new EntryData
        {
            Replica = Own,
            Counter = counter,
            Clock = clock.Bits,
            Next = EntryData.None,
            ValueAt = value.IsEmpty ? EntryData.DeletedAt : Table.Slab.Add(value),
        };
        AddEntry(cell, entry, tally.TextHash, logs: true);
        tally.Apply(this, cell, keepsOrder);
    }

    private readonly struct EntriesOfOpening(int own, long since) : IEntryFilter
    {
        public bool Removes(in EntryData entry) => entry.Replica == own && entry.Counter >= since;
    }
}
