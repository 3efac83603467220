using SyncEngine.Cells;
using SyncEngine.Values;

namespace SyncEngine.Datasets;

/// <summary>A map of named fields; each field merges as a register.</summary>
public readonly record struct MapRecord
{
    private readonly Records _records;

    internal MapRecord(Records records, string key) => (_records, Key) = (records, key);

    /// <summary>The record's key.</summary>
    public string Key { get; }

    /// <summary>How many fields have a value.</summary>
    public int Count => _records.Owner.CountOf(_records, RecordKind.Map, Key);

    /// <summary>A field's value: missing if there is none. Setting a missing value removes the field.</summary>
    public Value this[string field]
    {
        get => _records.Owner.ReadRegister(_records, CellKind.MapField, Key, field);
        set
        {
            _records.Enter();
            bool done = false;
            try
            {
                _records.Owner.WriteField(Key, field, value);
                done = true;
            }
            finally
            {
                _records.Leave(done);
            }
        }
    }

    /// <summary>A field as a plain type, or the default where there is none.</summary>
    /// <typeparam name="T">One of the types that <see cref="Records.Get{T}(string)"/> reads.</typeparam>
    public T? Get<T>(string field)
    {
        Value value = this[field];
        return value.IsMissing ? default : value.As<T>();
    }

    /// <summary>Removes a field.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Remove(string field)
    {
        bool was = !this[field].IsMissing;
        if (was) this[field] = Value.Missing;
        return was;
    }

    /// <summary>The fields that have a value, in ordinal order of their UTF-8 names, as a copy.</summary>
    public IReadOnlyList<KeyValuePair<string, Value>> ToArray() => _records.Owner.ReadMap(_records, Key);

    /// <summary>Removes all fields that this device sees.</summary>
    /// <returns>Whether there were any.</returns>
    public bool Clear() => _records.Delete(Key, RecordKind.Map);
}
