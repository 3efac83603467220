using Microsoft.Extensions.Hosting;
using SyncEngine.Hub.Pools;

namespace SyncEngine.Hub.Push;

/// <summary>Opens the feeds and begins deliveries when the hub starts, before it takes changes.</summary>
internal sealed class PushStart(PoolRegistry pools, ChangeFeed feed, Webhooks webhooks) : IHostedService
{
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

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
