using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Values;

namespace SyncEngine.Datasets;

/// <summary>
/// A write that a hub did not take, because of its policy, a limit or a revocation. The dataset shows again what the hub
/// shows; the value is kept here until the app dismisses it.
/// </summary>
/// <param name="Dataset">The dataset.</param>
/// <param name="Key">The record's key.</param>
/// <param name="Kind">The record's kind.</param>
/// <param name="Field">The field of a map; null for other kinds.</param>
/// <param name="Value">What was written: for a counter the device's running total, for a set the element; missing for a
/// delete.</param>
/// <param name="Code">Why, for programs.</param>
/// <param name="Reason">Why, in words, and what to do.</param>
/// <param name="At">When the refusal came, by this device's clock.</param>
public sealed record RefusedWrite(
    string Dataset, string Key, RecordKind Kind, string? Field, Value Value, SyncErrorCode Code, string Reason,
    DateTimeOffset At)
{
    /// <summary>The row that keeps it.</summary>
    internal string? Row { get; init; }

    /// <summary>The value stands in it as bytes: a row has room for the largest, and for the deepest.</summary>
    internal byte[] Encode() => Value.FromArray(Key, (int)Kind, Field, Value.IsMissing ? Value.Null
        : Value.FromBytes(Value.Encoded), (int)Code, Reason, At).Encoded.ToArray();

    internal static RefusedWrite Decode(string dataset, string row, byte[] bytes)
    {
        IReadOnlyList<Value> parts = new Value(bytes, 0, bytes.Length).AsArray();
        byte[]? value = parts[3].Kind == ValueKind.Null ? null : parts[3].AsBytes();
        return new RefusedWrite(dataset, parts[0].AsString(), (RecordKind)parts[1].AsInteger(),
            parts[2].Kind == ValueKind.Null ? null : parts[2].AsString(),
            value is null ? default : new Value(value, 0, value.Length),
            (SyncErrorCode)parts[4].AsInteger(), parts[5].AsString(), parts[6].AsTimestamp()) { Row = row };
    }
}
