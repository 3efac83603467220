using SyncEngine.Cells;
using SyncEngine.Values;

namespace SyncEngine.Datasets;

/// <summary>
/// An ordered list. Runs that two devices insert at one place stay whole; a moved element stays one element, wherever
/// others move it at the same time; setting an element beats a concurrent removal.
/// </summary>
/// <remarks>Order after Weidner and Kleppmann, "The Art of the Fugue" (2023).</remarks>
public readonly record struct ListRecord
{
    private readonly Records _records;

    internal ListRecord(Records records, string key) => (_records, Key) = (records, key);

    /// <summary>The record's key.</summary>
    public string Key { get; }

    /// <summary>How many elements it has.</summary>
    public int Count => _records.Owner.CountOf(_records, RecordKind.List, Key);

    /// <summary>An element; setting it keeps its place.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no element at the index.</exception>
    public Value this[int index]
    {
        get => _records.Owner.ReadElement(_records, Key, index);
        set => Write(ListAction.Set, index, 0, value);
    }

    /// <summary>Appends an element.</summary>
    public void Add(Value element) => Write(ListAction.Add, 0, 0, element);

    /// <summary>Inserts an element before the one at the index, or at the end.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index is below 0 or above the count.</exception>
    public void Insert(int index, Value element) => Write(ListAction.Insert, index, 0, element);

    /// <summary>Removes an element.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no element at the index.</exception>
    public void RemoveAt(int index) => Write(ListAction.Remove, index, 0, default);

    /// <summary>Moves an element so that it has the index <paramref name="to"/> afterwards.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is not that of an element.</exception>
    public void Move(int from, int to) => Write(ListAction.Move, from, to, default);

    /// <summary>The elements in order, as a copy.</summary>
    public IReadOnlyList<Value> ToArray() => _records.Owner.ReadList(_records, Key);

    /// <summary>Removes all elements that this device sees.</summary>
    /// <returns>Whether there were any.</returns>
    public bool Clear() => _records.Delete(Key, RecordKind.List);

    private void Write(ListAction action, int index, int to, Value element)
    {
        _records.Enter();
        bool done = false;
        try
        {
            _records.Owner.WriteList(Key, action, index, to, element);
            done = true;
        }
        finally
        {
            _records.Leave(done);
        }
    }
}

/// <summary>What a list is asked to do.</summary>
internal enum ListAction
{
    Add,
    Insert,
    Set,
    Remove,
    Move,
}
