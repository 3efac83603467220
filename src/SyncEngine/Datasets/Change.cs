using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Values;

namespace SyncEngine.Datasets;

/// <summary>One record, field or element that a change set changed. Immutable; reading a key decodes it.</summary>
public readonly record struct Change
{
    private readonly TextView _key;
    private readonly TextView _field;
    private readonly CellKind _kind;
    private readonly Value _newValue;
    private readonly Competition? _competition;

    internal Change(
        CellKind kind, TextView key, TextView field, ChangeType type, Value oldValue, Value newValue, ReplicaId writer,
        Competition? competition)
    {
        (_kind, _key, _field, Type, OldValue, _newValue) = (kind, key, field, type, oldValue, newValue);
        (Writer, _competition) = (writer, competition);
    }

    /// <summary>The record's key.</summary>
    public string Key => _key.ToString();

    /// <summary>The record's kind.</summary>
    public RecordKind Kind => CellKinds.RecordOf(_kind);

    /// <summary>The field of a map; null for other kinds.</summary>
    public string? Field => _kind == CellKind.MapField ? _field.ToString() : null;

    /// <summary>The element of a set; missing for other kinds.</summary>
    public Value Element => _kind == CellKind.SetElement ? new Value(_field.Bytes.ToArray(), 0, _field.Bytes.Length)
        : Value.Missing;

    /// <summary>What happened.</summary>
    public ChangeType Type { get; }

    /// <summary>The value before; missing if there was none, and for elements of a set.</summary>
    public Value OldValue { get; }

    /// <summary>The value now, the dataset's resolver applied; missing if there is none, and for elements of a
    /// set.</summary>
    public Value NewValue => _competition is null ? _newValue : _competition.Resolve(_newValue);

    /// <summary>Who wrote the shown value; none for a removal that is known only as an absence.</summary>
    public ReplicaId Writer { get; }

    internal TextView KeyView => _key;
}
