using System.Collections.Concurrent;
using SyncEngine.Hub.Push;

namespace SyncEngine.Hub.Tests.Cognito;

/// <summary>A push service that writes down whom it wakes.</summary>
internal sealed class ListedPushes(string platform = "listed") : IPushSender
{
    private readonly ConcurrentQueue<string> _tokens = new();

    public string Platform => platform;

    public IReadOnlyCollection<string> Tokens => _tokens;

    public ValueTask<PushResult> SendAsync(PushMessage message, CancellationToken cancellationToken)
    {
        _tokens.Enqueue(message.Token);
        return new(PushResult.Sent);
    }
}
