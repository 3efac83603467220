using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SyncEngine.Hub.Merging;
using SyncEngine.Hub.Syncing;

namespace SyncEngine.Hub;

/// <summary>What the hub does from time to time: forgets what merges kept, trims what is in memory of nobody.</summary>
internal sealed partial class PeriodicWork(
    IdentityMerging merging, Fences fences, IEnumerable<IPeriodicTask> tasks, TimeProvider time, ILogger<PeriodicWork> logger)
    : BackgroundService
{
    private static readonly TimeSpan _every = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_every, time);
        try
        {
            do
            {
                await RunAsync("forget merges", merging.SweepAsync, stoppingToken).ConfigureAwait(false);
                fences.Trim();
                foreach (IPeriodicTask task in tasks)
                    await RunAsync(task.Name, task.RunAsync, stoppingToken).ConfigureAwait(false);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The hub stops.
        }
    }

    private async Task RunAsync(string name, Func<CancellationToken, Task> work, CancellationToken stoppingToken)
    {
        try
        {
            await work(stoppingToken).ConfigureAwait(false);
        }
        catch (Exception) when (stoppingToken.IsCancellationRequested)
        {
            // What it works with is being put away.
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // One piece of upkeep that fails must not keep the others from being done, and is tried again.
            LogFailed(name, e);
        }
    }

    [LoggerMessage(10, LogLevel.Warning, "Upkeep \"{Name}\" failed and is tried again in ten minutes")]
    private partial void LogFailed(string name, Exception exception);
}

/// <summary>A piece of upkeep that is done every ten minutes.</summary>
internal interface IPeriodicTask
{
    string Name { get; }

    Task RunAsync(CancellationToken cancellationToken);
}
