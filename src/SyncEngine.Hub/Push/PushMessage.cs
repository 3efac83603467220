namespace SyncEngine.Hub.Push;

/// <summary>A push that tells a device to synchronise. It carries no content. Immutable.</summary>
/// <param name="Token">The device's token at the service; treat it as a secret.</param>
/// <param name="Pool">The identity's pool.</param>
/// <param name="Datasets">What changed; empty for anything.</param>
public sealed record PushMessage(string Token, string Pool, IReadOnlyList<string> Datasets)
{
    /// <summary>What the push tells the app, name by name, in place of pool and datasets; null where those are told.</summary>
    public IReadOnlyDictionary<string, string>? Data { get; init; }
}
