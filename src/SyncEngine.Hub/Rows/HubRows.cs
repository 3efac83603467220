using SyncEngine.Storage;

namespace SyncEngine.Hub.Rows;

/// <summary>
/// The hub's own table: bytes under text keys in ordinal order, in the same file as the datasets. A write is all or nothing,
/// and visible to reads at once; its task completes when it is durable. Thread-safe. Rows used lately are kept in memory, up to
/// 2 MiB of them in all; the others cost none.
/// </summary>
internal sealed class HubRows(Journal journal)
{
    /// <summary>Rows in memory, which end with the process.</summary>
    public HubRows()
        : this(Journal.OpenAsync(new MemoryDisk().Open).AsTask().GetAwaiter().GetResult())
    {
    }

    /// <summary>The row's bytes, which must not be changed; null if there is none.</summary>
    public ValueTask<byte[]?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return journal.ReadRowAsync(key);
    }

    /// <summary>Tells that there is no row under a key that is of an id just made up, so that nobody looks for it.</summary>
    public void NoteAbsent(string key) => journal.NoteAbsent(key);

    /// <summary>Rows whose keys start with a prefix, in ordinal order.</summary>
    /// <param name="prefix">What the keys start with.</param>
    /// <param name="after">Only keys above this one; null for all.</param>
    /// <param name="limit">Most rows returned.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<IReadOnlyList<KeyValuePair<string, byte[]>>> ReadRangeAsync(
        string prefix, string? after, int limit, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return await journal.ReadRowsAsync(prefix, after, limit).ConfigureAwait(false);
    }

    /// <summary>Writes rows, or removes them where null; completes when that is durable.</summary>
    /// <exception cref="ArgumentException">A key or a row is longer than a storage takes.</exception>
    public Task WriteAsync(params IReadOnlyCollection<KeyValuePair<string, byte[]?>> rows)
    {
        if (rows.Count == 0) return Task.CompletedTask;
        foreach ((string key, byte[]? bytes) in rows) Check(key, bytes);
        Task written = journal.SetRows(rows);
        journal.RunNow();
        return written;
    }

    // A row that the storage refused would hold up every commit after it.
    private static void Check(string key, byte[]? bytes)
    {
        if (key.Length is > 0 and <= StorageBatch.RowKeyLengthMax && key.All(static c => c is >= ' ' and <= '~')
            && (bytes?.Length ?? 0) <= StorageBatch.RowBytesMax) return;
        throw new ArgumentException($"A row's key has 1 to {StorageBatch.RowKeyLengthMax} printable ASCII characters, its bytes "
            + $"are at most {StorageBatch.RowBytesMax:N0}: {key} breaks that.", nameof(key));
    }
}
