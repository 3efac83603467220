using System.Buffers;
using System.Text;
using MessagePack;

namespace SyncEngine.Values;

public readonly partial struct Value
{
    /// <summary>How many elements an array, or pairs a map, holds.</summary>
    /// <exception cref="InvalidOperationException">The value is neither an array nor a map.</exception>
    public int Count
    {
        get
        {
            if (Kind is not (ValueKind.Array or ValueKind.Map)) throw WrongKind("Array or Map");
            ValueScanner.ReadHeader(Encoded, out int count);
            return count;
        }
    }

    /// <summary>An array of values, stored and replaced as a whole.</summary>
    /// <param name="elements">The elements in order.</param>
    /// <exception cref="ArgumentException">
    /// An element is <see cref="Missing"/>, or arrays and maps would lie more than 32 deep in one another.
    /// </exception>
    public static Value FromArray(params Value[] elements) => FromArray((IEnumerable<Value>)elements);

    /// <inheritdoc cref="FromArray(Value[])"/>
    public static Value FromArray(IEnumerable<Value> elements)
    {
        ArgumentNullException.ThrowIfNull(elements);
        Value[] list = elements.ToArray();
        ArrayBufferWriter<byte> buffer = new();
        MessagePackWriter writer = new(buffer);
        writer.WriteArrayHeader(list.Length);
        foreach (Value element in list) WriteElement(ref writer, element, nameof(elements));
        return FromWritten(writer, buffer, nameof(elements));
    }

    /// <summary>A map of values by text keys, stored and replaced as a whole.</summary>
    /// <param name="pairs">The pairs in any order: equal maps are equal values.</param>
    /// <exception cref="ArgumentException">
    /// A key occurs twice or holds a lone surrogate, a value is <see cref="Missing"/>, or arrays and maps would lie
    /// more than 32 deep in one another.
    /// </exception>
    public static Value FromMap(IEnumerable<KeyValuePair<string, Value>> pairs)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        List<(Value Key, Value Item)> sorted = new();
        foreach (KeyValuePair<string, Value> pair in pairs)
        {
            if (pair.Key is null) throw new ArgumentException("A key is null.", nameof(pairs));
            sorted.Add((pair.Key, pair.Value));
        }
        sorted.Sort(static (left, right) => left.Key.Text.SequenceCompareTo(right.Key.Text));

        ArrayBufferWriter<byte> buffer = new();
        MessagePackWriter writer = new(buffer);
        writer.WriteMapHeader(sorted.Count);
        for (int index = 0; index < sorted.Count; index++)
        {
            (Value key, Value item) = sorted[index];
            if (index > 0 && sorted[index - 1].Key == key)
            {
                throw new ArgumentException($"The key {key} occurs twice.", nameof(pairs));
            }
            writer.WriteRaw(key.Encoded);
            WriteElement(ref writer, item, nameof(pairs));
        }
        return FromWritten(writer, buffer, nameof(pairs));
    }

    /// <summary>The elements of an array, as a list of their own; reading it costs one pass over the bytes.</summary>
    /// <exception cref="InvalidOperationException">The value is of another kind.</exception>
    public IReadOnlyList<Value> AsArray()
    {
        Require(ValueKind.Array);
        int position = ValueScanner.ReadHeader(Encoded, out int count);
        Value[] elements = new Value[count];
        for (int index = 0; index < count; index++)
        {
            elements[index] = ItemAt(position);
            position += elements[index]._length;
        }
        return elements;
    }

    /// <summary>The pairs of a map, as a dictionary of their own; reading it costs one pass over the bytes.</summary>
    /// <exception cref="InvalidOperationException">The value is of another kind.</exception>
    public IReadOnlyDictionary<string, Value> AsMap()
    {
        Require(ValueKind.Map);
        int position = ValueScanner.ReadHeader(Encoded, out int count);
        Dictionary<string, Value> pairs = new(count, StringComparer.Ordinal);
        for (int index = 0; index < count; index++)
        {
            Value key = ItemAt(position);
            Value item = ItemAt(position + key._length);
            pairs.Add(Encoding.UTF8.GetString(key.Text), item);
            position += key._length + item._length;
        }
        return pairs;
    }

    /// <summary>The UTF-8 bytes of a text.</summary>
    private ReadOnlySpan<byte> Text => Encoded.Slice(ValueScanner.ReadHeader(Encoded, out _));

    private static void WriteElement(ref MessagePackWriter writer, Value element, string parameterName)
    {
        if (element.IsMissing)
        {
            throw new ArgumentException("An element is Missing; leave it out or store Null.", parameterName);
        }
        writer.WriteRaw(element.Encoded);
    }

    private static Value FromWritten(MessagePackWriter writer, ArrayBufferWriter<byte> buffer, string parameterName)
    {
        writer.Flush();
        byte[] encoded = buffer.WrittenSpan.ToArray();
        if (ValueScanner.Measure(encoded, out _) != encoded.Length)
        {
            // Elements are canonical, so depth is the only rule that putting them together can break.
            throw new ArgumentException(
                $"Arrays and maps lie more than {ValueScanner.DepthMax} deep in one another.", parameterName);
        }
        return new Value(encoded, 0, encoded.Length);
    }

    private Value ItemAt(int position)
    {
        int length = ValueScanner.Measure(Encoded.Slice(position), out _);
        return new Value(_buffer!, _offset + position, length); // A missing value has no items, so there is a buffer.
    }
}
