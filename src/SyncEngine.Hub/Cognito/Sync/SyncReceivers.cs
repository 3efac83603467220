using Microsoft.Extensions.Options;
using SyncEngine.Hub.Push;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>The functions and streams that the hub's configuration names.</summary>
internal sealed class SyncReceivers(IOptions<SyncHubOptions> options, TimeProvider time)
{
    /// <summary>The function of an ARN: its last part is a name of the configuration, whatever stands before. Null if there is
    /// none.</summary>
    public WebhookDefinition? FunctionOf(string arn) => Find(options.Value.Cognito.Functions, arn.Split(':')[^1]);

    /// <summary>The stream of a name; null if there is none.</summary>
    public WebhookDefinition? StreamOf(string name) => Find(options.Value.Cognito.Streams, name);

    private WebhookDefinition? Find(IDictionary<string, CognitoReceiver> receivers, string name)
    {
        if (!receivers.TryGetValue(name, out CognitoReceiver? receiver) || receiver.Url is not { } url) return null;
        return new WebhookDefinition(name, url, WebhookEvent.Change, "*", [new WebhookSecret(receiver.Secret, null)],
            time.GetUtcNow());
    }
}
