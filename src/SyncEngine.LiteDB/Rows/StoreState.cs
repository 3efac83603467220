using System.Buffers.Binary;
using LiteDB.Engine;
using SyncEngine.Causality;

namespace SyncEngine.LiteDB.Rows;

/// <summary>Where a dataset's rows are.</summary>
/// <param name="Slot">The high bits of its log rows' numbers; a new one whenever the dataset was dropped.</param>
/// <param name="Generation">The high bits of its snapshot rows' numbers; 0 for no snapshot.</param>
/// <param name="PageCount">How many pages the snapshot has.</param>
/// <param name="FirstKept">The log's rows below this sequence are replaced by the snapshot.</param>
internal readonly record struct DatasetHead(long Slot, int Generation, int PageCount, long FirstKept)
{
    private const int SequenceBits = 40;
    public const long SequenceMax = (1L << SequenceBits) - 1;

    public long LogRow(long sequence) => Slot << SequenceBits | sequence;

    public static long Sequence(long row) => row & SequenceMax;

    public static long SnapshotRow(int generation, int page) => (long)generation << 32 | (uint)page;

    public byte[] ToBytes()
    {
        var bytes = new byte[24];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, Slot);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), Generation);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), PageCount);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16), FirstKept);
        return bytes;
    }

    public static DatasetHead FromBytes(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadInt64LittleEndian(bytes), BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]));
}

/// <summary>Rows that nothing reads any more and that later commits remove a few at a time.</summary>
internal readonly record struct JunkRange(Table Table, long Low, long High)
{
    public byte[] ToBytes()
    {
        var bytes = new byte[17];
        bytes[0] = Table.Tag;
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(1), Low);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(9), High);
        return bytes;
    }

    public static JunkRange FromBytes(ReadOnlySpan<byte> bytes) => new(
        bytes[0] == Table.Log.Tag ? Table.Log : Table.Snapshot,
        BinaryPrimitives.ReadInt64LittleEndian(bytes[1..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[9..]));
}

/// <summary>The storage's own rows, kept in memory: where datasets are, what is junk, and whose file this is.</summary>
internal sealed class StoreState
{
    /// <summary>How many slots the numbers of log rows have room for.</summary>
    private const long SlotMax = (1L << 23) - 1;

    private const int OwnFixedLength = 22;

    /// <summary>Null only in a state that is being written to a copy.</summary>
    public HeadTable Heads { get; private init; } = null!;

    public SortedDictionary<long, JunkRange> Junk { get; } = new();

    public long NextSlot { get; set; } = 1;

    public long TakeSlot() => NextSlot <= SlotMax ? NextSlot++
        : throw new SyncException(SyncErrorCode.StorageFull, $"This file has held {SlotMax:N0} datasets, which is all that its "
            + "format numbers. Export the data and import it into a new file.");

    public int NextGeneration { get; set; } = 1;

    public long NextJunk { get; set; } = 1;

    /// <summary>Whether the file is a copy by its own account, as a backup is.</summary>
    public bool IsMarkedCopied { get; set; }

    /// <summary>Machine and file that the store was last claimed for; null if they could not be told.</summary>
    public byte[]? Place { get; set; }

    public static StoreState Load(LiteEngine engine)
    {
        var state = new StoreState { Heads = new HeadTable(engine) };
        var own = ReadAll(engine, Table.Own);
        if (own.Count != 1) throw new InvalidDataException("The row that describes the store is missing.");
        state.ReadOwn(own[0].Bytes.Span);
        foreach (var (id, bytes) in ReadAll(engine, Table.Junk)) state.Junk[id] = JunkRange.FromBytes(bytes.Span);
        return state;
    }

    /// <summary>The rows of a table that take several documents, and how many each.</summary>
    public static Dictionary<long, int> PieceCounts(LiteEngine engine, Table table)
    {
        var counts = new Dictionary<long, int>();
        var ids = RowReader.Ids(engine, Table.Pieces, RowCodec.PieceId(table, 0, 0), RowCodec.PieceId(table, -1, -1),
            int.MaxValue);
        foreach (var id in ids)
        {
            var key = id.AsBinary.AsSpan();
            counts[BinaryPrimitives.ReadInt64BigEndian(key[1..])] = BinaryPrimitives.ReadInt32BigEndian(key[9..]) + 1;
        }

        return counts;
    }

    public byte[] OwnToBytes()
    {
        var bytes = new byte[OwnFixedLength + (Place?.Length ?? 0)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, NextSlot);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), NextGeneration);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(12), NextJunk);
        bytes[20] = IsMarkedCopied ? (byte)1 : (byte)0;
        bytes[21] = Place is null ? (byte)0 : (byte)1;
        Place?.CopyTo(bytes, OwnFixedLength);
        return bytes;
    }

    private void ReadOwn(ReadOnlySpan<byte> bytes)
    {
        NextSlot = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        NextGeneration = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        NextJunk = BinaryPrimitives.ReadInt64LittleEndian(bytes[12..]);
        IsMarkedCopied = bytes[20] != 0;
        Place = bytes[21] != 0 ? bytes[OwnFixedLength..].ToArray() : null;
    }

    private static List<(long Id, ReadOnlyMemory<byte> Bytes)> ReadAll(LiteEngine engine, Table table)
    {
        var rows = new List<(long, ReadOnlyMemory<byte>)>();
        using var scan = new RowScan(engine, table.Name, 0, long.MaxValue - 1);
        while (scan.MoveNext())
        {
            if (scan.Document is null
                || !RowCodec.TryDecode(table, scan.Id, scan.Document, RowReader.PiecesOf(engine), out var bytes))
            {
                throw new InvalidDataException($"Row {scan.Id} of {table.Name} does not match its checksum.");
            }

            rows.Add((scan.Id, bytes));
        }

        return rows;
    }
}
