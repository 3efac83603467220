using System.Reactive.Linq;
using System.Reactive.Threading.Tasks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using SyncEngine.Causality;
using SyncEngine.Sync;

namespace SyncEngine.Hosting;

/// <summary>Healthy while changes become durable, also offline; degraded where a person must act before it can sync.</summary>
internal sealed class SyncStoreHealth(HostedSyncStore hosted) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            SyncStore store = await hosted.OpenAsync(cancellationToken).ConfigureAwait(false);
            return Describe(context, await store.Status.FirstAsync().ToTask(cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e) when (e is SyncException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, "The store is not open: " + e.Message, e);
        }
    }

    private static HealthCheckResult Describe(HealthCheckContext context, StoreStatus status)
    {
        var data = new Dictionary<string, object> { ["sync"] = status.Sync.State.ToString() };
        if (status.Sync.PendingChanges is { } pending) data["pendingChanges"] = pending;
        if (status.Sync.LastSync is { } last) data["lastSync"] = last;
        if (status.State != SyncStoreState.Ready)
            return new HealthCheckResult(context.Registration.FailureStatus,
                "Changes do not become durable: " + status.Failure?.Message, status.Failure, data);
        return status.Sync.State == SyncState.NeedsAuth
            ? HealthCheckResult.Degraded("A person must act: " + status.Sync.Failure?.Message, status.Sync.Failure, data)
            : HealthCheckResult.Healthy("Everything is durable.", data);
    }
}
