using System.IO.Hashing;

namespace SyncEngine.Cells;

/// <summary>
/// One surviving write's part in the dataset's digest. The digest is the sum of the parts modulo 2⁶⁴, so it does not
/// depend
/// on order and follows each change at constant cost. It finds mistakes and damage; it is no defence against forgery.
/// </summary>
internal static class CellDigest
{
    public static ulong TextHash(CellKind kind, ulong keyHash, ReadOnlySpan<byte> field) =>
        XxHash3.HashToUInt64(field, unchecked((long)(keyHash + (byte)kind)));

    public static ulong Part(ulong textHash, ulong replica, long counter, ulong clock, ReadOnlySpan<byte> value)
    {
        ulong mixed = Mix(textHash ^ replica);
        mixed = Mix(mixed + (ulong)counter);
        mixed = Mix(mixed ^ clock);
        return Mix(mixed + XxHash3.HashToUInt64(value));
    }

    private static ulong Mix(ulong bits)
    {
        bits = (bits ^ (bits >> 32)) * 0xD6E8FEB86659FD93;
        bits = (bits ^ (bits >> 32)) * 0xD6E8FEB86659FD93;
        return bits ^ (bits >> 32);
    }
}
