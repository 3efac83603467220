using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace SyncEngine.Hosting;

/// <summary>Says more of a store that <c>AddSyncStore</c> added.</summary>
public sealed class SyncStoreBuilder
{
    private readonly OptionsBuilder<SyncStoreSettings> _options;

    internal SyncStoreBuilder(OptionsBuilder<SyncStoreSettings> options) => _options = options;

    /// <summary>The store's name; empty for the one without a name.</summary>
    public string Name => _options.Name;

    /// <summary>The app's services.</summary>
    public IServiceCollection Services => _options.Services;

    /// <summary>Changes the store's settings, after the configuration and what was said before.</summary>
    /// <param name="configure">Changes them.</param>
    public SyncStoreBuilder Configure(Action<SyncStoreSettings> configure)
    {
        _options.Configure(configure);
        return this;
    }

    /// <summary>As above, with the app's services.</summary>
    /// <param name="configure">Changes them.</param>
    public SyncStoreBuilder Configure(Action<SyncStoreSettings, IServiceProvider> configure)
    {
        _options.Configure(configure);
        return this;
    }

    /// <summary>Syncs the store with a hub for as long as it is open.</summary>
    /// <param name="address">The hub's address for devices, such as https://sync.example.com/sync.</param>
    /// <param name="pool">The identity pool's name.</param>
    /// <param name="configure">Changes what else there is to say.</param>
    public SyncStoreBuilder ConnectToHub(Uri address, string pool, Action<HubSettings>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(pool);
        return Configure(settings =>
        {
            settings.Hub ??= new HubSettings();
            (settings.Hub.Address, settings.Hub.Pool) = (address, pool);
            configure?.Invoke(settings.Hub);
        });
    }

    /// <summary>
    /// Runs when the store was opened, before anybody else has it: to set resolvers, to connect it to a peer, to watch a folder.
    /// </summary>
    /// <param name="opened">What to do; what it returns is disposed before the store is closed, null for nothing.</param>
    public SyncStoreBuilder WhenOpened(Func<IServiceProvider, SyncStore, IAsyncDisposable?> opened)
    {
        ArgumentNullException.ThrowIfNull(opened);
        return Configure(settings => settings.Opened.Add(opened));
    }
}
