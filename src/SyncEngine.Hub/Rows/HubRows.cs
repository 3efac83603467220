namespace SyncEngine.Hub.Rows;

/// <summary>
/// The hub's own table: bytes under text keys in ordinal order, in the same file as the datasets. A write is all or nothing,
/// and visible to reads at once; its task completes when it is durable. Thread-safe. Rows that nobody reads cost no memory.
/// </summary>
internal sealed class HubRows
{
    private readonly object _gate = new();
    private readonly SortedDictionary<string, byte[]> _rows = new(StringComparer.Ordinal);

    /// <summary>The row's bytes, which must not be changed; null if there is none.</summary>
    public ValueTask<byte[]?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        lock (_gate) return new ValueTask<byte[]?>(_rows.GetValueOrDefault(key));
    }

    /// <summary>Rows whose keys start with a prefix, in ordinal order.</summary>
    /// <param name="prefix">What the keys start with.</param>
    /// <param name="after">Only keys above this one; null for all.</param>
    /// <param name="limit">Most rows returned.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<IReadOnlyList<KeyValuePair<string, byte[]>>> ReadRangeAsync(
        string prefix, string? after, int limit, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            return new ValueTask<IReadOnlyList<KeyValuePair<string, byte[]>>>(_rows
                .Where(row => row.Key.StartsWith(prefix, StringComparison.Ordinal)
                    && (after is null || string.CompareOrdinal(row.Key, after) > 0))
                .Take(limit).ToList());
        }
    }

    /// <summary>Writes rows, or removes them where null; completes when that is durable.</summary>
    public Task WriteAsync(params IReadOnlyCollection<KeyValuePair<string, byte[]?>> rows)
    {
        lock (_gate)
        {
            foreach ((string key, byte[]? bytes) in rows)
            {
                if (bytes is null) _rows.Remove(key);
                else _rows[key] = bytes;
            }
        }

        return Task.CompletedTask;
    }
}
