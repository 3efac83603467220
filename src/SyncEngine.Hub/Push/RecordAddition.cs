using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Json;
using SyncEngine.Values;

namespace SyncEngine.Hub.Push;

/// <summary>A record that the hub writes itself, into the dataset of the changes that it decided on. Immutable.</summary>
public sealed class RecordAddition
{
    private readonly RecordLine _line;

    /// <summary>Says what a record is to read as.</summary>
    /// <param name="key">The record's key.</param>
    /// <param name="kind">The record's kind.</param>
    /// <param name="value">
    /// The value; of a counter, an integer that it is brought to; of a set or list, an array of its elements; of a map, a map
    /// of its fields.
    /// </param>
    /// <exception cref="ArgumentException">A record of this kind cannot read so.</exception>
    public RecordAddition(string key, RecordKind kind, Value value)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        if (!Enum.IsDefined(kind)) throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such kind of record.");
        ValueKind? needed = kind switch
        {
            RecordKind.Counter => ValueKind.Integer,
            RecordKind.Set or RecordKind.List => ValueKind.Array,
            RecordKind.Map => ValueKind.Map,
            _ => null,
        };
        if (value.IsMissing || (needed is not null && value.Kind != needed))
        {
            throw new ArgumentException($"A {RecordKindName.Of(kind)} reads as {needed?.ToString() ?? "a value"}, not as "
                + $"{value.Kind}.", nameof(value));
        }

        if (kind is RecordKind.Max or RecordKind.Min && value.Kind is not (ValueKind.Integer or ValueKind.Double))
            throw new ArgumentException($"A {RecordKindName.Of(kind)} reads as a number.", nameof(value));
        _line = new RecordLine(string.Empty, new RecordName(key, kind), value,
            needed == ValueKind.Array ? value.AsArray() : [], needed == ValueKind.Map ? [.. value.AsMap()] : []);
    }

    internal RecordAddition(RecordLine line) => _line = line;

    /// <summary>The record.</summary>
    public RecordName Record => _line.Name;

    /// <summary>What it is to read as.</summary>
    public Value Value => Record.Kind switch
    {
        RecordKind.Set or RecordKind.List => Value.FromArray(_line.Elements),
        RecordKind.Map => Value.FromMap(_line.Fields),
        _ => _line.Value,
    };

    /// <summary>Makes the record read so, with no write where it does already.</summary>
    internal void ApplyTo(Records records) => _line.ApplyTo(records);
}
