using SyncEngine.Cells;
using SyncEngine.Values;

namespace SyncEngine.Datasets;

/// <summary>
/// The records of a dataset, to read and to write: a <see cref="Dataset"/> itself, where each write is a transaction
/// of its
/// own, or a <see cref="Transaction"/> over several.
/// </summary>
public abstract class Records
{
    private protected Records()
    {
    }

    internal abstract Dataset Owner { get; }

    /// <summary>
    /// A register's value: missing if there is none, the resolver's choice or the latest write where several stand.
    /// Setting it is visible at once and durable with the next group commit; setting a missing value deletes.
    /// </summary>
    /// <param name="key">1 to 4,096 bytes of UTF-8.</param>
    public Value this[string key]
    {
        get => Owner.ReadRegister(this, CellKind.Register, key, null);
        set => Put(key, value);
    }

    /// <summary>A register's value as a plain type, or the default where there is none.</summary>
    /// <typeparam name="T">bool, int, long, double, float, string, byte[], DateTimeOffset, Value, or a nullable
    /// one.</typeparam>
    /// <exception cref="InvalidOperationException">The value has another kind.</exception>
    public T? Get<T>(string key)
    {
        Value value = this[key];
        return value.IsMissing ? default : value.As<T>();
    }

    /// <summary>Writes a register.</summary>
    /// <typeparam name="T">One of the types that <see cref="Get{T}(string)"/> reads.</typeparam>
    public void Put<T>(string key, T value) => Put(key, Value.Of(value));

    /// <summary>Writes a register; a missing value deletes it.</summary>
    /// <exception cref="Causality.SyncException">A limit would be exceeded, or the storage has failed.</exception>
    public void Put(string key, Value value)
    {
        Enter();
        bool done = false;
        try
        {
            Owner.WriteRegister(key, value);
            done = true;
        }
        finally
        {
            Leave(done);
        }
    }

    /// <summary>A map record as an object, or the default where the map has no field.</summary>
    public T? Get<T>(string key, RecordMapping<T> mapping)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        return Contains(key, RecordKind.Map) ? mapping.Read(Map(key)) : default;
    }

    /// <summary>Writes an object as a map record: the fields that changed, as one transaction.</summary>
    public void Put<T>(string key, T value, RecordMapping<T> mapping)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        InTransaction(transaction => mapping.Write(value, new MapWriter(transaction.Map(key))));
    }

    /// <summary>Deletes a register. A concurrent write survives.</summary>
    /// <returns>Whether there was something to delete.</returns>
    public bool Delete(string key) => Delete(key, RecordKind.Register);

    /// <summary>Deletes a record of any kind, with all that it holds. What others write concurrently
    /// survives.</summary>
    /// <returns>Whether there was something to delete.</returns>
    public bool Delete(string key, RecordKind kind)
    {
        Enter();
        bool done = false;
        try
        {
            bool deleted = Owner.DeleteRecord(key, kind);
            done = true;
            return deleted;
        }
        finally
        {
            Leave(done);
        }
    }

    /// <summary>Whether a register has a value.</summary>
    public bool Contains(string key) => Contains(key, RecordKind.Register);

    /// <summary>Whether a record of the given kind has something to read.</summary>
    public bool Contains(string key, RecordKind kind) => Owner.ContainsRecord(this, key, kind);

    /// <summary>A 64-bit counter.</summary>
    public CounterRecord Counter(string key) => new(this, key);

    /// <summary>The greatest number raised.</summary>
    public MaxRecord Max(string key) => new(this, key);

    /// <summary>The least number lowered.</summary>
    public MinRecord Min(string key) => new(this, key);

    /// <summary>A set of values.</summary>
    public SetRecord Set(string key) => new(this, key);

    /// <summary>A map of fields.</summary>
    public MapRecord Map(string key) => new(this, key);

    /// <summary>An ordered list.</summary>
    public ListRecord List(string key) => new(this, key);

    internal bool WriteExtreme(CellKind kind, string key, Value number)
    {
        Enter();
        bool done = false;
        try
        {
            bool written = Owner.RaiseExtreme(kind, key, number);
            done = true;
            return written;
        }
        finally
        {
            Leave(done);
        }
    }

    /// <summary>Runs writes as one transaction: the own one, or a new one.</summary>
    internal abstract void InTransaction(Action<Transaction> action);

    /// <summary>Enters the gate to write; a lone write begins its transaction.</summary>
    internal abstract void Enter();

    /// <summary>Leaves the gate; a lone write ends its transaction.</summary>
    internal abstract void Leave(bool done);

    /// <summary>Checks, before a read, that the records may still be used.</summary>
    internal abstract void CheckUsable();
}
