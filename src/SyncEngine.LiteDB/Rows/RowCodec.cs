using System.Buffers.Binary;
using System.IO.Hashing;
using LiteDB;

namespace SyncEngine.LiteDB.Rows;

/// <summary>The collections of a store.</summary>
internal sealed class Table
{
    public static readonly Table Log = new("log", 1);
    public static readonly Table Snapshot = new("snap", 2);
    public static readonly Table Metadata = new("meta", 3);
    public static readonly Table Heads = new("heads", 4);
    public static readonly Table Own = new("own", 5);
    public static readonly Table Junk = new("junk", 6);

    /// <summary>
    /// Further pieces of rows that are too large for one document, by <see cref="RowCodec.PieceId"/>.
    /// </summary>
    public const string Pieces = "more";

    /// <summary>Copies of rows that failed their check, by <see cref="RowCodec.PieceId"/> with piece 0.</summary>
    public const string LostName = "lost";

    private Table(string name, byte tag)
    {
        Name = name;
        Tag = tag;
    }

    public string Name { get; }

    public byte Tag { get; }
}

/// <summary>
/// A row: bytes under a number. Its document is <c>{ _id, b }</c>, where b is 8 bytes of XxHash3 and the bytes; a row
/// too large for one document has its count of pieces in n and the other pieces in a collection of their own.
/// </summary>
internal static class RowCodec
{
    public const int HashLength = 8;

    /// <summary>The bytes of a row that one document takes; half of what LiteDB allows.</summary>
    public const int PieceBytesMax = 8 * 1024 * 1024;

    public static BsonDocument Encode(Table table, long id, ReadOnlySpan<byte> bytes)
    {
        var first = bytes[..Math.Min(bytes.Length, PieceBytesMax)];
        var stored = new byte[HashLength + first.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(stored, Hash(table, id, bytes));
        first.CopyTo(stored.AsSpan(HashLength));
        var document = new BsonDocument { ["_id"] = id, ["b"] = stored };
        if (PieceCount(bytes.Length) is var count and > 1) document["n"] = count;
        return document;
    }

    /// <summary>The further documents of a large row.</summary>
    public static IEnumerable<BsonDocument> EncodePieces(Table table, long id, ReadOnlyMemory<byte> bytes)
    {
        for (var piece = 1; piece < PieceCount(bytes.Length); piece++)
        {
            var rest = bytes[(piece * PieceBytesMax)..];
            yield return new BsonDocument
            {
                ["_id"] = PieceId(table, id, piece),
                ["b"] = rest[..Math.Min(rest.Length, PieceBytesMax)].ToArray(),
            };
        }
    }

    public static int PieceCount(int length) => Math.Max(1, (length + PieceBytesMax - 1) / PieceBytesMax);

    /// <summary>How many pieces a row's document says it has.</summary>
    public static int PieceCount(BsonDocument document) =>
        document.TryGetValue("n", out var count) && count.IsInt32 ? count.AsInt32 : 1;

    public static byte[] PieceId(Table table, long id, int piece)
    {
        var key = new byte[13];
        key[0] = table.Tag;
        BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(1), id);
        BinaryPrimitives.WriteInt32BigEndian(key.AsSpan(9), piece);
        return key;
    }

    /// <summary>
    /// Gets the bytes of a row of one piece, or of a larger one put together; false if they fail the check.
    /// </summary>
    public static bool TryDecode(Table table, long id, BsonDocument document, Func<byte[], byte[]?> readPiece,
        out ReadOnlyMemory<byte> bytes)
    {
        bytes = default;
        if (!document.TryGetValue("b", out var value)) return false;
        if (value.AsBinary is not { Length: >= HashLength } stored) return false;
        bytes = stored.AsMemory(HashLength);
        if (PieceCount(document) is var count and > 1)
        {
            using var whole = new MemoryStream();
            whole.Write(bytes.Span);
            for (var piece = 1; piece < count; piece++)
            {
                if (readPiece(PieceId(table, id, piece)) is not { } more) return false;
                whole.Write(more);
            }

            bytes = whole.GetBuffer().AsMemory(0, (int)whole.Length);
        }

        return BinaryPrimitives.ReadUInt64LittleEndian(stored) == Hash(table, id, bytes.Span);
    }

    /// <summary>The number is part of the hash, so that a row found under another's number is noticed.</summary>
    private static ulong Hash(Table table, long id, ReadOnlySpan<byte> bytes) =>
        XxHash3.HashToUInt64(bytes, id ^ ((long)table.Tag << 56));
}
