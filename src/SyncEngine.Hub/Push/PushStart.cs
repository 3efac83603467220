using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SyncEngine.Causality;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Syncing;

namespace SyncEngine.Hub.Push;

/// <summary>Opens the feeds and begins deliveries when the hub starts, before it takes changes; when it stops, sees to it that
/// what was taken last is in the feeds before they close.</summary>
internal sealed partial class PushStart(
    PoolRegistry pools, ChangeFeed feed, Webhooks webhooks, HubStore store, OpenSessions sessions, TimeProvider time,
    ILogger<PushStart> logger) : IHostedService
{
    private static readonly TimeSpan _lookEvery = TimeSpan.FromMilliseconds(10);
    private const int PoolsAtOnce = 100;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        string? after = null;
        while (true)
        {
            IReadOnlyList<IdentityPool> found = await pools.ListAsync(after, PoolsAtOnce, cancellationToken)
                .ConfigureAwait(false);
            foreach (IdentityPool pool in found) await feed.OpenAsync(pool.Name, cancellationToken).ConfigureAwait(false);
            if (found.Count < PoolsAtOnce) break;
            after = found[^1].Name;
        }

        await webhooks.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits for sessions to end, and until what they brought is durable and told.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (sessions.Count > 0) await Task.Delay(_lookEvery, time, cancellationToken).ConfigureAwait(false);
            await store.FlushAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SyncException or OperationCanceledException)
        {
            // The feeds tell that they were interrupted, for nobody knows what they lack.
            feed.NoteLoss();
            LogLeft(e.Message);
        }
    }

    [LoggerMessage(11, LogLevel.Warning, "The hub stops before all changes are durable, so that feeds tell of an interruption: "
        + "{Reason}")]
    private partial void LogLeft(string reason);
}
