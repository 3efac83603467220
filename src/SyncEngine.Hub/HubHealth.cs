using Microsoft.Extensions.Diagnostics.HealthChecks;
using SyncEngine.Hub.Syncing;

namespace SyncEngine.Hub;

/// <summary>Healthy while the hub can make changes durable.</summary>
internal sealed class HubHealth(HubStore store, OpenSessions sessions) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var data = new Dictionary<string, object> { ["sessions"] = sessions.Count, ["openIdentities"] = store.OpenedCount };
        return Task.FromResult(store.Failure is { } failure
            ? HealthCheckResult.Unhealthy("What devices send is not durable: " + failure.Message, failure, data)
            : HealthCheckResult.Healthy("Everything is durable.", data));
    }
}
