using System.Text.Unicode;
using MessagePack;
using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Values;

namespace SyncEngine.Wire;

/// <summary>Reads the columns of a body; each cell and entry is checked before any of them is merged.</summary>
internal sealed class ColumnParser(CellColumns columns, FrameType type, int entriesMax)
{
    private const int ColumnCount = 15;
    private int _fieldCells;

    public long[] RevisionsBelow { get; private set; } = [];

    public void Parse(ref MessagePackReader reader)
    {
        FrameReader.ExpectArray(ref reader, ColumnCount);
        int cells = reader.ReadInt32(), entries = reader.ReadInt32();

        // Each cell has a byte of key or field of its own, each entry a byte of value or a replica that no other
        // tombstone of its cell has.
        long remaining = reader.Sequence.Length - reader.Consumed;
        if (cells < 0 || entries < 0 || cells > remaining || entries > remaining)
            throw FrameReader.Fault("The frame counts more cells or entries than it can hold.", reader.Consumed);
        if (cells > entriesMax || entries > entriesMax)
            throw new SyncException(SyncErrorCode.LimitExceeded, $"The frame has {Math.Max(cells, entries):N0} cells or "
                + $"entries; {entriesMax:N0} are allowed. Raise FrameLimits.EntriesMax to take it.", reader.Consumed);
        columns.RentCells(cells);
        columns.RentEntries(entries);
        ReadKinds(ref reader);
        ReadKeys(ref reader);
        ReadFields(ref reader);
        ReadEntryCounts(ref reader);
        ReadReplicas(ref reader);
        ReadCounters(ref reader);
        ReadClocks(ref reader);
        ReadStates(ref reader);
        ReadValues(ref reader);
        ReadRevisions(ref reader);
    }

    private void ReadKinds(ref MessagePackReader reader)
    {
        var runs = new RunReader(ref reader, columns.CellCount);
        Span<CellColumn> cells = columns.Cells.AsSpan(0, columns.CellCount);
        for (int i = 0; i < cells.Length; i++)
        {
            long kind = runs.Next(ref reader);
            if (kind is < (long)CellKind.Register or > CellKinds.LargestSent)
                throw FrameReader.Fault($"Cell kind {kind} is unknown.", reader.Consumed);
            cells[i] = new CellColumn { Kind = (CellKind)kind };
            if (CellKinds.HasField((CellKind)kind)) _fieldCells++;
        }

        runs.Complete(ref reader);
    }

    private void ReadKeys(ref MessagePackReader reader)
    {
        // The runs of cells that share a key must be known before the lengths; both stand before the bytes.
        int keys = 0;
        var keyRuns = new RunReader(ref reader, int.MaxValue);
        Span<CellColumn> cells = columns.Cells.AsSpan(0, columns.CellCount);
        for (int i = 0; i < cells.Length; keys++)
        {
            long run = keyRuns.Next(ref reader);
            if (run < 1 || run > cells.Length - i) throw FrameReader.Fault("A key's run is too long.", reader.Consumed);
            for (int j = 1; j < run; j++)
            {
                if (!CellKinds.HasField(cells[i + j].Kind)
                    || CellKinds.RecordOf(cells[i + j].Kind) != CellKinds.RecordOf(cells[i].Kind))
                    throw FrameReader.Fault("Cells of several records share a key.", reader.Consumed);
                cells[i + j].KeyLength = -1;
            }

            i += (int)run;
        }

        keyRuns.Complete(ref reader);
        var lengths = new RunReader(ref reader, keys);
        long total = 0;
        for (int i = 0; i < cells.Length; i++)
        {
            if (cells[i].KeyLength < 0) continue;
            cells[i].KeyLength = ReadLength(ref lengths, ref reader);
            total += cells[i].KeyLength;
        }

        lengths.Complete(ref reader);
        int at = ReadBytes(ref reader, total);
        bool isAscii = IsValidText(at, (int)total, reader.Consumed);
        ReadOnlySpan<byte> source = columns.Source.Span;
        for (int i = 0; i < cells.Length; i++)
        {
            if (cells[i].KeyLength < 0)
            {
                (cells[i].KeyAt, cells[i].KeyLength) = (cells[i - 1].KeyAt, cells[i - 1].KeyLength);
                continue;
            }

            if (!isAscii && (source[at] & 0xC0) == 0x80) throw FrameReader.Fault("A key is not UTF-8.", at);
            cells[i].KeyAt = at;
            at += cells[i].KeyLength;
        }
    }

    private void ReadFields(ref MessagePackReader reader)
    {
        var lengths = new RunReader(ref reader, _fieldCells);
        Span<CellColumn> cells = columns.Cells.AsSpan(0, columns.CellCount);
        long total = 0;
        for (int i = 0; i < cells.Length && _fieldCells > 0; i++)
        {
            if (!CellKinds.HasField(cells[i].Kind)) continue;
            cells[i].FieldLength = ReadLength(ref lengths, ref reader);
            total += cells[i].FieldLength;
        }

        lengths.Complete(ref reader);
        int at = ReadBytes(ref reader, total);
        ReadOnlySpan<byte> source = columns.Source.Span;
        for (int i = 0; i < cells.Length && _fieldCells > 0; i++)
        {
            ref CellColumn cell = ref cells[i];
            if (!CellKinds.HasField(cell.Kind)) continue;
            cell.FieldAt = at;
            at += cell.FieldLength;
            if (!IsField(cell.Kind, source.Slice(cell.FieldAt, cell.FieldLength)))
                throw FrameReader.Fault("A field does not fit its kind.", cell.FieldAt);
        }
    }

    private static bool IsField(CellKind kind, ReadOnlySpan<byte> field) => kind switch
    {
        CellKind.MapField => Utf8.IsValid(field),
        CellKind.SetElement => ValueScanner.Measure(field, out _) == field.Length,
        _ => ListPosition.IsValid(field),
    };

    private void ReadEntryCounts(ref MessagePackReader reader)
    {
        var counts = new RunReader(ref reader, columns.CellCount);
        Span<CellColumn> cells = columns.Cells.AsSpan(0, columns.CellCount);
        int first = 0;
        for (int i = 0; i < cells.Length; i++)
        {
            long count = counts.Next(ref reader);
            if (count < 0 || count > columns.EntryCount - first || (count == 0 && type != FrameType.Stored))
                throw FrameReader.Fault("A cell has no entry, or more than the frame.", reader.Consumed);
            (cells[i].FirstEntry, cells[i].EntryCount) = (first, (int)count);
            first += (int)count;
        }

        counts.Complete(ref reader);
        if (first != columns.EntryCount) throw FrameReader.Fault("Entries belong to no cell.", reader.Consumed);
    }

    private void ReadReplicas(ref MessagePackReader reader)
    {
        var replicas = new RunReader(ref reader, columns.EntryCount);
        Span<EntryColumn> entries = columns.Entries.AsSpan(0, columns.EntryCount);
        int known = columns.Replicas.Length;
        for (int i = 0; i < entries.Length; i++)
        {
            long replica = replicas.Next(ref reader);
            if ((ulong)replica >= (ulong)known)
                throw FrameReader.Fault("An entry's replica is not in the table.", reader.Consumed);
            entries[i].Replica = (int)replica;
        }

        replicas.Complete(ref reader);
    }

    private void ReadCounters(ref MessagePackReader reader)
    {
        var counters = new RunReader(ref reader, columns.EntryCount);
        Span<EntryColumn> entries = columns.Entries.AsSpan(0, columns.EntryCount);
        var last = new long[columns.Replicas.Length];
        long[] to = columns.To;
        bool rises = true;
        for (int i = 0; i < entries.Length; i++)
        {
            ref EntryColumn entry = ref entries[i];
            long step = counters.Next(ref reader);
            long counter = checked(last[entry.Replica] + step);
            rises &= step > 0;
            if (counter < 1 || (type != FrameType.Stored && counter > to[entry.Replica]))
                throw FrameReader.Fault("An entry's counter lies outside the vector.", reader.Consumed);
            entry.Counter = last[entry.Replica] = counter;
        }

        counters.Complete(ref reader);
        if (!rises && type != FrameType.Stored) RefuseTwins(entries, reader.Consumed);
    }

    /// <summary>No dot may name two writes. Needed only where counters do not rise, which shows it at once.</summary>
    private static void RefuseTwins(ReadOnlySpan<EntryColumn> entries, long offset)
    {
        var dots = new (int, long)[entries.Length];
        for (int i = 0; i < entries.Length; i++) dots[i] = (entries[i].Replica, entries[i].Counter);
        Array.Sort(dots);
        for (int i = 1; i < dots.Length; i++)
            if (dots[i] == dots[i - 1]) throw FrameReader.Fault("Two entries have one dot.", offset);
    }

    private void ReadClocks(ref MessagePackReader reader)
    {
        var clocks = new RunReader(ref reader, columns.EntryCount);
        Span<EntryColumn> entries = columns.Entries.AsSpan(0, columns.EntryCount);
        long last = 0;
        ulong latest = 0;
        for (int i = 0; i < entries.Length; i++)
        {
            last = unchecked(last + clocks.Next(ref reader));
            entries[i].Clock = unchecked((ulong)last);
            latest = Math.Max(latest, entries[i].Clock);
        }

        columns.LatestClock = new HybridTimestamp(latest);

        clocks.Complete(ref reader);
    }

    private void ReadStates(ref MessagePackReader reader)
    {
        var states = new RunReader(ref reader, columns.EntryCount);
        Span<EntryColumn> entries = columns.Entries.AsSpan(0, columns.EntryCount);
        for (int i = 0; i < entries.Length; i++)
        {
            long state = states.Next(ref reader);
            if (state is not (0 or 1)) throw FrameReader.Fault("An entry's state is unknown.", reader.Consumed);
            entries[i].ValueLength = state == 1 ? 0 : -1;
        }

        states.Complete(ref reader);
    }

    private void ReadValues(ref MessagePackReader reader)
    {
        int count = FrameReader.ReadCount(ref reader, columns.EntryCount), read = 0;
        ReadOnlySpan<byte> source = columns.Source.Span;
        int start = (int)reader.Consumed, at = start;
        Span<CellColumn> cells = columns.Cells.AsSpan(0, columns.CellCount);
        foreach (ref readonly CellColumn cell in cells)
        {
            foreach (ref EntryColumn entry in columns.Entries.AsSpan(cell.FirstEntry, cell.EntryCount))
            {
                if (entry.ValueLength == 0) continue;
                int length = ValueScanner.Measure(source[at..], out int fault);
                if (length < 0) throw FrameReader.Fault("A value is malformed.", at + fault);
                if (length > FrameLimits.ValueBytesMax || !FitsKind(cell.Kind, source.Slice(at, length)))
                    throw FrameReader.Fault("A value is too large or does not fit its kind.", at);
                (entry.ValueAt, entry.ValueLength) = (at, length);
                at += length;
                read++;
            }
        }

        if (read != count) throw FrameReader.Fault("The number of values is wrong.", at);
        if (at > start) reader.ReadRaw(at - start);
    }

    private static bool FitsKind(CellKind kind, ReadOnlySpan<byte> value) => kind switch
    {
        CellKind.Register or CellKind.MapField or CellKind.ListValue => true,
        CellKind.Counter => ValueScanner.IsInteger(value[0]),
        CellKind.Max or CellKind.Min => ValueScanner.IsInteger(value[0]) || value[0] == MessagePackCode.Float64,
        CellKind.SetElement => value[0] == MessagePackCode.Nil,
        _ => IsPlace(value),
    };

    private static bool IsPlace(ReadOnlySpan<byte> value)
    {
        if (value[0] is < MessagePackCode.Bin8 or > MessagePackCode.Bin32) return false;
        int header = ValueScanner.ReadHeader(value, out int count);
        return ListPosition.IsValid(value.Slice(header, count));
    }

    private void ReadRevisions(ref MessagePackReader reader)
    {
        if (type != FrameType.Stored)
        {
            if (!reader.TryReadNil()) throw FrameReader.Fault("Only a stored frame has revisions.", reader.Consumed);
            return;
        }

        var runs = new RunReader(ref reader, columns.CellCount);
        RevisionsBelow = new long[columns.CellCount];
        for (int i = 0; i < RevisionsBelow.Length; i++) RevisionsBelow[i] = runs.Next(ref reader);
        runs.Complete(ref reader);
    }

    private static int ReadLength(ref RunReader lengths, ref MessagePackReader reader)
    {
        long length = lengths.Next(ref reader);
        if (length is < 1 or > FrameLimits.TextBytesMax)
            throw FrameReader.Fault("A key or field is empty or too long.", reader.Consumed);
        return (int)length;
    }

    private static int ReadBytes(ref MessagePackReader reader, long length)
    {
        var bytes = reader.ReadBytes();
        if (bytes is null || bytes.Value.Length != length)
            throw FrameReader.Fault("Keys or fields do not have the lengths that are given.", reader.Consumed);
        return (int)(reader.Consumed - length);
    }

    private bool IsValidText(int at, int length, long offset)
    {
        ReadOnlySpan<byte> text = columns.Source.Span.Slice(at, length);
        if (!Utf8.IsValid(text)) throw FrameReader.Fault("A key is not UTF-8.", offset);
        return !text.ContainsNonAscii();
    }
}
