using Microsoft.Extensions.Hosting;

namespace SyncEngine.Hosting;

/// <summary>
/// Opens a store before the host starts anything that may use it, and closes it after all of that has stopped.
/// </summary>
internal sealed class SyncStoreLifetime(HostedSyncStore store) : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken) =>
        await store.OpenAsync(cancellationToken).ConfigureAwait(false);

    public async Task StartAsync(CancellationToken cancellationToken) =>
        await store.OpenAsync(cancellationToken).ConfigureAwait(false);

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // Not broken off when the host's time to stop is over: what is pending would be lost.
    public async Task StoppedAsync(CancellationToken cancellationToken) => await store.DisposeAsync().ConfigureAwait(false);
}
