namespace SyncEngine.Hubs;

/// <summary>Which hub a store syncs with, and how.</summary>
/// <param name="Hub">The hub's address for devices, such as https://sync.example.com/sync.</param>
/// <param name="Pool">The identity pool's name.</param>
public sealed record HubClientOptions(Uri Hub, string Pool)
{
    /// <summary>What the person sees this device as in a list of devices; at most 100 characters. Default none.</summary>
    public string? DeviceName { get; init; }

    /// <summary>Whether to sync over plain requests, for networks that let no WebSocket through. Default false.</summary>
    public bool UsesPlainHttp { get; init; }

    /// <summary>Makes what carries requests; for tests and proxies. Default: the platform's.</summary>
    public Func<HttpMessageHandler>? HandlerFactory { get; init; }

    /// <summary>Names, or prefixes that end in an asterisk, of the datasets to sync; null (the default) for all.</summary>
    public IReadOnlyList<string>? Datasets { get; init; }
}
