using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace SyncEngine.LiteDB.Wal;

/// <summary>
/// What this package writes into the unused bytes of LiteDB's header page: which database it is, which log was last
/// checkpointed into it, and how many commits it holds.
/// </summary>
internal readonly record struct PageStamp(Guid Database, ulong CheckpointId, long Commits)
{
    public const uint CurrentVersion = 1;
    private const int Offset = 112;
    private const int Length = 56;
    private static readonly byte[] _magic = Encoding.ASCII.GetBytes("SyncEng\0");
    private static readonly byte[] _liteDb = Encoding.ASCII.GetBytes("** This is a LiteDB file **");

    public static bool IsLiteDb(ReadOnlySpan<byte> page) =>
        page.Length == Page.Size && page.Slice(32, _liteDb.Length).SequenceEqual(_liteDb);

    /// <summary>The format version, or null if the page carries no stamp at all.</summary>
    public static uint? Version(ReadOnlySpan<byte> page) =>
        page.Slice(Offset, 8).SequenceEqual(_magic)
            ? BinaryPrimitives.ReadUInt32LittleEndian(page[(Offset + 8)..])
            : null;

    public static bool TryRead(ReadOnlySpan<byte> page, out PageStamp stamp)
    {
        var bytes = page.Slice(Offset, Length);
        stamp = new PageStamp(new Guid(bytes.Slice(16, 16)), BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]));
        return bytes[..8].SequenceEqual(_magic)
            && XxHash3.HashToUInt64(bytes[..48]) == BinaryPrimitives.ReadUInt64LittleEndian(bytes[48..]);
    }

    public void Write(Span<byte> page)
    {
        var bytes = page.Slice(Offset, Length);
        _magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], CurrentVersion);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[12..], 0);
        _ = Database.TryWriteBytes(bytes[16..]);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[32..], CheckpointId);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[40..], Commits);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[48..], XxHash3.HashToUInt64(bytes[..48]));
    }
}
