using System.Collections;

namespace SyncEngine.Datasets;

/// <summary>What one transaction or one merge changed. Immutable.</summary>
public sealed class ChangeSet : IReadOnlyList<Change>
{
    private readonly Change[] _changes;

    internal ChangeSet(string dataset, FeedCursor cursor, ChangeOrigin origin, Change[] changes, bool isResync = false)
    {
        (Dataset, Cursor, Origin, _changes, IsResync) = (dataset, cursor, origin, changes, isResync);
    }

    /// <summary>The dataset's name.</summary>
    public string Dataset { get; }

    /// <summary>The dataset's revision that this change set made.</summary>
    public long Revision => Cursor.Revision;

    /// <summary>The place after this change set in the feed of durable changes.</summary>
    public FeedCursor Cursor { get; }

    /// <summary>Written here or merged from elsewhere.</summary>
    public ChangeOrigin Origin { get; }

    /// <summary>
    /// Whether changes were left out, because the subscriber fell too far behind or its cursor is too old: read the
    /// dataset anew. It lists no changes.
    /// </summary>
    public bool IsResync { get; }

    /// <summary>How many changes it lists.</summary>
    public int Count => _changes.Length;

    /// <inheritdoc/>
    public Change this[int index] => _changes[index];

    /// <inheritdoc/>
    public IEnumerator<Change> GetEnumerator() => ((IEnumerable<Change>)_changes).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
