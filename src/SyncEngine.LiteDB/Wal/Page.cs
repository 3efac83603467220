using System.Buffers.Binary;
using System.IO.Hashing;

namespace SyncEngine.LiteDB.Wal;

/// <summary>The parts of a LiteDB page that this package reads or fills in.</summary>
/// <remarks>
/// LiteDB keeps a transaction's number in bytes 14 to 17 and its confirmation in byte 18. In the data file both mean
/// nothing, so a page's checksum lives there; all ones, which LiteDB itself writes, means a page without one.
/// </remarks>
internal static class Page
{
    public const int Size = 8192;
    private const int TypeOffset = 4;
    private const int TransactionOffset = 14;
    private const int ConfirmedOffset = 18;
    private const byte DataType = 4;

    public static long Position(ReadOnlySpan<byte> page) => BinaryPrimitives.ReadUInt32LittleEndian(page) * (long)Size;

    public static bool IsHeader(ReadOnlySpan<byte> page) => BinaryPrimitives.ReadUInt32LittleEndian(page) == 0;

    public static uint Transaction(ReadOnlySpan<byte> page) =>
        BinaryPrimitives.ReadUInt32LittleEndian(page[TransactionOffset..]);

    public static bool IsConfirmed(ReadOnlySpan<byte> page) => page[ConfirmedOffset] != 0;

    /// <summary>A page of documents; the frames in it carry checks of their own.</summary>
    public static bool IsData(ReadOnlySpan<byte> page) => page[TypeOffset] == DataType;

    public static void MarkConfirmed(Span<byte> page, uint transaction)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(page[TransactionOffset..], transaction);
        page[ConfirmedOffset] = 1;
    }

    /// <summary>Puts the checksum into a page that goes to the data file.</summary>
    public static void Seal(Span<byte> page)
    {
        page[ConfirmedOffset] = 0;
        BinaryPrimitives.WriteUInt32LittleEndian(page[TransactionOffset..], Checksum(page));
    }

    /// <summary>Checks a page of the data file and gives it back the look that LiteDB expects.</summary>
    public static bool Unseal(Span<byte> page, long position)
    {
        var stored = Transaction(page);
        var sound = stored == uint.MaxValue || (stored == Checksum(page) && Position(page) == position);
        BinaryPrimitives.WriteUInt32LittleEndian(page[TransactionOffset..], uint.MaxValue);
        return sound;
    }

    private static uint Checksum(Span<byte> page)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(page[TransactionOffset..], 0);
        var hash = (uint)XxHash3.HashToUInt64(page);
        return hash == uint.MaxValue ? 0 : hash;
    }
}
