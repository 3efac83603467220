using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using SyncEngine.Hub.Rows;

namespace SyncEngine.Hub.Push;

/// <summary>
/// The feeds of all pools: which datasets of which identities changed, in the order in which they became durable, to be read on
/// from a cursor. An entry may come twice; content is read elsewhere. Thread-safe. Dispose it after what feeds it.
/// </summary>
internal sealed class ChangeFeed : IAsyncDisposable
{
    /// <summary>Most entries of one page.</summary>
    public const int PageEntriesMax = 1000;

    private readonly ConcurrentDictionary<string, FeedLog> _logs = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _ended = new();
    private readonly HubRows _rows;
    private readonly TimeProvider _time;
    private readonly ILogger<ChangeFeed> _logger;
    private readonly ChangeFeedOptions _options;
    private readonly Func<string, bool> _isKept;
    private readonly Task _sweeping;

    /// <summary>Opens the feeds; each is read at its first use.</summary>
    /// <param name="rows">Where they lie.</param>
    /// <param name="time">Clock of retention and waiting.</param>
    /// <param name="logger">Hears of failed writes.</param>
    /// <param name="options">How they are kept.</param>
    /// <param name="isKept">Whether a pool has a feed; null: each has. Called for each change: must be quick.</param>
    public ChangeFeed(HubRows rows, TimeProvider time, ILogger<ChangeFeed> logger, ChangeFeedOptions? options = null,
        Func<string, bool>? isKept = null)
    {
        (_rows, _time, _logger) = (rows, time, logger);
        _options = options ?? new ChangeFeedOptions();
        _isKept = isKept ?? (static _ => true);
        _sweeping = SweepForEverAsync();
    }

    /// <summary>
    /// Opens a pool's feed. Call it for each pool before changes are taken: a hub that ends without closing a feed which it had
    /// opened leaves an entry there that tells readers of the interruption.
    /// </summary>
    public async Task OpenAsync(string pool, CancellationToken cancellationToken = default)
    {
        if (_isKept(pool)) await Log(pool).OpenAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes a change; returns the newest durable entry before it, −1 if the pool keeps no feed or that is
    /// unknown.</summary>
    public long Note(in HubChange change) => _isKept(change.Pool) ? Log(change.Pool).Note(change) : -1;

    /// <summary>Tells the readers of each feed in use that changes were lost.</summary>
    public void NoteLoss()
    {
        foreach (FeedLog log in _logs.Values) log.NoteLoss();
    }

    /// <summary>Completes when all that was noted for a pool is durable.</summary>
    public Task FlushAsync(string pool, CancellationToken cancellationToken = default) =>
        _isKept(pool) ? Log(pool).FlushAsync(cancellationToken) : Task.CompletedTask;

    /// <summary>Reads on from a cursor.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="cursor">Of the page before, or "start" (the oldest entry kept; also null), or "latest".</param>
    /// <param name="limit">Most entries, 1 to 1,000.</param>
    /// <param name="wait">How long to wait for an entry if there is none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<FeedPage> ReadAsync(
        string pool, string? cursor, int limit, TimeSpan wait = default, CancellationToken cancellationToken = default)
    {
        if (!_isKept(pool)) return new FeedPage(FeedOutcome.Gone, [], FeedCursorText.Start, false);
        FeedLog log = Log(pool);
        FeedState state = await log.OpenAsync(cancellationToken).ConfigureAwait(false);
        long after;
        switch (cursor)
        {
            case null or FeedCursorText.Start:
                after = state.First - 1;
                break;
            case FeedCursorText.Latest:
                after = log.Last;
                break;
            default:
                if (!FeedCursorText.TryParse(cursor, pool, out string epoch, out after))
                    return new FeedPage(FeedOutcome.Malformed, [], FeedCursorText.Start, false);
                if (epoch != state.Epoch || after < state.First - 1 || after >= state.Next)
                    return new FeedPage(FeedOutcome.Gone, [], FeedCursorText.Start, false);
                break;
        }

        limit = Math.Clamp(limit, 1, PageEntriesMax);
        if (wait > TimeSpan.Zero && log.Last <= after) await WaitAsync(log, after, wait, cancellationToken).ConfigureAwait(false);

        // What is written shows before it is durable, and a crash would give its numbers to others.
        long durable = log.Last;
        limit = (int)Math.Min(limit, durable - after);
        IReadOnlyList<FeedEntry> entries =
            limit <= 0 ? [] : await log.ReadAsync(after, limit, cancellationToken).ConfigureAwait(false);
        if (limit > 0 && (entries.Count == 0 || entries[0].Sequence != after + 1)) // Swept since the check above.
            return new FeedPage(FeedOutcome.Gone, [], FeedCursorText.Start, false);
        long last = after + entries.Count;
        return new FeedPage(FeedOutcome.Read, entries, FeedCursorText.Format(pool, state.Epoch, last), last < durable);
    }

    /// <summary>The cursor after an entry.</summary>
    public async ValueTask<string> CursorAsync(string pool, long sequence, CancellationToken cancellationToken = default)
    {
        FeedState state = await Log(pool).OpenAsync(cancellationToken).ConfigureAwait(false);
        return FeedCursorText.Format(pool, state.Epoch, sequence);
    }

    /// <summary>Removes entries beyond age and count from the feeds in use; done by itself from time to time.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken = default)
    {
        foreach (FeedLog log in _logs.Values) await log.SweepAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Removes a deleted pool's feed; nothing may be noted for the pool any more.</summary>
    public async Task DeleteAsync(string pool, CancellationToken cancellationToken = default)
    {
        if (_logs.TryRemove(pool, out FeedLog? log)) await log.FlushAsync(cancellationToken).ConfigureAwait(false);
        await _rows.WriteAsync(new KeyValuePair<string, byte[]?>($"feedstate/{pool}", null)).ConfigureAwait(false);
        await RowRemoval.RemoveAllAsync(_rows, $"feed/{pool}/", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes what was noted and marks each feed as closed in order.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync().ConfigureAwait(false);
        await _sweeping.ConfigureAwait(false);
        foreach (FeedLog log in _logs.Values)
        {
            await log.CloseAsync().ConfigureAwait(false);
            log.Dispose();
        }

        _ended.Dispose();
    }

    private async Task WaitAsync(FeedLog log, long after, TimeSpan wait, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ended.Token);
        try
        {
            await log.WhenAfter(after).WaitAsync(wait, _time, either.Token).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Nothing new: an empty page says so.
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The hub ends: likewise.
        }
    }

    private FeedLog Log(string pool) => _logs.TryGetValue(pool, out FeedLog? known) ? known
        : _logs.GetOrAdd(pool, static (name, feed) =>
            new FeedLog(name, feed._rows, feed._time, feed._logger, feed._options), this);

    [SuppressMessage("Design", "CA1031", Justification = "A failed sweep is tried again.")]
    private async Task SweepForEverAsync()
    {
        using var timer = new PeriodicTimer(_options.SweepInterval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_ended.Token).ConfigureAwait(false))
            {
                try
                {
                    await SweepAsync(_ended.Token).ConfigureAwait(false);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    PushLog.SweepFailed(_logger, e);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The hub ends.
        }
    }
}
