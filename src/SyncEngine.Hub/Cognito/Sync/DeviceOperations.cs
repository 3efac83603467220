using System.Text.Json.Nodes;
using SyncEngine.Hub.Push;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>The Sync API's operations on devices that want to be told of changes.</summary>
internal sealed class DeviceOperations(SyncScopes scopes, LegacyDevices devices, DevicePush push) : ICognitoOperations
{
    private const int TokenLengthMax = 4096;

    public IEnumerable<CognitoOperation> Operations =>
    [
        new("RegisterDevice", CognitoAccess.Identity, RegisterAsync),
        new("SubscribeToDataset", CognitoAccess.Identity,
            (request, cancellationToken) => SubscribeAsync(request, true, cancellationToken)),
        new("UnsubscribeFromDataset", CognitoAccess.Identity,
            (request, cancellationToken) => SubscribeAsync(request, false, cancellationToken)),
    ];

    private async Task<JsonNode?> RegisterAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        SyncScope scope = await scopes.IdentityAsync(request, cancellationToken).ConfigureAwait(false);
        string platform = request.Body.RequiredText("Platform", 32);
        string token = request.Body.RequiredText("Token", TokenLengthMax);
        string service = LegacyDevices.ServiceOf(platform)
            ?? throw CognitoException.InvalidParameter("Platform is APNS, APNS_SANDBOX, GCM or ADM.");
        LegacyDevices.CheckPushed(scope, platform);
        if (!push.Platforms.Contains(service))
            throw CognitoException.InvalidConfiguration($"The hub has no sender for {platform}; its operator configures it.");
        string id = await devices.RegisterAsync(scope, service, token, cancellationToken).ConfigureAwait(false);
        return new JsonObject { ["DeviceId"] = id };
    }

    private async Task<JsonNode?> SubscribeAsync(CognitoRequest request, bool isWanted, CancellationToken cancellationToken)
    {
        SyncScope scope = await scopes.IdentityAsync(request, cancellationToken).ConfigureAwait(false);
        string name = SyncScopes.DatasetOf(request, scope);
        scope.Check("dataset:read", name);
        await devices.SubscribeAsync(scope, request.Path["device"], name, isWanted, cancellationToken).ConfigureAwait(false);
        return new JsonObject();
    }
}
