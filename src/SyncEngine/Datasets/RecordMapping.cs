using SyncEngine.Values;

namespace SyncEngine.Datasets;

/// <summary>
/// How a plain class is kept as a map record: a pair of delegates that the app writes, one line a property each. No
/// reflection, no generated code; safe for trimming and native AOT.
/// </summary>
/// <typeparam name="T">The class.</typeparam>
/// <example>
/// <code>
/// static readonly RecordMapping&lt;Settings&gt; Mapping = new(
///     map => new Settings { Volume = map.Get&lt;double>("volume"), Name = map.Get&lt;string>("name") },
///     (settings, map) => { map.Set("volume", settings.Volume); map.Set("name", settings.Name); });
/// </code>
/// </example>
public sealed class RecordMapping<T>
{
    private readonly Func<MapRecord, T> _read;
    private readonly Action<T, MapWriter> _write;

    /// <summary>Makes a mapping.</summary>
    /// <param name="read">Makes an object from a map's fields.</param>
    /// <param name="write">Sets a map's fields from an object. Fields that it does not name stay as they are.</param>
    public RecordMapping(Func<MapRecord, T> read, Action<T, MapWriter> write)
    {
        ArgumentNullException.ThrowIfNull(read);
        ArgumentNullException.ThrowIfNull(write);
        (_read, _write) = (read, write);
    }

    internal T Read(MapRecord map) => _read(map);

    internal void Write(T value, MapWriter writer) => _write(value, writer);
}

/// <summary>Writes the fields of a mapped object, but only those that changed, so that edits of others stay
/// standing.</summary>
public readonly record struct MapWriter
{
    private readonly MapRecord _map;

    internal MapWriter(MapRecord map) => _map = map;

    /// <summary>Sets a field if its value differs; a missing value removes it.</summary>
    public void Set(string field, Value value)
    {
        MapRecord map = _map;
        if (map[field] != value) map[field] = value;
    }
}
