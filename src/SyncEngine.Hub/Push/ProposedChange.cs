using SyncEngine.Datasets;
using SyncEngine.Values;

namespace SyncEngine.Hub.Push;

/// <summary>One record, field or element as it would change. Immutable.</summary>
/// <param name="Record">The record's key and kind.</param>
/// <param name="Type">What would happen to it.</param>
/// <param name="OldValue">What it reads as now; missing if it has no value, and for elements of a set.</param>
/// <param name="NewValue">What it would read as; missing if it is removed, and for elements of a set.</param>
/// <param name="Field">The field of a map; null for other kinds.</param>
/// <param name="Element">The element of a set; missing for other kinds.</param>
public sealed record ProposedChange(RecordName Record, ChangeType Type, Value OldValue, Value NewValue, string? Field = null,
    Value Element = default)
{
    /// <summary>What a dataset's change set tells.</summary>
    internal static ProposedChange From(in Change change) => new(
        new RecordName(change.Key, change.Kind), change.Type, change.OldValue, change.NewValue, change.Field, change.Element);
}
