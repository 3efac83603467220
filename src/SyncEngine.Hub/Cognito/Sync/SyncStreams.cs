using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Rows;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>
/// Brings the changes of pools that stream to their streams: each at least once, for one dataset in order. A pool's place in the
/// hub's change feed lies in the row <c>cognito/stream/POOL</c>, which is there while the pool streams. Thread-safe.
/// </summary>
internal sealed partial class SyncStreams(
    HubRows rows, ChangeFeed feed, IdentityDirectory directory, CognitoPools pools, SyncStreamSender sender, TimeProvider time,
    ILogger<SyncStreams> logger) : IHostedService, IAsyncDisposable
{
    private const string Prefix = "cognito/stream/";
    private const int EntriesAtOnce = 100;
    private const int IdentitiesAtOnce = 100;
    private const int PoolsMax = 100_000;
    private static readonly TimeSpan _longPoll = TimeSpan.FromHours(1);
    private static readonly TimeSpan _restartDelay = TimeSpan.FromSeconds(5);
    private readonly SemaphoreSlim _editing = new(1, 1);
    private readonly Dictionary<string, (CancellationTokenSource Stop, Task Run)> _running = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _ended = new();
    private readonly List<Task> _bulks = [];
    private int _disposed;

    /// <summary>Goes on with what was streaming, and with what was being published.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach ((string key, _) in await rows.ReadRangeAsync(Prefix, null, PoolsMax, cancellationToken).ConfigureAwait(false))
        {
            if (await pools.FindByNameAsync(key[Prefix.Length..], cancellationToken).ConfigureAwait(false) is not { } pool
                || !SyncSetup.Of(pool).IsStreaming)
                await rows.WriteAsync(KeyValuePair.Create(key, (byte[]?)null)).ConfigureAwait(false);
        }

        foreach (CognitoPool pool in await pools.MetAsync(cancellationToken).ConfigureAwait(false))
        {
            SyncSetup setup = SyncSetup.Of(pool);
            if (setup.StreamName is not { } stream) continue;
            if (setup.IsStreaming) await StartAsync(pool.Name, stream, cancellationToken).ConfigureAwait(false);

            // What was begun goes on though its stream was disabled since, as it does without a new start.
            if (setup is { BulkStartedAt: not null, BulkEndedAt: null }) BeginBulk(pool.Name, stream);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => DisposeAsync().AsTask();

    /// <summary>Streams what a pool changes from now on, or goes on with that.</summary>
    public async Task StartAsync(string pool, string stream, CancellationToken cancellationToken)
    {
        await _editing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await EndAsync(pool).ConfigureAwait(false);
            if (await rows.ReadAsync(Prefix + pool, cancellationToken).ConfigureAwait(false) is null)
            {
                await feed.FlushAsync(pool, cancellationToken).ConfigureAwait(false);
                await StoreAsync(pool, await EndOfFeedAsync(pool, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
            }

            var stop = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token);
            _running.Add(pool, (stop, Task.Run(() => RunAsync(pool, stream, stop.Token), CancellationToken.None)));
        }
        finally
        {
            _editing.Release();
        }
    }

    /// <summary>Streams nothing of a pool any more.</summary>
    public async Task StopAsync(string pool)
    {
        await _editing.WaitAsync().ConfigureAwait(false);
        try
        {
            await EndAsync(pool).ConfigureAwait(false);
            await rows.WriteAsync(KeyValuePair.Create(Prefix + pool, (byte[]?)null)).ConfigureAwait(false);
        }
        finally
        {
            _editing.Release();
        }
    }

    /// <summary>Publishes everything that a pool holds; the pool's set-up tells how it ends.</summary>
    public void BeginBulk(string pool, string stream)
    {
        lock (_bulks)
        {
            _bulks.RemoveAll(static bulk => bulk.IsCompleted);
            _bulks.Add(Task.Run(() => PublishAsync(pool, stream)));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        await _editing.WaitAsync().ConfigureAwait(false);
        try
        {
            await _ended.CancelAsync().ConfigureAwait(false);
            foreach (string pool in _running.Keys.ToList()) await EndAsync(pool).ConfigureAwait(false);
            Task[] bulks;
            lock (_bulks) bulks = [.. _bulks];
            await Task.WhenAll(bulks).ConfigureAwait(false);
        }
        finally
        {
            _editing.Release();
        }

        _editing.Dispose();
        _ended.Dispose();
    }

    private async Task EndAsync(string pool)
    {
        if (!_running.Remove(pool, out (CancellationTokenSource Stop, Task Run) running)) return;
        await running.Stop.CancelAsync().ConfigureAwait(false);
        await running.Run.ConfigureAwait(false);
        running.Stop.Dispose();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong, the stream goes on.")]
    private async Task RunAsync(string pool, string stream, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await StreamAsync(pool, stream, stop).ConfigureAwait(false);
                return;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogBroke(pool, stream, e);
                await QuietDelayAsync(stop).ConfigureAwait(false);
            }
        }
    }

    private async Task StreamAsync(string pool, string stream, CancellationToken stop)
    {
        byte[]? stored = await rows.ReadAsync(Prefix + pool, stop).ConfigureAwait(false);
        string cursor = stored is null ? FeedCursorText.Start : Encoding.ASCII.GetString(stored);
        while (true)
        {
            FeedPage page = await feed.ReadAsync(pool, cursor, EntriesAtOnce, _longPoll, stop).ConfigureAwait(false);
            CognitoPool? known = await pools.FindByNameAsync(pool, stop).ConfigureAwait(false);
            if (known is null || !SyncSetup.Of(known).IsStreaming)
            {
                // The pool was deleted; one that was made anew under its name has a set-up of its own.
                await rows.WriteAsync(KeyValuePair.Create(Prefix + pool, (byte[]?)null)).ConfigureAwait(false);
                return;
            }

            if (page.Outcome != FeedOutcome.Read)
            {
                // What the feed has forgotten is found by looking at everything.
                cursor = await EndOfFeedAsync(pool, stop).ConfigureAwait(false);
                await SendAllAsync(pool, stream, isAnew: false, stop).ConfigureAwait(false);
            }
            else
            {
                foreach (FeedEntry entry in page.Entries)
                {
                    if (entry.Type == FeedEntryType.Interrupted)
                        await SendAllAsync(pool, stream, isAnew: false, stop).ConfigureAwait(false);
                    else
                        await sender.SendAsync(pool, stream, entry.IdentityId, entry.Dataset, entry.Revision, false, stop)
                            .ConfigureAwait(false);
                }

                cursor = page.Cursor;
            }

            await StoreAsync(pool, cursor).ConfigureAwait(false);
        }
    }

    private async Task SendAllAsync(string pool, string stream, bool isAnew, CancellationToken stop)
    {
        IReadOnlyList<IdentityRow> page = [];
        do
        {
            page = await directory.ListAsync(pool, page.Count == 0 ? null : page[^1].Id, IdentitiesAtOnce, stop)
                .ConfigureAwait(false);
            foreach (IdentityRow row in page)
            {
                if (row.State == IdentityState.Active)
                    await sender.SendAllAsync(pool, stream, row.Id, isAnew, stop).ConfigureAwait(false);
            }
        }
        while (page.Count == IdentitiesAtOnce);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong is told to who asks for details.")]
    private async Task PublishAsync(string pool, string stream)
    {
        string? failure = null;
        try
        {
            await SendAllAsync(pool, stream, isAnew: true, _ended.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            return; // It begins anew when the hub starts.
        }
        catch (Exception e)
        {
            LogBroke(pool, stream, e);
            failure = e.Message;
        }

        try
        {
            if (await pools.FindByNameAsync(pool).ConfigureAwait(false) is not { } known) return;
            await pools.ChangeAsync(known.Definition, row => row with
            {
                Sync = (SyncSetup.Of(row) with
                {
                    BulkEndedAt = time.GetUtcNow().ToUnixTimeMilliseconds(), BulkFailure = failure,
                }).Encode(),
            }).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            LogBroke(pool, stream, e);
        }
    }

    private async Task<string> EndOfFeedAsync(string pool, CancellationToken cancellationToken) =>
        (await feed.ReadAsync(pool, FeedCursorText.Latest, 1, default, cancellationToken).ConfigureAwait(false)).Cursor;

    private Task StoreAsync(string pool, string cursor) =>
        rows.WriteAsync(KeyValuePair.Create(Prefix + pool, (byte[]?)Encoding.ASCII.GetBytes(cursor)));

    private async Task QuietDelayAsync(CancellationToken stop)
    {
        try
        {
            await Task.Delay(_restartDelay, time, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The caller looks at the token itself.
        }
    }

    [LoggerMessage(20, LogLevel.Warning, "Stream {Stream} of pool {Pool} was interrupted")]
    private partial void LogBroke(string pool, string stream, Exception exception);
}
