using System.IO.Hashing;
using System.Text;
using MessagePack;

namespace SyncEngine.Values;

/// <summary>
/// One immutable value as an app stores it: null, a boolean, an integer, a floating-point number, text, bytes, an
/// instant, or an array or map of such values.
/// </summary>
/// <remarks>
/// A value is kept as its canonical MessagePack bytes and read on demand, so it is returned exactly as it was
/// written: integers keep all 64 bits, floating-point numbers keep every bit (only NaN is reduced to one pattern),
/// instants keep 100 ns. Two values are equal if their bytes are: the integer 1 and the floating-point number 1.0 are
/// two values. <c>default</c> is <see cref="Missing"/>. Safe for use by many threads.
/// </remarks>
public readonly partial struct Value : IEquatable<Value>
{
    /// <summary>
    /// Every byte once, in order: the encodings of null, the booleans and the integers from −32 to 127.
    /// </summary>
    private static readonly byte[] SingleBytes = MakeSingleBytes();

    /// <summary>Differs from process to process, so that nobody can prepare values whose hashes collide.</summary>
    private static readonly long HashSeed = HashCode.Combine(0);

    private readonly byte[]? _buffer;
    private readonly int _offset;
    private readonly int _length;

    /// <summary>A view over bytes that are known to be one canonical value and that never change again.</summary>
    internal Value(byte[] buffer, int offset, int length)
    {
        _buffer = buffer;
        _offset = offset;
        _length = length;
    }

    /// <summary>No value at all, as a read of an absent key returns; not the same as <see cref="Null"/>.</summary>
    public static Value Missing => default;

    /// <summary>A stored null.</summary>
    public static Value Null => Single(MessagePackCode.Nil);

    /// <summary>What the value holds.</summary>
    public ValueKind Kind => _length == 0 ? ValueKind.Missing : KindOf(_buffer![_offset]);

    /// <summary>Whether there is no value at all.</summary>
    public bool IsMissing => _length == 0;

    /// <summary>
    /// The value as canonical MessagePack: one value has exactly one encoding, which any MessagePack library reads.
    /// Empty for <see cref="Missing"/>.
    /// </summary>
    public ReadOnlySpan<byte> Encoded => new(_buffer, _offset, _length);

    /// <summary>Whether two values have the same encoding.</summary>
    public static bool operator ==(Value left, Value right) => left.Equals(right);

    /// <summary>Whether two values have different encodings.</summary>
    public static bool operator !=(Value left, Value right) => !left.Equals(right);

    /// <summary>The boolean that the value holds.</summary>
    /// <exception cref="InvalidOperationException">The value is of another kind.</exception>
    public bool AsBoolean()
    {
        Require(ValueKind.Boolean);
        return Encoded[0] == MessagePackCode.True;
    }

    /// <summary>The integer that the value holds.</summary>
    /// <exception cref="InvalidOperationException">The value is of another kind.</exception>
    public long AsInteger()
    {
        if (!ValueScanner.TryReadInteger(Encoded, out long value)) throw WrongKind(nameof(ValueKind.Integer));
        return value;
    }

    /// <summary>The number that the value holds; an integer is rounded to the nearest floating-point number.</summary>
    /// <exception cref="InvalidOperationException">The value is neither a double nor an integer.</exception>
    public double AsDouble()
    {
        if (ValueScanner.TryReadDouble(Encoded, out double number)) return number;
        if (!ValueScanner.TryReadInteger(Encoded, out long integer)) throw WrongKind(nameof(ValueKind.Double));
        return integer;
    }

    /// <summary>The text that the value holds.</summary>
    /// <exception cref="InvalidOperationException">The value is of another kind.</exception>
    public string AsString()
    {
        Require(ValueKind.String);
        return Encoding.UTF8.GetString(Encoded.Slice(ValueScanner.ReadHeader(Encoded, out _)));
    }

    /// <summary>A copy of the bytes that the value holds.</summary>
    /// <exception cref="InvalidOperationException">The value is of another kind.</exception>
    public byte[] AsBytes()
    {
        Require(ValueKind.Bytes);
        return Encoded.Slice(ValueScanner.ReadHeader(Encoded, out _)).ToArray();
    }

    /// <summary>
    /// The instant that the value holds, in UTC. What another program stored below 100 ns is cut off.
    /// </summary>
    /// <exception cref="InvalidOperationException">The value is of another kind.</exception>
    public DateTimeOffset AsTimestamp()
    {
        if (!ValueScanner.TryReadTimestamp(Encoded, out long seconds, out uint nanoseconds))
        {
            throw WrongKind(nameof(ValueKind.Timestamp));
        }
        return DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(nanoseconds / 100);
    }

    /// <summary>Whether the other value has the same encoding.</summary>
    /// <param name="other">The value to compare with.</param>
    public bool Equals(Value other) => Encoded.SequenceEqual(other.Encoded);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Value other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => unchecked((int)XxHash3.HashToUInt64(Encoded, HashSeed));

    /// <summary>The value as text in the manner of JSON, for people and logs; not a format to read back.</summary>
    public override string ToString() => ValueText.Format(this);

    private static Value Single(byte code) => new(SingleBytes, code, 1);

    private static byte[] MakeSingleBytes()
    {
        byte[] bytes = new byte[256];
        for (int index = 0; index < bytes.Length; index++) bytes[index] = (byte)index;
        return bytes;
    }

    private static ValueKind KindOf(byte code) => code switch
    {
        <= MessagePackCode.MaxFixInt or >= MessagePackCode.MinNegativeFixInt => ValueKind.Integer,
        <= MessagePackCode.MaxFixMap => ValueKind.Map,
        <= MessagePackCode.MaxFixArray => ValueKind.Array,
        <= MessagePackCode.MaxFixStr => ValueKind.String,
        MessagePackCode.Nil => ValueKind.Null,
        MessagePackCode.False or MessagePackCode.True => ValueKind.Boolean,
        <= MessagePackCode.Bin32 => ValueKind.Bytes,
        MessagePackCode.Float64 => ValueKind.Double,
        >= MessagePackCode.UInt8 and <= MessagePackCode.Int64 => ValueKind.Integer,
        MessagePackCode.Ext8 or MessagePackCode.FixExt4 or MessagePackCode.FixExt8 => ValueKind.Timestamp,
        <= MessagePackCode.Str32 => ValueKind.String,
        <= MessagePackCode.Array32 => ValueKind.Array,
        _ => ValueKind.Map,
    };

    private void Require(ValueKind kind)
    {
        if (Kind != kind) throw WrongKind(kind.ToString());
    }

    private InvalidOperationException WrongKind(string wanted) =>
        new($"The value is of kind {Kind}, not {wanted}; check Kind first or read it with TryAs.");
}
