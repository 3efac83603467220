using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using SyncEngine.Values;

namespace SyncEngine.Json;

/// <summary>
/// Values as JSON and back, without loss: a number with a point or an exponent is a double and any other an integer;
/// what
/// JSON lacks is an object with one member, $double, $bytes or $timestamp; a map whose only key starts with a dollar
/// sign
/// gets one more.
/// </summary>
internal static class ValueJson
{
    private const string DoubleMember = "$double";
    private const string BytesMember = "$bytes";
    private const string TimestampMember = "$timestamp";
    private const string TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";
    private const string TimestampInput = "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK";

    /// <summary>Values nest 32 deep; the rest is room for what surrounds them.</summary>
    private const int DepthMax = 64;

    public static JsonReaderOptions ReaderOptions => new() { MaxDepth = DepthMax };

    public static JsonWriterOptions WriterOptions => new()
    {
        Encoder = ReadableEncoder.Instance, SkipValidation = true, MaxDepth = DepthMax,
    };

    public static string Format(Value value) => Format(writer => Write(writer, value));

    public static string Format(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions)) write(writer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public static void Write(Utf8JsonWriter writer, Value value)
    {
        switch (value.Kind)
        {
            case ValueKind.Missing or ValueKind.Null:
                writer.WriteNullValue();
                break;
            case ValueKind.Boolean:
                writer.WriteBooleanValue(value.AsBoolean());
                break;
            case ValueKind.Integer:
                writer.WriteNumberValue(value.AsInteger());
                break;
            case ValueKind.Double:
                WriteDouble(writer, value.AsDouble());
                break;
            case ValueKind.String:
                writer.WriteStringValue(value.AsString());
                break;
            case ValueKind.Bytes:
                WriteTagged(writer, BytesMember, Convert.ToBase64String(value.AsBytes()));
                break;
            case ValueKind.Timestamp:
                WriteTagged(writer, TimestampMember,
                    value.AsTimestamp().ToString(TimestampFormat, CultureInfo.InvariantCulture));
                break;
            case ValueKind.Array:
                WriteArray(writer, value.AsArray());
                break;
            default:
                WriteMap(writer, value.AsMap());
                break;
        }
    }

    public static void WriteArray(Utf8JsonWriter writer, IReadOnlyList<Value> elements)
    {
        writer.WriteStartArray();
        foreach (Value element in elements) Write(writer, element);
        writer.WriteEndArray();
    }

    public static void WriteMap(Utf8JsonWriter writer, IReadOnlyCollection<KeyValuePair<string, Value>> pairs)
    {
        writer.WriteStartObject();
        foreach (KeyValuePair<string, Value> pair in pairs)
        {
            bool looksTagged = pairs.Count == 1 && pair.Key.StartsWith('$');
            writer.WritePropertyName(looksTagged ? "$" + pair.Key : pair.Key);
            Write(writer, pair.Value);
        }

        writer.WriteEndObject();
    }

    /// <summary>Reads a text that is one JSON value and nothing else.</summary>
    /// <exception cref="FormatException">It is not; the message says where and why.</exception>
    public static Value Parse(string text)
    {
        try
        {
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text), ReaderOptions);
            reader.Read();
            Value value = Read(ref reader);
            reader.Read(); // Throws if anything but white space follows.
            return value;
        }
        catch (JsonException e)
        {
            throw Explain(e);
        }
    }

    /// <summary>Reads the value at whose first token the reader stands; leaves the reader at its last.</summary>
    public static Value Read(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return Value.Null;
            case JsonTokenType.True:
                return true;
            case JsonTokenType.False:
                return false;
            case JsonTokenType.Number:
                return ReadNumber(ref reader);
            case JsonTokenType.String:
                return ReadText(ref reader);
            case JsonTokenType.StartArray:
                return Build(Value.FromArray, ReadArray(ref reader));
            default:
                return ReadObject(ref reader);
        }
    }

    /// <summary>The elements of the array at whose start the reader stands.</summary>
    public static List<Value> ReadArray(ref Utf8JsonReader reader)
    {
        var elements = new List<Value>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) elements.Add(Read(ref reader));
        return elements;
    }

    /// <summary>The members of the object at whose start the reader stands, an added dollar sign taken off.</summary>
    public static List<KeyValuePair<string, Value>> ReadMap(ref Utf8JsonReader reader) => Plain(ReadMembers(ref reader));

    private static List<KeyValuePair<string, Value>> Plain(List<KeyValuePair<string, Value>> pairs)
    {
        if (pairs is not [var only] || !only.Key.StartsWith('$')) return pairs;
        if (!only.Key.StartsWith("$$", StringComparison.Ordinal))
            throw new FormatException($"a map with the only key \"{only.Key}\" is written \"${only.Key}\"");
        return [KeyValuePair.Create(only.Key[1..], only.Value)];
    }

    public static string ReadText(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString() ?? string.Empty;
        }
        catch (InvalidOperationException e)
        {
            throw new FormatException("a text is not valid Unicode", e);
        }
    }

    public static FormatException Explain(JsonException exception)
    {
        string message = exception.Message;
        int end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        if (end > 0) message = message[..end].TrimEnd('.');
        return new FormatException(
            $"not valid JSON at byte {exception.BytePositionInLine + 1}: {message}", exception);
    }

    private static void WriteDouble(Utf8JsonWriter writer, double number)
    {
        if (!double.IsFinite(number))
        {
            WriteTagged(writer, DoubleMember, double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
            return;
        }

        string digits = number.ToString("R", CultureInfo.InvariantCulture);
        if (digits.AsSpan().IndexOfAny('.', 'E') < 0) digits += ".0";
        writer.WriteRawValue(digits, skipInputValidation: true);
    }

    private static void WriteTagged(Utf8JsonWriter writer, string member, string text)
    {
        writer.WriteStartObject();
        writer.WriteString(member, text);
        writer.WriteEndObject();
    }

    private static Value ReadNumber(ref Utf8JsonReader reader)
    {
        if (reader.ValueSpan.IndexOfAny((byte)'.', (byte)'e', (byte)'E') < 0)
        {
            if (reader.TryGetInt64(out long integer)) return integer;
            throw new FormatException($"the integer {Encoding.UTF8.GetString(reader.ValueSpan)} does not fit 64 bits; "
                + "write it with a decimal point to store a double");
        }

        if (reader.TryGetDouble(out double number) && double.IsFinite(number)) return number;
        throw new FormatException($"the number {Encoding.UTF8.GetString(reader.ValueSpan)} does not fit a double");
    }

    private static Value ReadObject(ref Utf8JsonReader reader)
    {
        // Read once: twice at each level would double the work with each.
        List<KeyValuePair<string, Value>> members = ReadMembers(ref reader);
        return members is [{ Key: DoubleMember or BytesMember or TimestampMember } tagged]
            ? ReadTagged(tagged.Key, tagged.Value) : Build(Value.FromMap, Plain(members));
    }

    private static List<KeyValuePair<string, Value>> ReadMembers(ref Utf8JsonReader reader)
    {
        var pairs = new List<KeyValuePair<string, Value>>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            string key = ReadText(ref reader);
            reader.Read();
            pairs.Add(KeyValuePair.Create(key, Read(ref reader)));
        }

        return pairs;
    }

    private static Value ReadTagged(string member, Value content)
    {
        string? text = content.Kind == ValueKind.String ? content.AsString() : null;
        switch (member)
        {
            case DoubleMember when text is "NaN":
                return double.NaN;
            case DoubleMember when text is "Infinity":
                return double.PositiveInfinity;
            case DoubleMember when text is "-Infinity":
                return double.NegativeInfinity;
            case BytesMember when text is not null:
                byte[] bytes = new byte[text.Length];
                if (Convert.TryFromBase64String(text, bytes, out int count)) return Value.FromBytes(bytes.AsSpan(0, count));
                break;
            case TimestampMember when DateTimeOffset.TryParseExact(text, TimestampInput, CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset instant):
                return instant;
        }

        throw new FormatException(member switch
        {
            DoubleMember => "$double takes \"NaN\", \"Infinity\" or \"-Infinity\"",
            BytesMember => "$bytes takes a text in base64",
            _ => "$timestamp takes a text like \"2026-01-31T12:00:00.0000000Z\"",
        });
    }

    private static Value Build<T>(Func<IEnumerable<T>, Value> build, List<T> items)
    {
        try
        {
            return build(items);
        }
        catch (ArgumentException e)
        {
            throw new FormatException(FirstSentence(e), e);
        }
    }

    /// <summary>An argument exception's message without the parameter's name, which says nothing to a user.</summary>
    public static string FirstSentence(ArgumentException exception)
    {
        int end = exception.Message.IndexOf(" (Parameter", StringComparison.Ordinal);
        return (end < 0 ? exception.Message : exception.Message[..end]).TrimEnd('.');
    }
}
