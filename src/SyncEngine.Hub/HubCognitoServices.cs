using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using SyncEngine.Hub.Cognito;

namespace SyncEngine.Hub;

/// <summary>Registers what the Cognito-wire-compatible API needs.</summary>
internal static class HubCognitoServices
{
    public static void AddHubCognito(this IServiceCollection services)
    {
        services.TryAddSingleton<CognitoIds>();
        services.TryAddSingleton<CognitoPools>();
        services.AddHubCognitoSync();
    }
}
