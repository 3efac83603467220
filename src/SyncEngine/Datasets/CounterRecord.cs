using SyncEngine.Cells;

namespace SyncEngine.Datasets;

/// <summary>A 64-bit counter: concurrent additions all count. Sums wrap at 64 bits.</summary>
/// <remarks>
/// Each opening of the file keeps its running total in the counter. A reset removes the totals that the resetting
/// device
/// saw; an addition that another device made meanwhile brings back that device's running total.
/// </remarks>
public readonly record struct CounterRecord
{
    private readonly Records _records;

    internal CounterRecord(Records records, string key) => (_records, Key) = (records, key);

    /// <summary>The record's key.</summary>
    public string Key { get; }

    /// <summary>The sum; 0 for a counter that nobody wrote.</summary>
    public long Value => _records.Owner.ReadCounter(_records, Key);

    /// <summary>Adds; a negative amount subtracts.</summary>
    public void Add(long amount)
    {
        _records.Enter();
        bool done = false;
        try
        {
            _records.Owner.AddToCounter(Key, amount);
            done = true;
        }
        finally
        {
            _records.Leave(done);
        }
    }

    /// <summary>Sets what this device sees to nothing; see the remarks of the type.</summary>
    /// <returns>Whether there was something to reset.</returns>
    public bool Reset() => _records.Delete(Key, RecordKind.Counter);

    /// <summary>The sum as text.</summary>
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
