using System.Diagnostics.CodeAnalysis;
using MessagePack;

namespace SyncEngine.Values;

public readonly partial struct Value
{
    /// <summary>A boolean value.</summary>
    /// <param name="value">What the value is to hold.</param>
    public static implicit operator Value(bool value) =>
        Single(value ? MessagePackCode.True : MessagePackCode.False);

    /// <summary>An integer value.</summary>
    /// <param name="value">What the value is to hold.</param>
    public static implicit operator Value(int value) => (long)value;

    /// <summary>An integer value.</summary>
    /// <param name="value">What the value is to hold.</param>
    public static implicit operator Value(long value)
    {
        if (value is >= -32 and <= 127) return Single(unchecked((byte)value));
        Span<byte> encoded = stackalloc byte[ValueWriter.IntegerLengthMax];
        return FromEncoded(encoded.Slice(0, ValueWriter.WriteInteger(encoded, value)));
    }

    // Without these four C# would take the way over double, and lose digits without a word.

    /// <summary>An integer value.</summary>
    /// <param name="value">What the value is to hold.</param>
    public static implicit operator Value(byte value) => (long)value;

    /// <summary>An integer value.</summary>
    /// <param name="value">What the value is to hold.</param>
    public static implicit operator Value(ushort value) => (long)value;

    /// <summary>An integer value.</summary>
    /// <param name="value">What the value is to hold.</param>
    public static implicit operator Value(uint value) => (long)value;

    /// <summary>An integer value, at most 2⁶³ − 1.</summary>
    /// <param name="value">What the value is to hold.</param>
    /// <exception cref="OverflowException">The number is larger: integers have 64 bits with a sign.</exception>
    public static implicit operator Value(ulong value) => checked((long)value);

    /// <summary>A floating-point value. Every NaN becomes the same one; −0.0 is kept.</summary>
    /// <param name="value">What the value is to hold.</param>
    public static implicit operator Value(double value)
    {
        byte[] encoded = new byte[ValueWriter.DoubleLength];
        ValueWriter.WriteDouble(encoded, value);
        return new Value(encoded, 0, encoded.Length);
    }

    /// <summary>A text value; <see cref="Null"/> for a null reference.</summary>
    /// <param name="value">What the value is to hold.</param>
    /// <exception cref="ArgumentException">The text holds a lone surrogate, so it is not valid Unicode.</exception>
    public static implicit operator Value(string? value)
    {
        if (value is null) return Null;
        byte[] encoded = new byte[ValueWriter.StringLength(value)];
        ValueWriter.WriteString(encoded, value);
        return new Value(encoded, 0, encoded.Length);
    }

    /// <summary>A copy of a byte array; <see cref="Null"/> for a null reference.</summary>
    /// <param name="value">What the value is to hold.</param>
    public static implicit operator Value(byte[]? value) => value is null ? Null : FromBytes(value);

    /// <summary>An instant, converted to UTC and kept to 100 ns.</summary>
    /// <param name="value">What the value is to hold.</param>
    public static implicit operator Value(DateTimeOffset value)
    {
        Span<byte> encoded = stackalloc byte[ValueWriter.TimestampLengthMax];
        return FromEncoded(encoded.Slice(0, ValueWriter.WriteTimestamp(encoded, value)));
    }

    /// <summary>A copy of some bytes.</summary>
    /// <param name="value">What the value is to hold.</param>
    public static Value FromBytes(ReadOnlySpan<byte> value)
    {
        byte[] encoded = new byte[ValueWriter.BytesLength(value.Length)];
        ValueWriter.WriteBytes(encoded, value);
        return new Value(encoded, 0, encoded.Length);
    }

    /// <summary>The value of a scalar whose type is a type parameter; null becomes <see cref="Null"/>.</summary>
    /// <typeparam name="T">
    /// <see cref="bool"/>, <see cref="int"/>, <see cref="long"/>, <see cref="float"/>, <see cref="double"/>, <see
    /// cref="string"/>, <c>byte[]</c>, <see cref="DateTimeOffset"/>, <see cref="Value"/>, or a nullable one of these.
    /// </typeparam>
    /// <param name="value">What the value is to hold.</param>
    /// <exception cref="NotSupportedException">The type is none of these.</exception>
    /// <exception cref="ArgumentException">A text holds a lone surrogate.</exception>
    public static Value Of<T>(T value) => value switch
    {
        null => Null,
        Value other => other,
        bool boolean => boolean,
        int integer => integer,
        long integer => integer,
        double number => number,
        float number => number,
        string text => text,
        byte[] bytes => bytes,
        DateTimeOffset instant => instant,
        _ => throw Unsupported<T>(),
    };

    /// <summary>
    /// The value as a .NET type. <see cref="Missing"/> and <see cref="Null"/> read as null where the type allows that.
    /// </summary>
    /// <typeparam name="T">One of the types that <see cref="Of{T}"/> takes.</typeparam>
    /// <exception cref="InvalidOperationException">The value is of a kind that the type does not hold.</exception>
    /// <exception cref="OverflowException">The integer is beyond the range of an <see cref="int"/>.</exception>
    /// <exception cref="NotSupportedException">The type is none of these.</exception>
    public T? As<T>()
    {
        if (TryAs(out T? value)) return value;
        bool isInt = typeof(T) == typeof(int) || typeof(T) == typeof(int?);
        if (isInt && Kind == ValueKind.Integer)
        {
            throw new OverflowException($"The integer {AsInteger()} does not fit an int; read it as a long.");
        }
        throw WrongKind((Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T)).Name);
    }

    /// <summary>Reads the value as a .NET type, as <see cref="As{T}"/> does, if it can be held by that type.</summary>
    /// <typeparam name="T">One of the types that <see cref="Of{T}"/> takes.</typeparam>
    /// <param name="value">What the value holds; the type's default if false is returned.</param>
    /// <returns>
    /// False if the kind is another one, or if an integer is beyond the range of an <see cref="int"/>.
    /// </returns>
    /// <exception cref="NotSupportedException">The type is none of these.</exception>
    public bool TryAs<T>([MaybeNullWhen(false)] out T value)
    {
        ReadOnlySpan<byte> encoded = Encoded;
        if (typeof(T) == typeof(Value) || typeof(T) == typeof(Value?)) return Give(true, this, out value);
        if (Kind is ValueKind.Missing or ValueKind.Null)
        {
            value = default!;
            return default(T) is null;
        }
        if (typeof(T) == typeof(string))
        {
            bool isText = Kind == ValueKind.String;
            return Give(isText, isText ? AsString() : null, out value);
        }
        if (typeof(T) == typeof(long) || typeof(T) == typeof(long?))
        {
            return Give(ValueScanner.TryReadInteger(encoded, out long integer), integer, out value);
        }
        if (typeof(T) == typeof(int) || typeof(T) == typeof(int?))
        {
            bool fits = ValueScanner.TryReadInteger(encoded, out long integer) && integer == unchecked((int)integer);
            return Give(fits, unchecked((int)integer), out value);
        }
        if (typeof(T) == typeof(double) || typeof(T) == typeof(double?))
        {
            return Give(TryReadNumber(out double number), number, out value);
        }
        if (typeof(T) == typeof(float) || typeof(T) == typeof(float?))
        {
            return Give(TryReadNumber(out double number), (float)number, out value);
        }
        if (typeof(T) == typeof(bool) || typeof(T) == typeof(bool?))
        {
            bool isBoolean = Kind == ValueKind.Boolean;
            return Give(isBoolean, isBoolean && AsBoolean(), out value);
        }
        if (typeof(T) == typeof(DateTimeOffset) || typeof(T) == typeof(DateTimeOffset?))
        {
            bool isInstant = Kind == ValueKind.Timestamp;
            return Give(isInstant, isInstant ? AsTimestamp() : default, out value);
        }
        if (typeof(T) == typeof(byte[]))
        {
            bool isBytes = Kind == ValueKind.Bytes;
            return Give(isBytes, isBytes ? AsBytes() : null, out value);
        }
        throw Unsupported<T>();
    }

    /// <summary>
    /// Hands on what was read: the types are equal where this is called, and the boxing then compiles away.
    /// </summary>
    private static bool Give<TRead, T>(bool isHeld, TRead read, [MaybeNullWhen(false)] out T value)
    {
        value = isHeld ? (T)(object)read! : default!; // Only Missing and Null read as null, and they went another way.
        return isHeld;
    }

    private static Value FromEncoded(ReadOnlySpan<byte> encoded) => new(encoded.ToArray(), 0, encoded.Length);

    private static NotSupportedException Unsupported<T>() => new(
        $"{typeof(T)} is not a type that a value holds; use bool, int, long, float, double, string, byte[], " +
        "DateTimeOffset or Value.");

    private bool TryReadNumber(out double number)
    {
        if (ValueScanner.TryReadDouble(Encoded, out number)) return true;
        bool isInteger = ValueScanner.TryReadInteger(Encoded, out long integer);
        number = integer;
        return isInteger;
    }
}
