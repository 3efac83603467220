using System.Text.Json;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Values;

namespace SyncEngine.Json;

/// <summary>One line of an import: a record and what it is to read as.</summary>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="Name">The record.</param>
/// <param name="Value">The value of a register, counter, max or min.</param>
/// <param name="Elements">The elements of a set or list.</param>
/// <param name="Fields">The fields of a map.</param>
internal sealed record RecordLine(
    string Dataset, RecordName Name, Value Value, IReadOnlyList<Value> Elements,
    IReadOnlyList<KeyValuePair<string, Value>> Fields)
{
    /// <summary>Reads a line.</summary>
    /// <exception cref="FormatException">It is not one; the message says why.</exception>
    public static RecordLine Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            var reader = new Utf8JsonReader(line, ValueJson.ReaderOptions);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject) throw new FormatException("a record is a JSON object");
            RecordLine record = ParseMembers(ref reader);
            reader.Read(); // Throws if anything but white space follows.
            return record;
        }
        catch (JsonException e)
        {
            throw ValueJson.Explain(e);
        }
    }

    /// <summary>
    /// Makes the record read as the line says, with no write where it does already: importing twice changes nothing
    /// more.
    /// </summary>
    public void ApplyTo(Records records)
    {
        string key = Name.Key;
        switch (Name.Kind)
        {
            case RecordKind.Register:
                if (records[key] != Value) records[key] = Value;
                break;
            case RecordKind.Counter:
                long missing = unchecked(Value.AsInteger() - records.Counter(key).Value);
                if (missing != 0 || !records.Contains(key, RecordKind.Counter)) records.Counter(key).Add(missing);
                break;
            case RecordKind.Max:
                ApplyMax(records.Max(key));
                break;
            case RecordKind.Min:
                ApplyMin(records.Min(key));
                break;
            case RecordKind.Set:
                ApplySet(records.Set(key));
                break;
            case RecordKind.Map:
                ApplyMap(records.Map(key));
                break;
            default:
                ListRecord list = records.List(key);
                if (list.ToArray().SequenceEqual(Elements)) break;
                list.Clear();
                foreach (Value element in Elements) list.Add(element);
                break;
        }
    }

    private static RecordLine ParseMembers(ref Utf8JsonReader reader)
    {
        string? dataset = null, key = null, kind = null;
        bool hasValue = false, hasConflicts = false;
        Utf8JsonReader valueAt = default;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            string member = ValueJson.ReadText(ref reader);
            reader.Read();
            bool repeated = member switch
            {
                "dataset" => TakeText(ref reader, member, ref dataset),
                "key" => TakeText(ref reader, member, ref key),
                "kind" => TakeText(ref reader, member, ref kind),
                "value" => Take(ref hasValue),
                "conflicts" => Take(ref hasConflicts),
                _ => throw new FormatException(
                    $"\"{member}\" is no member of a record; these are: dataset, key, kind, value, conflicts"),
            };
            if (repeated) throw new FormatException($"\"{member}\" is given twice");
            if (member == "value") valueAt = reader;
            reader.Skip();
        }

        if (dataset is null || key is null || kind is null || !hasValue)
            throw new FormatException("a record needs the members dataset, key, kind and value");
        RecordKind recordKind = RecordKindName.Find(kind) ?? throw new FormatException(
            $"\"{kind}\" is no kind; these are: {string.Join(", ", RecordKindName.All.Select(RecordKindName.Of))}");
        return ParseValue(ref valueAt, dataset, new RecordName(key, recordKind));
    }

    /// <summary>Reads what a record is to read as, at whose first token the reader stands.</summary>
    /// <exception cref="FormatException">Its kind cannot read so; the message says why.</exception>
    public static RecordLine ParseValue(ref Utf8JsonReader reader, string dataset, RecordName name)
    {
        string kind = RecordKindName.Of(name.Kind);
        switch (name.Kind)
        {
            case RecordKind.Set or RecordKind.List:
                if (reader.TokenType != JsonTokenType.StartArray)
                    throw new FormatException($"the value of a {kind} is a JSON array");
                List<Value> elements = ValueJson.ReadArray(ref reader);
                if (name.Kind == RecordKind.Set && elements.Distinct().Count() < elements.Count)
                    throw new FormatException("an element of the set is given twice");
                return new RecordLine(dataset, name, default, elements, []);
            case RecordKind.Map:
                if (reader.TokenType != JsonTokenType.StartObject)
                    throw new FormatException("the value of a map is a JSON object");
                List<KeyValuePair<string, Value>> fields = ValueJson.ReadMap(ref reader);
                if (fields.Select(static field => field.Key).Distinct(StringComparer.Ordinal).Count() < fields.Count)
                    throw new FormatException("a field of the map is given twice");
                return new RecordLine(dataset, name, default, [], fields);
            default:
                Value value = ValueJson.Read(ref reader);
                if (name.Kind == RecordKind.Counter && value.Kind != ValueKind.Integer)
                    throw new FormatException("the value of a counter is an integer of 64 bits");
                return new RecordLine(dataset, name, value, [], []);
        }
    }

    private static bool TakeText(ref Utf8JsonReader reader, string member, ref string? text)
    {
        if (reader.TokenType != JsonTokenType.String) throw new FormatException($"\"{member}\" is a JSON text");
        bool repeated = text is not null;
        text = ValueJson.ReadText(ref reader);
        return repeated;
    }

    private static bool Take(ref bool taken)
    {
        bool repeated = taken;
        taken = true;
        return repeated;
    }

    // A number that the record has already passed is not taken: the import says what to read, so it starts anew.
    private void ApplyMax(MaxRecord max)
    {
        if (max.Value == Value || max.Raise(Value)) return;
        max.Reset();
        max.Raise(Value);
    }

    private void ApplyMin(MinRecord min)
    {
        if (min.Value == Value || min.Lower(Value)) return;
        min.Reset();
        min.Lower(Value);
    }

    private void ApplySet(SetRecord set)
    {
        var wanted = Elements.ToHashSet();
        foreach (Value element in set.ToArray())
            if (!wanted.Remove(element)) set.Remove(element);
        foreach (Value element in Elements)
            if (wanted.Contains(element)) set.Add(element);
    }

    private void ApplyMap(MapRecord map)
    {
        var wanted = Fields.Select(static field => field.Key).ToHashSet(StringComparer.Ordinal);
        foreach (KeyValuePair<string, Value> field in map.ToArray())
            if (!wanted.Contains(field.Key)) map.Remove(field.Key);
        foreach (KeyValuePair<string, Value> field in Fields)
            if (map[field.Key] != field.Value) map[field.Key] = field.Value;
    }
}
