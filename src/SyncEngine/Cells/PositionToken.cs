namespace SyncEngine.Cells;

/// <summary>
/// A signed number as one to five bytes whose unsigned byte order is the order of the numbers; no encoding is the
/// start of another. A number from 0 on is <c>10xxxxxx</c>, <c>110xxxxx</c> and one byte more, up to <c>111110xx</c>
/// and four more; a negative one is the complement of every byte of the encoding of its own complement.
/// </summary>
internal static class PositionToken
{
    public const int LengthMax = 5;

    /// <summary>The greatest number; the least is its complement.</summary>
    public const long Max = (1L << 34) - 1;

    public static int Write(Span<byte> target, long token)
    {
        long magnitude = token < 0 ? ~token : token;
        byte flip = token < 0 ? (byte)0xff : (byte)0;
        int length = 1;
        while (magnitude >> BitCount(length) != 0) length++;
        for (int index = length - 1; index >= 0; index--)
        {
            target[index] = (byte)((byte)magnitude ^ flip);
            magnitude >>= 8;
        }
        target[0] = (byte)(target[0] ^ Marker(length));
        return length;
    }

    /// <summary>Reads a number; the length is 0 if the bytes are not the shortest encoding of one.</summary>
    public static int Read(ReadOnlySpan<byte> source, out long token)
    {
        token = 0;
        if (source.Length == 0) return 0;
        byte flip = source[0] < 0x80 ? (byte)0xff : (byte)0;
        int first = source[0] ^ flip;
        int length = 1;
        while (length <= LengthMax && (first & (0x80 >> length)) != 0) length++;
        if (length > LengthMax || source.Length < length) return 0;

        long magnitude = first ^ Marker(length);
        for (int index = 1; index < length; index++) magnitude = (magnitude << 8) | (byte)(source[index] ^ flip);
        if (length > 1 && magnitude >> BitCount(length - 1) == 0) return 0;
        token = flip != 0 ? ~magnitude : magnitude;
        return length;
    }

    private static int BitCount(int length) => (7 * length) - 1;

    /// <summary>The leading bits of the first byte that tell the length: as many ones as there are bytes.</summary>
    private static int Marker(int length) => 0xff & ~(0xff >> length);
}
