using SyncEngine.Cells;
using SyncEngine.Values;

namespace SyncEngine.Datasets;

/// <summary>The least number that any device wrote: integers and doubles in one exact order.</summary>
public readonly record struct MinRecord
{
    private readonly Records _records;

    internal MinRecord(Records records, string key) => (_records, Key) = (records, key);

    /// <summary>The record's key.</summary>
    public string Key { get; }

    /// <summary>The least number; missing if nobody wrote one.</summary>
    public Value Value => _records.Owner.ReadExtreme(_records, CellKind.Min, Key);

    /// <summary>Writes the number if it is below what is there; otherwise writes nothing.</summary>
    /// <returns>Whether it was written.</returns>
    /// <exception cref="ArgumentException">The value is neither integer nor double, or is not a number.</exception>
    public bool Lower(Value number) => _records.WriteExtreme(CellKind.Min, Key, number);

    /// <summary>Removes what this device sees.</summary>
    /// <returns>Whether there was something to remove.</returns>
    public bool Reset() => _records.Delete(Key, RecordKind.Min);

    /// <summary>The number as text.</summary>
    public override string ToString() => Value.ToString();
}
