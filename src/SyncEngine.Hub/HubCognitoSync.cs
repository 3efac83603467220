using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using SyncEngine.Causality;
using SyncEngine.Hub.Cognito;
using SyncEngine.Hub.Cognito.Sync;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Rows;
using SyncEngine.Hub.Syncing;

namespace SyncEngine.Hub;

/// <summary>Registers the operations of the Sync API.</summary>
internal static class HubCognitoSync
{
    public static void AddHubCognitoSync(this IServiceCollection services)
    {
        services.TryAddSingleton<LegacyDatasets>();
        services.TryAddSingleton<LegacyDevices>();
        services.TryAddSingleton<LegacyImport>();
        services.TryAddSingleton<SealedTexts>();
        services.TryAddSingleton<SyncScopes>();
        services.TryAddSingleton<SyncSessions>();
        services.TryAddSingleton<SyncReview>();
        services.TryAddSingleton<PoolUsages>();
        services.AddSingleton<ICognitoOperations, DatasetOperations>();
        services.AddSingleton<ICognitoOperations, DeviceOperations>();
        services.AddSingleton<ICognitoOperations, UsageOperations>();
        services.AddSingleton<ICognitoOperations, SetupOperations>();
        services.TryAddSingleton<SyncReceivers>();
        services.TryAddSingleton<SyncTrigger>();
        services.TryAddSingleton(static provider => new SyncStreamSender(
            provider.GetRequiredService<HubRows>(), provider.GetRequiredService<HubStore>(),
            provider.GetRequiredService<LegacyDatasets>(), provider.GetRequiredService<CognitoPools>(),
            provider.GetRequiredService<SyncReceivers>(), provider.GetRequiredService<WebhookSender>(), RandomSource.System,
            provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<SyncStreams>();
        services.AddHostedService(static provider => provider.GetRequiredService<SyncStreams>());
    }
}
