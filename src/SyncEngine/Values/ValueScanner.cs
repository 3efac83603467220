using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text.Unicode;
using MessagePack;

namespace SyncEngine.Values;

/// <summary>
/// Checks that bytes start with one canonical value and measures it. The input may be hostile: it never throws, never
/// allocates, reads each byte a bounded number of times and descends at most <see cref="DepthMax"/> levels.
/// </summary>
/// <remarks>
/// Canonical means that a value has exactly one encoding: shortest integers, non-negative ones unsigned; shortest
/// lengths and counts; 64-bit floating point only, with one NaN; well-formed UTF-8; map keys are text, strictly
/// ascending by their UTF-8 bytes; the shortest of the three timestamp forms; no other extension type.
/// </remarks>
internal static class ValueScanner
{
    /// <summary>How many arrays and maps may lie within one another.</summary>
    public const int DepthMax = 32;

    private const long TimestampSecondsMin = -62_135_596_800;
    private const long TimestampSecondsMax = 253_402_300_799;
    private const uint NanosecondsMax = 999_999_999;
    private const byte TimestampType = 0xff;

    /// <summary>The length in bytes of the canonical value at the start of <paramref name="source"/>, or −1.</summary>
    /// <param name="source">The value and whatever follows it.</param>
    /// <param name="faultOffset">Where the innermost item at fault starts; 0 if there is none.</param>
    public static int Measure(ReadOnlySpan<byte> source, out int faultOffset)
    {
        faultOffset = 0;
        if (source.Length == 0) return -1;
        byte code = source[0];
        if (code <= MessagePackCode.MaxFixInt || code >= MessagePackCode.MinNegativeFixInt) return 1;
        if ((code & 0xe0) == MessagePackCode.MinFixStr)
        {
            int count = code & 0x1f;
            if (count < source.Length && IsAscii(source.Slice(1, count))) return 1 + count;
        }
        else if (code == MessagePackCode.Str8 && source.Length >= 34)
        {
            int count = source[1];
            if (count >= 32 && count <= source.Length - 2 && IsAscii(source.Slice(2, count))) return 2 + count;
        }
        return MeasureItem(source, 0, 0, ref faultOffset);
    }

    /// <summary>Whether the code starts an integer.</summary>
    public static bool IsInteger(byte code) =>
        code <= MessagePackCode.MaxFixInt || code >= MessagePackCode.MinNegativeFixInt
        || code is >= MessagePackCode.UInt8 and <= MessagePackCode.Int64;

    /// <summary>Reads the integer that a canonical value holds; false if it holds anything else.</summary>
    public static bool TryReadInteger(ReadOnlySpan<byte> encoded, out long value)
    {
        value = 0;
        if (encoded.Length == 0) return false;
        byte code = encoded[0];
        if (encoded.Length == 1)
        {
            value = (sbyte)code;
            return code <= MessagePackCode.MaxFixInt || code >= MessagePackCode.MinNegativeFixInt;
        }
        switch (code)
        {
            case MessagePackCode.UInt8:
                value = encoded[1];
                return true;
            case MessagePackCode.Int8:
                value = (sbyte)encoded[1];
                return true;
            case MessagePackCode.UInt16 when encoded.Length >= 3:
                value = BinaryPrimitives.ReadUInt16BigEndian(encoded.Slice(1));
                return true;
            case MessagePackCode.Int16 when encoded.Length >= 3:
                value = BinaryPrimitives.ReadInt16BigEndian(encoded.Slice(1));
                return true;
            case MessagePackCode.UInt32 when encoded.Length >= 5:
                value = BinaryPrimitives.ReadUInt32BigEndian(encoded.Slice(1));
                return true;
            case MessagePackCode.Int32 when encoded.Length >= 5:
                value = BinaryPrimitives.ReadInt32BigEndian(encoded.Slice(1));
                return true;
            case MessagePackCode.UInt64 or MessagePackCode.Int64 when encoded.Length >= 9:
                value = BinaryPrimitives.ReadInt64BigEndian(encoded.Slice(1));
                return true;
            default:
                return false;
        }
    }

    /// <summary>
    /// Reads the floating-point number that a canonical value holds; false if it holds anything else.
    /// </summary>
    public static bool TryReadDouble(ReadOnlySpan<byte> encoded, out double value)
    {
        bool isDouble = encoded.Length >= ValueWriter.DoubleLength && encoded[0] == MessagePackCode.Float64;
        value = isDouble ? BitConverter.Int64BitsToDouble(BinaryPrimitives.ReadInt64BigEndian(encoded.Slice(1))) : 0;
        return isDouble;
    }

    /// <summary>
    /// Reads seconds since 1970 and nanoseconds of a canonical timestamp; false if it is anything else.
    /// </summary>
    public static bool TryReadTimestamp(ReadOnlySpan<byte> encoded, out long seconds, out uint nanoseconds)
    {
        seconds = 0;
        nanoseconds = 0;
        switch (encoded.Length)
        {
            case 6 when encoded[0] == MessagePackCode.FixExt4:
                seconds = BinaryPrimitives.ReadUInt32BigEndian(encoded.Slice(2));
                return true;
            case 10 when encoded[0] == MessagePackCode.FixExt8:
                ulong packed = BinaryPrimitives.ReadUInt64BigEndian(encoded.Slice(2));
                seconds = (long)(packed & 0x3_ffff_ffff);
                nanoseconds = (uint)(packed >> 34);
                return true;
            case 15 when encoded[0] == MessagePackCode.Ext8:
                nanoseconds = BinaryPrimitives.ReadUInt32BigEndian(encoded.Slice(3));
                seconds = BinaryPrimitives.ReadInt64BigEndian(encoded.Slice(7));
                return true;
            default:
                return false;
        }
    }

    /// <summary>
    /// The length of the header of a canonical text, byte array, array or map, and the count it tells: bytes for the
    /// first two, elements or pairs for the others.
    /// </summary>
    public static int ReadHeader(ReadOnlySpan<byte> encoded, out int count)
    {
        byte code = encoded[0];
        switch (code)
        {
            case >= MessagePackCode.MinFixMap and <= MessagePackCode.MaxFixArray:
                count = code & 0x0f;
                return 1;
            case >= MessagePackCode.MinFixStr and <= MessagePackCode.MaxFixStr:
                count = code & 0x1f;
                return 1;
            case MessagePackCode.Bin8 or MessagePackCode.Str8:
                count = encoded[1];
                return 2;
            case MessagePackCode.Bin16 or MessagePackCode.Str16 or MessagePackCode.Array16 or MessagePackCode.Map16:
                count = BinaryPrimitives.ReadUInt16BigEndian(encoded.Slice(1));
                return 3;
            default:
                count = BinaryPrimitives.ReadInt32BigEndian(encoded.Slice(1));
                return 5;
        }
    }

    /// <summary>The end of the item that starts at <paramref name="start"/>, or −1.</summary>
    private static int MeasureItem(ReadOnlySpan<byte> source, int start, int depth, ref int faultOffset)
    {
        int end = -1;
        if (start < source.Length)
        {
            byte code = source[start];
            if (IsText(code)) end = MeasureText(source, start);
            else if (IsCollection(code)) return MeasureCollection(source, start, depth, ref faultOffset);
            else end = MeasureScalar(source.Slice(start), code) is var length and > 0 ? start + length : -1;
        }
        if (end < 0) faultOffset = start;
        return end;
    }

    private static int MeasureScalar(ReadOnlySpan<byte> item, byte code)
    {
        switch (code)
        {
            case <= MessagePackCode.MaxFixInt or >= MessagePackCode.MinNegativeFixInt:
            case MessagePackCode.Nil or MessagePackCode.False or MessagePackCode.True:
                return 1;
            case >= MessagePackCode.UInt8 and <= MessagePackCode.Int64:
                return MeasureInteger(item, code);
            case MessagePackCode.Float64:
                return TryReadDouble(item, out double number) && IsCanonical(number) ? ValueWriter.DoubleLength : -1;
            case MessagePackCode.FixExt4 or MessagePackCode.FixExt8 or MessagePackCode.Ext8:
                return MeasureTimestamp(item, code);
            case >= MessagePackCode.Bin8 and <= MessagePackCode.Bin32:
                int headerLength = MeasureHeader(item, code - MessagePackCode.Bin8, 0, out uint count);
                bool isWhole = headerLength > 0 && count <= (uint)(item.Length - headerLength);
                return isWhole ? headerLength + (int)count : -1;
            default:
                return -1;
        }
    }

    private static bool IsCanonical(double number) =>
        !double.IsNaN(number) || BitConverter.DoubleToInt64Bits(number) == ValueWriter.CanonicalNaN;

    private static int MeasureInteger(ReadOnlySpan<byte> item, byte code)
    {
        if (!TryReadInteger(item, out long value)) return -1;
        return code switch
        {
            MessagePackCode.UInt8 => value > MessagePackCode.MaxFixInt ? 2 : -1,
            MessagePackCode.UInt16 => value > byte.MaxValue ? 3 : -1,
            MessagePackCode.UInt32 => value > ushort.MaxValue ? 5 : -1,
            // Above the greatest signed integer the bits read as a negative number.
            MessagePackCode.UInt64 => value > uint.MaxValue ? 9 : -1,
            MessagePackCode.Int8 => value < MessagePackRange.MinFixNegativeInt ? 2 : -1,
            MessagePackCode.Int16 => value < sbyte.MinValue ? 3 : -1,
            MessagePackCode.Int32 => value < short.MinValue ? 5 : -1,
            _ => value < int.MinValue ? 9 : -1,
        };
    }

    private static int MeasureTimestamp(ReadOnlySpan<byte> item, byte code)
    {
        int length = code switch { MessagePackCode.FixExt4 => 6, MessagePackCode.FixExt8 => 10, _ => 15 };
        if (item.Length < length) return -1;
        item = item.Slice(0, length);
        bool isTimestamp = code == MessagePackCode.Ext8
            ? item[1] == 12 && item[2] == TimestampType
            : item[1] == TimestampType;
        if (!isTimestamp || !TryReadTimestamp(item, out long seconds, out uint nanoseconds)) return -1;

        bool isMinimal = length switch
        {
            6 => true,
            10 => nanoseconds != 0 || seconds > uint.MaxValue,
            _ => seconds >> 34 != 0,
        };
        bool isInRange = nanoseconds <= NanosecondsMax && seconds is >= TimestampSecondsMin and <= TimestampSecondsMax;
        return isMinimal && isInRange ? length : -1;
    }

    private static bool IsText(byte code) =>
        (code & 0xe0) == MessagePackCode.MinFixStr || code is >= MessagePackCode.Str8 and <= MessagePackCode.Str32;

    private static bool IsCollection(byte code) =>
        code is (>= MessagePackCode.MinFixMap and <= MessagePackCode.MaxFixArray)
            or (>= MessagePackCode.Array16 and <= MessagePackCode.Map32);

    private static int MeasureText(ReadOnlySpan<byte> source, int start)
    {
        ReadOnlySpan<byte> item = source.Slice(start);
        byte code = item[0];
        uint count = (uint)(code & 0x1f);
        int headerLength = code <= MessagePackCode.MaxFixStr
            ? 1
            : MeasureHeader(item, code - MessagePackCode.Str8, MessagePackRange.MaxFixStringLength + 1, out count);
        if (headerLength < 0 || count > (uint)(item.Length - headerLength)) return -1;

        ReadOnlySpan<byte> text = item.Slice(headerLength, (int)count);
        return IsShortAscii(text) || Utf8.IsValid(text) ? start + headerLength + (int)count : -1;
    }

    private static int MeasureCollection(ReadOnlySpan<byte> source, int start, int depth, ref int faultOffset)
    {
        faultOffset = start;
        byte code = source[start];
        uint count = (uint)(code & 0x0f);
        int headerLength = 1;
        if (code >= MessagePackCode.Array16)
        {
            int width = 1 + (code - MessagePackCode.Array16 & 1);
            headerLength = MeasureHeader(source.Slice(start), width, MessagePackRange.MaxFixArrayCount + 1, out count);
        }
        if (headerLength < 0 || depth == DepthMax) return -1;

        // Each element takes a byte at least, so a count beyond the bytes that are left is refused before the loop.
        bool isMap = code <= MessagePackCode.MaxFixMap || code >= MessagePackCode.Map16;
        long itemsMin = isMap ? 2L * count : count;
        int position = start + headerLength;
        if (itemsMin > source.Length - position) return -1;

        int end = isMap
            ? MeasurePairs(source, position, (int)count, depth + 1, ref faultOffset)
            : MeasureElements(source, position, (int)count, depth + 1, ref faultOffset);
        if (end >= 0) faultOffset = 0;
        return end;
    }

    private static int MeasureElements(
        ReadOnlySpan<byte> source, int position, int count, int depth, ref int faultOffset)
    {
        for (int index = 0; index < count && position >= 0; index++)
        {
            position = MeasureItem(source, position, depth, ref faultOffset);
        }
        return position;
    }

    private static int MeasurePairs(ReadOnlySpan<byte> source, int position, int count, int depth, ref int faultOffset)
    {
        ReadOnlySpan<byte> previousKey = default;
        for (int index = 0; index < count; index++)
        {
            int keyStart = position;
            faultOffset = keyStart;
            if (keyStart >= source.Length || !IsText(source[keyStart])) return -1;
            position = MeasureText(source, keyStart);
            if (position < 0) return -1;

            ReadOnlySpan<byte> key = source.Slice(keyStart, position - keyStart);
            key = key.Slice(ReadHeader(key, out _));
            if (index > 0 && previousKey.SequenceCompareTo(key) >= 0) return -1;
            previousKey = key;
            position = MeasureItem(source, position, depth, ref faultOffset);
            if (position < 0) return -1;
        }
        return position;
    }

    /// <summary>
    /// Reads a length of 8, 16 or 32 bits (width 0, 1, 2); −1 if a shorter header would have held it.
    /// </summary>
    private static int MeasureHeader(ReadOnlySpan<byte> item, int width, uint smallest, out uint count)
    {
        count = 0;
        int headerLength = 1 + (1 << width);
        if (item.Length < headerLength) return -1;
        count = width switch
        {
            0 => item[1],
            1 => BinaryPrimitives.ReadUInt16BigEndian(item.Slice(1)),
            _ => BinaryPrimitives.ReadUInt32BigEndian(item.Slice(1)),
        };
        uint least = width switch { 0 => smallest, 1 when smallest == 16 => 16, 1 => 256, _ => 65536 };
        return count >= least ? headerLength : -1;
    }

    private static bool IsShortAscii(ReadOnlySpan<byte> text) => text.Length <= 64 && IsAscii(text);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsAscii(ReadOnlySpan<byte> text)
    {
        const ulong HighBits = 0x8080_8080_8080_8080;
        if (text.Length >= 8)
        {
            // The last word may overlap the one before it: cheaper than a loop over the odd bytes.
            ulong seen = BinaryPrimitives.ReadUInt64LittleEndian(text.Slice(text.Length - 8));
            for (int index = 0; index <= text.Length - 8; index += 8)
            {
                seen |= BinaryPrimitives.ReadUInt64LittleEndian(text.Slice(index));
            }
            return (seen & HighBits) == 0;
        }
        uint bits = 0;
        foreach (byte unit in text) bits |= unit;
        return bits < 0x80;
    }
}
