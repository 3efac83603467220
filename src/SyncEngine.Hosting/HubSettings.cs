using SyncEngine.Hubs;

namespace SyncEngine.Hosting;

/// <summary>Which hub a store of the app syncs with, and how.</summary>
public sealed class HubSettings
{
    /// <summary>The hub's address for devices, such as https://sync.example.com/sync. Needed.</summary>
    public Uri? Address { get; set; }

    /// <summary>The identity pool's name. Needed.</summary>
    public string? Pool { get; set; }

    /// <inheritdoc cref="HubClientOptions.DeviceName"/>
    public string? DeviceName { get; set; }

    /// <inheritdoc cref="HubClientOptions.UsesPlainHttp"/>
    public bool UsesPlainHttp { get; set; }

    /// <inheritdoc cref="HubClientOptions.Datasets"/>
    public IReadOnlyList<string>? Datasets { get; set; }

    /// <inheritdoc cref="HubClientOptions.HandlerFactory"/>
    public Func<HttpMessageHandler>? HandlerFactory { get; set; }
}
