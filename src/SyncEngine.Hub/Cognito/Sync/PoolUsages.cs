using System.Text;
using System.Text.Json;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Rows;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>
/// What pools hold. Each identity's share is kept in a row beside its datasets; the pool's change feed tells whose has changed
/// since, up to the place that the row <c>cognito/usage/POOL</c> holds, and what is open now is looked at anyway. So all data is
/// read only at the first count, and where the feed does not reach back. Thread-safe; one count at a time.
/// </summary>
internal sealed class PoolUsages(
    HubRows rows, HubStore store, ChangeFeed feed, IdentityDirectory directory, KeyedLocks locks, LegacyDatasets datasets)
    : IDisposable
{
    private const string Prefix = "cognito/usage/";
    private const int IdentitiesAtOnce = 100;
    private readonly SemaphoreSlim _counting = new(1, 1);

    /// <summary>Adds up what a pool's identities hold.</summary>
    /// <returns>UTF-8 bytes of keys and texts, and when something was written last, in milliseconds since 1970.</returns>
    public async Task<(long Bytes, long LastMilliseconds)> CountAsync(CognitoPool pool, CancellationToken cancellationToken)
    {
        await _counting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            (HashSet<IdentityId>? changed, string cursor) = await ChangedAsync(pool.Name, cancellationToken)
                .ConfigureAwait(false);
            long bytes = 0, last = pool.Definition.CreatedAt.ToUnixTimeMilliseconds();
            var written = new List<Task>();
            IReadOnlyList<IdentityRow> page = [];
            do
            {
                page = await directory.ListAsync(
                    pool.Name, page.Count == 0 ? null : page[^1].Id, IdentitiesAtOnce, cancellationToken).ConfigureAwait(false);
                foreach (IdentityRow row in page.Where(static row => row.State != IdentityState.Merged))
                {
                    Usage usage = await ReadAsync(row, changed, cancellationToken).ConfigureAwait(false)
                        ?? await CountAsync(row, written, cancellationToken).ConfigureAwait(false);
                    bytes += usage.Bytes;
                    last = Math.Max(last, usage.Last);
                }

                await Task.WhenAll(written).ConfigureAwait(false);
                written.Clear();
            }
            while (page.Count == IdentitiesAtOnce);
            await rows.WriteAsync(new KeyValuePair<string, byte[]?>(Prefix + pool.Name, Encoding.ASCII.GetBytes(cursor)))
                .ConfigureAwait(false);
            return (bytes, last);
        }
        finally
        {
            _counting.Release();
        }
    }

    public void Dispose() => _counting.Dispose();

    /// <summary>When something of an identity was written last.</summary>
    public static long LastOf(IReadOnlyList<LegacySummary> datasets, DateTimeOffset created) => datasets
        .Select(static summary => summary.ModifiedMilliseconds).Append(created.ToUnixTimeMilliseconds()).Max();

    private static string KeyOf(IdentityRow row) => HubStore.BesideOf(row.Pool, row.Id) + "usage";

    /// <summary>Whose data changed since the last count, null for everybody's, and the place in the feed up to which that is
    /// known.</summary>
    private async Task<(HashSet<IdentityId>? Changed, string Cursor)> ChangedAsync(
        string pool, CancellationToken cancellationToken)
    {
        byte[]? stored = await rows.ReadAsync(Prefix + pool, cancellationToken).ConfigureAwait(false);
        string? cursor = stored is null ? null : Encoding.ASCII.GetString(stored);
        var changed = new HashSet<IdentityId>();
        while (cursor is not null)
        {
            FeedPage page = await feed.ReadAsync(pool, cursor, ChangeFeed.PageEntriesMax, default, cancellationToken)
                .ConfigureAwait(false);
            if (page.Outcome != FeedOutcome.Read
                || page.Entries.Any(static entry => entry.Type == FeedEntryType.Interrupted)) break;
            changed.UnionWith(page.Entries.Select(static entry => entry.IdentityId));
            cursor = page.Cursor;
            if (!page.HasMore) return (changed, cursor);
        }

        FeedPage end = await feed.ReadAsync(pool, FeedCursorText.Latest, 1, default, cancellationToken).ConfigureAwait(false);
        return (null, end.Cursor);
    }

    /// <summary>What was counted before and holds still; null if nothing does.</summary>
    private async ValueTask<Usage?> ReadAsync(
        IdentityRow row, HashSet<IdentityId>? changed, CancellationToken cancellationToken)
    {
        // What the feed tells may come a moment after a write was answered; whoever wrote is open then.
        if (changed is null || changed.Contains(row.Id) || store.IsOpen(row.Pool, row.Id)) return null;
        byte[]? bytes = await rows.ReadAsync(KeyOf(row), cancellationToken).ConfigureAwait(false);
        return bytes is null ? null : JsonSerializer.Deserialize<Usage>(bytes, RowJson.Options);
    }

    private async Task<Usage> CountAsync(IdentityRow row, List<Task> written, CancellationToken cancellationToken)
    {
        // Beside an identity that is deleted meanwhile nothing may be written.
        using IDisposable held = await locks.EnterAsync(row.Pool, cancellationToken, row.Id).ConfigureAwait(false);
        if (await directory.FindAsync(row.Pool, row.Id, cancellationToken).ConfigureAwait(false)
            is null or { State: IdentityState.Merged }) return new Usage(0, 0);
        IReadOnlyList<LegacySummary> found = await datasets.ListAsync(row.Pool, row.Id, cancellationToken).ConfigureAwait(false);
        var usage = new Usage(found.Sum(static summary => summary.Bytes), LastOf(found, row.CreatedAt));
        written.Add(rows.WriteAsync(new KeyValuePair<string, byte[]?>(
            KeyOf(row), JsonSerializer.SerializeToUtf8Bytes(usage, RowJson.Options))));
        return usage;
    }

    /// <summary>One identity's share.</summary>
    private sealed record Usage(long Bytes, long Last);
}
