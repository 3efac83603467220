namespace SyncEngine.Datasets;

/// <summary>What happened to a record, a field or an element.</summary>
public enum ChangeType
{
    /// <summary>It has a value now and had none.</summary>
    Added = 1,

    /// <summary>It has another value.</summary>
    Updated = 2,

    /// <summary>It has no value any more.</summary>
    Removed = 3,

    /// <summary>Concurrent writes left several values; the shown one may have changed or not.</summary>
    Conflicted = 4,
}
