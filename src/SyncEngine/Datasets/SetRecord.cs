using SyncEngine.Cells;
using SyncEngine.Values;

namespace SyncEngine.Datasets;

/// <summary>A set of values: an addition beats a concurrent removal.</summary>
public readonly record struct SetRecord
{
    private readonly Records _records;

    internal SetRecord(Records records, string key) => (_records, Key) = (records, key);

    /// <summary>The record's key.</summary>
    public string Key { get; }

    /// <summary>How many elements it has.</summary>
    public int Count => _records.Owner.CountOf(_records, RecordKind.Set, Key);

    /// <summary>Adds an element. Adding one that is there again protects it from a concurrent removal.</summary>
    /// <exception cref="ArgumentException">The element is missing.</exception>
    public void Add(Value element) => Write(element, remove: false);

    /// <summary>Removes an element.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Remove(Value element) => Write(element, remove: true);

    /// <summary>Whether an element is there.</summary>
    public bool Contains(Value element) => _records.Owner.ContainsElement(_records, Key, element);

    /// <summary>The elements in the order of their encoded bytes, as an array of their own.</summary>
    public IReadOnlyList<Value> ToArray() => _records.Owner.ReadSet(_records, Key);

    /// <summary>Removes all elements that this device sees.</summary>
    /// <returns>Whether there were any.</returns>
    public bool Clear() => _records.Delete(Key, RecordKind.Set);

    private bool Write(Value element, bool remove)
    {
        _records.Enter();
        bool done = false;
        try
        {
            bool changed = _records.Owner.WriteElement(Key, element, remove);
            done = true;
            return changed;
        }
        finally
        {
            _records.Leave(done);
        }
    }
}
