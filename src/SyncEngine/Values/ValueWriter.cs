using System.Buffers.Binary;
using System.Text;
using MessagePack;

namespace SyncEngine.Values;

/// <summary>
/// Writes one canonical scalar into a span that is long enough and returns its length in bytes. Nothing is allocated,
/// so that counters and stored text go straight into their final memory.
/// </summary>
internal static class ValueWriter
{
    public const int IntegerLengthMax = 9;
    public const int DoubleLength = 9;
    public const int TimestampLengthMax = 15;
    public const int HeaderLengthMax = 5;

    /// <summary>
    /// The one bit pattern a NaN is stored as, so that equal values have equal bytes on every machine.
    /// </summary>
    public const long CanonicalNaN = 0x7ff8_0000_0000_0000;

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    public static int WriteInteger(Span<byte> target, long value)
    {
        if (value is >= -32 and <= 127)
        {
            target[0] = unchecked((byte)value);
            return 1;
        }
        return value >= 0 ? WriteUnsigned(target, (ulong)value) : WriteNegative(target, value);
    }

    public static int WriteDouble(Span<byte> target, double value)
    {
        long bits = double.IsNaN(value) ? CanonicalNaN : BitConverter.DoubleToInt64Bits(value);
        target[0] = MessagePackCode.Float64;
        BinaryPrimitives.WriteInt64BigEndian(target.Slice(1), bits);
        return DoubleLength;
    }

    /// <summary>Encoded length of a text in bytes, its header included.</summary>
    /// <exception cref="ArgumentException">The text holds a lone surrogate.</exception>
    public static int StringLength(ReadOnlySpan<char> value)
    {
        int byteCount = StrictUtf8.GetByteCount(value);
        return StringHeaderLength(byteCount) + byteCount;
    }

    /// <exception cref="ArgumentException">The text holds a lone surrogate, or the target is too short.</exception>
    public static int WriteString(Span<byte> target, ReadOnlySpan<char> value)
    {
        if (value.Length <= 10)
        {
            // At most three bytes a character: the header is one byte whatever the text holds, so one pass will do.
            int shortCount = StrictUtf8.GetBytes(value, target.Slice(1));
            target[0] = (byte)(MessagePackCode.MinFixStr | shortCount);
            return 1 + shortCount;
        }
        int byteCount = StrictUtf8.GetByteCount(value);
        int headerLength = WriteStringHeader(target, byteCount);
        return headerLength + StrictUtf8.GetBytes(value, target.Slice(headerLength));
    }

    public static int BytesLength(int count) => BytesHeaderLength(count) + count;

    public static int WriteBytes(Span<byte> target, ReadOnlySpan<byte> value)
    {
        int headerLength = BytesHeaderLength(value.Length);
        WriteHeader(target, value.Length, MessagePackCode.Bin8, headerLength);
        value.CopyTo(target.Slice(headerLength));
        return headerLength + value.Length;
    }

    public static int WriteTimestamp(Span<byte> target, DateTimeOffset value)
    {
        long ticks = value.UtcTicks - DateTimeOffset.UnixEpoch.Ticks;
        long seconds = Math.DivRem(ticks, TimeSpan.TicksPerSecond, out long remainder);
        if (remainder < 0)
        {
            seconds--;
            remainder += TimeSpan.TicksPerSecond;
        }
        uint nanoseconds = (uint)remainder * 100;
        if (seconds >> 34 != 0)
        {
            target[0] = MessagePackCode.Ext8;
            target[1] = 12;
            target[2] = unchecked((byte)ReservedMessagePackExtensionTypeCode.DateTime);
            BinaryPrimitives.WriteUInt32BigEndian(target.Slice(3), nanoseconds);
            BinaryPrimitives.WriteInt64BigEndian(target.Slice(7), seconds);
            return TimestampLengthMax;
        }
        target[1] = unchecked((byte)ReservedMessagePackExtensionTypeCode.DateTime);
        if (nanoseconds != 0 || seconds > uint.MaxValue)
        {
            target[0] = MessagePackCode.FixExt8;
            BinaryPrimitives.WriteUInt64BigEndian(target.Slice(2), ((ulong)nanoseconds << 34) | (ulong)seconds);
            return 10;
        }
        target[0] = MessagePackCode.FixExt4;
        BinaryPrimitives.WriteUInt32BigEndian(target.Slice(2), (uint)seconds);
        return 6;
    }

    private static int WriteUnsigned(Span<byte> target, ulong value)
    {
        if (value <= byte.MaxValue)
        {
            target[1] = (byte)value;
            target[0] = MessagePackCode.UInt8;
            return 2;
        }
        if (value <= ushort.MaxValue)
        {
            target[0] = MessagePackCode.UInt16;
            BinaryPrimitives.WriteUInt16BigEndian(target.Slice(1), (ushort)value);
            return 3;
        }
        if (value <= uint.MaxValue)
        {
            target[0] = MessagePackCode.UInt32;
            BinaryPrimitives.WriteUInt32BigEndian(target.Slice(1), (uint)value);
            return 5;
        }
        target[0] = MessagePackCode.UInt64;
        BinaryPrimitives.WriteUInt64BigEndian(target.Slice(1), value);
        return 9;
    }

    private static int WriteNegative(Span<byte> target, long value)
    {
        if (value >= sbyte.MinValue)
        {
            target[1] = unchecked((byte)value);
            target[0] = MessagePackCode.Int8;
            return 2;
        }
        if (value >= short.MinValue)
        {
            target[0] = MessagePackCode.Int16;
            BinaryPrimitives.WriteInt16BigEndian(target.Slice(1), (short)value);
            return 3;
        }
        if (value >= int.MinValue)
        {
            target[0] = MessagePackCode.Int32;
            BinaryPrimitives.WriteInt32BigEndian(target.Slice(1), (int)value);
            return 5;
        }
        target[0] = MessagePackCode.Int64;
        BinaryPrimitives.WriteInt64BigEndian(target.Slice(1), value);
        return 9;
    }

    private static int StringHeaderLength(int byteCount) =>
        byteCount <= MessagePackRange.MaxFixStringLength ? 1 : BytesHeaderLength(byteCount);

    private static int BytesHeaderLength(int count) =>
        count <= byte.MaxValue ? 2 : count <= ushort.MaxValue ? 3 : HeaderLengthMax;

    private static int WriteStringHeader(Span<byte> target, int byteCount)
    {
        int headerLength = StringHeaderLength(byteCount);
        if (headerLength == 1) target[0] = (byte)(MessagePackCode.MinFixStr | byteCount);
        else WriteHeader(target, byteCount, MessagePackCode.Str8, headerLength);
        return headerLength;
    }

    /// <summary>Writes an 8, 16 or 32-bit length; the three codes of a family follow one another.</summary>
    private static void WriteHeader(Span<byte> target, int count, byte firstCode, int headerLength)
    {
        switch (headerLength)
        {
            case 2:
                target[1] = (byte)count;
                target[0] = firstCode;
                break;
            case 3:
                target[0] = (byte)(firstCode + 1);
                BinaryPrimitives.WriteUInt16BigEndian(target.Slice(1), (ushort)count);
                break;
            default:
                target[0] = (byte)(firstCode + 2);
                BinaryPrimitives.WriteUInt32BigEndian(target.Slice(1), (uint)count);
                break;
        }
    }
}
