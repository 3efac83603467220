using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using SyncEngine.Hub.Cognito;
using SyncEngine.Hub.Cognito.IdentityApi;
using SyncEngine.Hub.Cognito.Signing;
using SyncEngine.Hub.Cognito.Sts;
using SyncEngine.Hub.Cognito.Wire;

namespace SyncEngine.Hub;

/// <summary>Registers what the Cognito-wire-compatible API needs.</summary>
internal static class HubCognitoServices
{
    public static void AddHubCognito(this IServiceCollection services)
    {
        services.TryAddSingleton<CognitoIds>();
        services.TryAddSingleton<CognitoPools>();
        services.TryAddSingleton<CognitoAdmin>();
        services.TryAddSingleton<PoolImport>();
        services.TryAddSingleton<CognitoSecrets>();
        services.TryAddSingleton<IssuedCredentials>();
        services.TryAddSingleton<SignatureCheck>();
        services.TryAddSingleton<CognitoEntry>();
        services.TryAddSingleton<CognitoEndpoint>();
        services.TryAddSingleton<IdentityIndex>();
        services.TryAddSingleton<OpenIdTokens>();
        services.TryAddSingleton<LoginProofs>();
        services.TryAddSingleton<IdentityAccess>();
        services.TryAddSingleton<StsEndpoint>();
        services.AddSingleton<ICognitoOperations, IdentityOperations>();
        services.AddSingleton<ICognitoOperations, DeveloperOperations>();
        services.AddSingleton<ICognitoOperations, PoolOperations>();
        services.AddSingleton<ICognitoOperations, PoolRoleOperations>();
        services.AddSingleton<ICognitoOperations, PoolTagOperations>();
        services.AddSingleton<IPeriodicTask>(static provider => provider.GetRequiredService<CognitoSecrets>());
        services.AddHubCognitoSync();
    }
}
