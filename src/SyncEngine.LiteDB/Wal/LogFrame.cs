using System.Buffers.Binary;
using System.IO.Hashing;

namespace SyncEngine.LiteDB.Wal;

/// <summary>A page in the log file and the trailer that chains it to the frames before it.</summary>
internal static class LogFrame
{
    public const int TrailerSize = 32;
    public const int Size = Page.Size + TrailerSize;
    private const int HashedLength = Size - 8;

    /// <summary>Fills in the trailer; returns the hash that the next frame chains to.</summary>
    public static ulong Seal(Span<byte> frame, ulong salt, long commits, int index, int syncs, ulong previousHash)
    {
        var trailer = frame[Page.Size..];
        BinaryPrimitives.WriteUInt64LittleEndian(trailer, salt);
        BinaryPrimitives.WriteInt64LittleEndian(trailer[8..], commits);
        BinaryPrimitives.WriteInt32LittleEndian(trailer[16..], index);
        BinaryPrimitives.WriteInt32LittleEndian(trailer[20..], syncs);
        var hash = XxHash3.HashToUInt64(frame[..HashedLength], unchecked((long)previousHash));
        BinaryPrimitives.WriteUInt64LittleEndian(trailer[24..], hash);
        return hash;
    }

    public static bool IsValid(ReadOnlySpan<byte> frame, ulong salt, int index, ulong previousHash, bool checkHash,
        out ulong hash)
    {
        var trailer = frame[Page.Size..];
        hash = BinaryPrimitives.ReadUInt64LittleEndian(trailer[24..]);
        return BinaryPrimitives.ReadUInt64LittleEndian(trailer) == salt
            && BinaryPrimitives.ReadInt32LittleEndian(trailer[16..]) == index
            && (!checkHash || hash == XxHash3.HashToUInt64(frame[..HashedLength], unchecked((long)previousHash)));
    }

    /// <summary>
    /// How often this log had been synced when the frame was written, or −1 if the trailer is not this log's.
    /// </summary>
    public static int Syncs(ReadOnlySpan<byte> frame, ulong salt, int index)
    {
        var trailer = frame[Page.Size..];
        return BinaryPrimitives.ReadUInt64LittleEndian(trailer) == salt
            && BinaryPrimitives.ReadInt32LittleEndian(trailer[16..]) == index
            ? BinaryPrimitives.ReadInt32LittleEndian(trailer[20..])
            : -1;
    }

    /// <summary>The hash that a frame carries, whatever its bytes are.</summary>
    public static ulong StoredHash(ReadOnlySpan<byte> frame) =>
        BinaryPrimitives.ReadUInt64LittleEndian(frame[(Size - 8)..]);

    public static long Commits(ReadOnlySpan<byte> frame) =>
        BinaryPrimitives.ReadInt64LittleEndian(frame[(Page.Size + 8)..]);
}
