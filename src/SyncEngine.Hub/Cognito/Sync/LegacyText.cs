using System.Text;
using System.Text.Json;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Json;
using SyncEngine.Values;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>
/// Records as a legacy client sees them: a key and a text. Of the records under one key the first kind that has something to
/// read shows. A text shows as it is, anything else as JSON: a counter as its sum, a set or list as an array, a map as an object,
/// bytes, timestamps and doubles as in an export.
/// </summary>
internal static class LegacyText
{
    /// <summary>The text under a key; null if there is nothing to read.</summary>
    public static string? Read(Records records, string key) =>
        Shown(records, key) is { } kind ? Format(records, key, kind) : null;

    /// <summary>
    /// Makes a key read as a text, always by a write. Where a number, counter, set or anything else that is no text shows, the
    /// text is read as JSON of the same kind: a counter is brought to the number by an addition, so that concurrent additions
    /// still count. A register of which the text is no value of the same kind becomes a text.
    /// </summary>
    /// <exception cref="FormatException">A counter, max, min, set, map or list cannot read so; the message says why.</exception>
    public static void Write(Transaction write, string key, string text)
    {
        if (Shown(write, key) is not { } kind || kind == RecordKind.Register)
        {
            write.Put(key, SameKind(write[key], text));
            return;
        }

        string before = Format(write, key, kind);
        Parse(text, new RecordName(key, kind)).ApplyTo(write);
        if (Format(write, key, kind) == before) WriteAgain(write, key, kind);
    }

    /// <summary>Removes what a key shows, always by a write: where nothing shows, a delete is noted all the same.</summary>
    public static void Remove(Transaction write, string key)
    {
        bool wasThere = false;
        foreach (RecordKind kind in RecordKindName.All) wasThere |= write.Contains(key, kind) && write.Delete(key, kind);
        if (wasThere) return;
        write.Put(key, string.Empty);
        write.Delete(key);
    }

    private static RecordKind? Shown(Records records, string key)
    {
        foreach (RecordKind kind in RecordKindName.All)
            if (records.Contains(key, kind)) return kind;
        return null;
    }

    private static string Format(Records records, string key, RecordKind kind) => kind switch
    {
        RecordKind.Register => records[key] is { Kind: ValueKind.String } text ? text.AsString() : ValueJson.Format(records[key]),
        RecordKind.Counter => ValueJson.Format(records.Counter(key).Value),
        RecordKind.Max => ValueJson.Format(records.Max(key).Value),
        RecordKind.Min => ValueJson.Format(records.Min(key).Value),
        RecordKind.Set => ValueJson.Format(json => ValueJson.WriteArray(json, records.Set(key).ToArray())),
        RecordKind.Map => ValueJson.Format(json => ValueJson.WriteMap(json, records.Map(key).ToArray())),
        _ => ValueJson.Format(json => ValueJson.WriteArray(json, records.List(key).ToArray())),
    };

    private static Value SameKind(Value now, string text)
    {
        if (now.Kind is ValueKind.Missing or ValueKind.String) return text;
        try
        {
            Value read = ValueJson.Parse(text);
            return read.Kind == now.Kind || (IsNumber(read) && IsNumber(now)) ? read : text;
        }
        catch (FormatException)
        {
            return text;
        }
    }

    private static bool IsNumber(Value value) => value.Kind is ValueKind.Integer or ValueKind.Double;

    private static RecordLine Parse(string text, RecordName name)
    {
        try
        {
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text), ValueJson.ReaderOptions);
            reader.Read();
            RecordLine line = RecordLine.ParseValue(ref reader, string.Empty, name);
            reader.Read(); // Throws if anything but white space follows.
            if (name.Kind is RecordKind.Max or RecordKind.Min && !IsNumber(line.Value))
                throw new FormatException($"the value of a {RecordKindName.Of(name.Kind)} is a number");
            return line;
        }
        catch (JsonException e)
        {
            throw ValueJson.Explain(e);
        }
    }

    /// <summary>Writes what a record reads as anyway, so that it counts as written.</summary>
    private static void WriteAgain(Transaction write, string key, RecordKind kind)
    {
        Value number;
        switch (kind)
        {
            case RecordKind.Counter:
                write.Counter(key).Add(0);
                break;
            case RecordKind.Max:
                number = write.Max(key).Value;
                write.Max(key).Reset();
                write.Max(key).Raise(number);
                break;
            case RecordKind.Min:
                number = write.Min(key).Value;
                write.Min(key).Reset();
                write.Min(key).Lower(number);
                break;
            case RecordKind.Set:
                write.Set(key).Add(write.Set(key).ToArray()[0]);
                break;
            case RecordKind.Map:
                MapRecord map = write.Map(key);
                KeyValuePair<string, Value> field = map.ToArray()[0];
                map[field.Key] = field.Value;
                break;
            default:
                ListRecord list = write.List(key);
                list[0] = list[0];
                break;
        }
    }
}
