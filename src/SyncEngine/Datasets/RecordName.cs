using SyncEngine.Cells;

namespace SyncEngine.Datasets;

/// <summary>What names a record within its dataset: a key and a kind. Orders by key, ordinally, and then
/// kind.</summary>
/// <param name="Key">The key.</param>
/// <param name="Kind">The kind.</param>
public readonly record struct RecordName(string Key, RecordKind Kind) : IComparable<RecordName>
{
    /// <inheritdoc/>
    public int CompareTo(RecordName other)
    {
        int order = string.CompareOrdinal(Key, other.Key);
        return order != 0 ? order : Kind.CompareTo(other.Kind);
    }

    /// <summary>Whether <paramref name="left"/> comes before <paramref name="right"/>.</summary>
    public static bool operator <(RecordName left, RecordName right) => left.CompareTo(right) < 0;

    /// <summary>Whether <paramref name="left"/> comes after <paramref name="right"/>.</summary>
    public static bool operator >(RecordName left, RecordName right) => left.CompareTo(right) > 0;

    /// <summary>Whether <paramref name="left"/> does not come after <paramref name="right"/>.</summary>
    public static bool operator <=(RecordName left, RecordName right) => left.CompareTo(right) <= 0;

    /// <summary>Whether <paramref name="left"/> does not come before <paramref name="right"/>.</summary>
    public static bool operator >=(RecordName left, RecordName right) => left.CompareTo(right) >= 0;
}
