namespace SyncEngine.Storage;

/// <summary>Rows under text keys, committed together with the datasets' frames.</summary>
internal sealed partial class Journal
{
    private const int DroppedRowsAtOnce = 64;
    private const int RecentBytesMax = 2 * 1024 * 1024;

    private readonly object _together = new();
    private Dictionary<string, byte[]?> _rows = new(StringComparer.Ordinal);
    private Dictionary<string, byte[]?> _gatheredRows = new(StringComparer.Ordinal);
    private readonly RecentRows _recent = new(RecentBytesMax);

    /// <summary>Runs something whose changes, of several datasets and rows, become durable with one commit. Call it outside
    /// any dataset's gate, and wait for nothing in it.</summary>
    public void Together(Action work)
    {
        lock (_together) work();
    }

    /// <summary>Has rows written, or removed where null, with the next commit; they are visible to reads at once and durable
    /// with the returned task.</summary>
    /// <exception cref="ArgumentException">A row is too long, which would keep everything that comes after it from being
    /// committed.</exception>
    public Task SetRows(IEnumerable<KeyValuePair<string, byte[]?>> rows)
    {
        rows = rows.ToList();
        foreach (KeyValuePair<string, byte[]?> row in rows)
        {
            if (row.Value?.Length > StorageBatch.RowBytesMax)
                throw new ArgumentException($"Row {row.Key} has {row.Value.Length:N0} bytes; {StorageBatch.RowBytesMax:N0} are "
                    + "allowed. Nothing was set.", nameof(rows));
        }

        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            foreach (KeyValuePair<string, byte[]?> row in rows) _rows[row.Key] = row.Value;
            Monitor.Pulse(_gate);
            return _next.Task;
        }
    }

    /// <summary>The row under a key, written durably or not; null if there is none.</summary>
    public ValueTask<byte[]?> ReadRowAsync(string key) => TryReadPending(key, out byte[]? pending)
        ? new ValueTask<byte[]?>(pending)
        : new ValueTask<byte[]?>(RunAsync(storage =>
        {
            if (TryReadPending(key, out byte[]? late)) return late;
            byte[]? stored = storage.ReadRow(key);
            lock (_gate) _recent.Set(key, stored);
            return stored;
        }));

    /// <summary>Tells that there is no row under a key that is of an id just made up, so that nobody looks for it.</summary>
    public void NoteAbsent(string key)
    {
        lock (_gate) _recent.Set(key, null);
    }

    /// <summary>Rows whose keys start with a prefix and are above another, in ordinal order.</summary>
    public Task<IReadOnlyList<KeyValuePair<string, byte[]>>> ReadRowsAsync(string prefix, string? after, int limit) =>
        RunAsync(storage => ReadRows(storage, prefix, after, limit));

    /// <summary>Has the rows removed that belong to datasets which are dropped.</summary>
    private static void GatherDroppedRows(ISyncStorage storage, StorageBatch batch, List<string> prefixes)
    {
        foreach (string prefix in prefixes)
        {
            foreach (string pending in batch.Rows.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal)).ToList())
                batch.Rows[pending] = null;
            string? last = null;
            while (storage.ReadRows(prefix, last, DroppedRowsAtOnce) is { Count: > 0 } rows)
            {
                foreach (KeyValuePair<string, byte[]> row in rows) batch.Rows[row.Key] = null;
                last = rows[^1].Key;
            }
        }
    }

    /// <summary>What a commit is about to write is what reads find from now on.</summary>
    private void NoteGathered(IDictionary<string, byte[]?> rows)
    {
        lock (_gate)
        {
            _gatheredRows = new Dictionary<string, byte[]?>(rows, StringComparer.Ordinal);
            foreach (KeyValuePair<string, byte[]?> row in rows) _recent.Set(row.Key, row.Value);
        }
    }

    private bool TryReadPending(string key, out byte[]? bytes)
    {
        lock (_gate)
        {
            return _rows.TryGetValue(key, out bytes) || _gatheredRows.TryGetValue(key, out bytes)
                || _recent.TryGet(key, out bytes);
        }
    }

    /// <summary>As <see cref="ReadRowsAsync"/>, on the storage thread: with what was set and is not durable yet.</summary>
    public IReadOnlyList<KeyValuePair<string, byte[]>> ReadRows(
        ISyncStorage storage, string prefix, string? after, int limit)
    {
        var newer = new Dictionary<string, byte[]?>(StringComparer.Ordinal);
        lock (_gate)
        {
            foreach (Dictionary<string, byte[]?> rows in (Dictionary<string, byte[]?>[])[_gatheredRows, _rows])
            {
                foreach (KeyValuePair<string, byte[]?> row in rows)
                {
                    if (row.Key.StartsWith(prefix, StringComparison.Ordinal)
                        && (after is null || string.CompareOrdinal(row.Key, after) > 0)) newer[row.Key] = row.Value;
                }
            }
        }

        int asked = (int)Math.Min(int.MaxValue, (long)limit + newer.Count);
        IReadOnlyList<KeyValuePair<string, byte[]>> stored = storage.ReadRows(prefix, after, asked);
        if (newer.Count == 0) return stored;
        IEnumerable<KeyValuePair<string, byte[]>> kept = stored.Where(row => !newer.ContainsKey(row.Key));
        foreach (KeyValuePair<string, byte[]?> row in newer)
            if (row.Value is { } bytes) kept = kept.Append(new KeyValuePair<string, byte[]>(row.Key, bytes));

        // What lies beyond the last stored row that was read is not known to be complete.
        string? last = stored.Count == asked ? stored[^1].Key : null;
        return kept.Where(row => last is null || string.CompareOrdinal(row.Key, last) <= 0)
            .OrderBy(static row => row.Key, StringComparer.Ordinal).Take(limit).ToList();
    }
}
