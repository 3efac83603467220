using SyncEngine.Cells;
using SyncEngine.Values;

namespace SyncEngine.Datasets;

/// <summary>The greatest (max) or least (min) number that any device wrote: integers and doubles in one exact
/// order.</summary>
public readonly record struct ExtremeRecord
{
    private readonly Records _records;
    private readonly CellKind _kind;

    internal ExtremeRecord(Records records, string key, CellKind kind) =>
        (_records, Key, _kind) = (records, key, kind);

    /// <summary>The record's key.</summary>
    public string Key { get; }

    /// <summary>The extreme; missing if nobody wrote one.</summary>
    public Value Value => _records.Owner.ReadExtreme(_records, _kind, Key);

    /// <summary>
    /// Writes the number if it goes beyond what is there (above for a max, below for a min); otherwise writes nothing.
    /// </summary>
    /// <returns>Whether it changed the extreme.</returns>
    /// <exception cref="ArgumentException">The value is neither integer nor double, or is not a number.</exception>
    public bool Raise(Value number)
    {
        _records.Enter();
        bool done = false;
        try
        {
            bool raised = _records.Owner.RaiseExtreme(_kind, Key, number);
            done = true;
            return raised;
        }
        finally
        {
            _records.Leave(done);
        }
    }

    /// <summary>Removes what this device sees.</summary>
    /// <returns>Whether there was something to remove.</returns>
    public bool Reset() => _records.Delete(Key, CellKinds.RecordOf(_kind));

    /// <summary>The extreme as text.</summary>
    public override string ToString() => Value.ToString();
}
