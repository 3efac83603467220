using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using SyncEngine.Causality;
using SyncEngine.Hubs;
using SyncEngine.LiteDB;

namespace SyncEngine.Hosting;

/// <summary>
/// A store of the app: opened when the host starts or, without a host, when somebody first asks for it; closed, with everything
/// durable, when the host has stopped or the service provider is disposed. Thread-safe.
/// </summary>
public sealed class HostedSyncStore : IAsyncDisposable, IDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly IServiceProvider _services;
    private readonly ILogger _logger;
    private readonly List<IAsyncDisposable> _opened = [];
    private readonly AsyncLocal<SyncStore?> _opening = new();
    private SyncStore? _store;
    private HubClient? _hub;
    private bool _isClosed;

    internal HostedSyncStore(IServiceProvider services, string name)
    {
        (_services, Name) = (services, name);
        _logger = services.GetService<ILoggerFactory>()?.CreateLogger<SyncStore>() ?? NullLogger<SyncStore>.Instance;
    }

    /// <summary>The store's name among the app's stores; empty for the one without a name.</summary>
    public string Name { get; }

    /// <summary>The store; opened now, while the caller waits, if it is not yet open.</summary>
    /// <exception cref="SyncException">The file is in use, no store, damaged, or of a newer format.</exception>
    /// <exception cref="OptionsValidationException">The settings are not usable.</exception>
    /// <exception cref="ObjectDisposedException">The store was closed.</exception>
    public SyncStore Store => Volatile.Read(ref _store) is { } store && !Volatile.Read(ref _isClosed)
        ? store : OpenAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>The client of the hub; null where the store syncs with none. Opens the store as <see cref="Store"/>
    /// does.</summary>
    public HubClient? Hub
    {
        get
        {
            _ = Store;
            return _hub;
        }
    }

    /// <summary>Opens the store, if it is not yet open, and connects it to its hub. What failed may be tried again.</summary>
    /// <inheritdoc cref="Store"/>
    public async ValueTask<SyncStore> OpenAsync(CancellationToken cancellationToken = default)
    {
        // Who is told that the store was opened may ask for a service that needs it.
        if (_opening.Value is { } half) return half;
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isClosed), this);
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            if (_store is not null) return _store;
            SyncStoreSettings settings = _services.GetRequiredService<IOptionsMonitor<SyncStoreSettings>>().Get(Name);
            SyncStore store = await OpenStoreAsync(settings).ConfigureAwait(false);
            try
            {
                new SyncStoreLog(_logger, Name).Follow(store);
                store.Closing = CloseUsersAsync;
                _opening.Value = store;
                foreach (Func<IServiceProvider, SyncStore, IAsyncDisposable?> opened in settings.Opened)
                    if (opened(_services, store) is { } owned) _opened.Add(owned);
                _opening.Value = null;
                if (settings.Hub is { } hub) _hub = HubClient.Connect(store, ReadHub(hub));
            }
            catch
            {
                await store.DisposeAsync().ConfigureAwait(false);
                throw;
            }

            string place = settings.IsInMemory ? "memory" : settings.Path ?? "a storage of the app";
            HostingLog.Opened(_logger, Name, place, store.Identity.Id.ToString());
            Volatile.Write(ref _store, store);
            return store;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Stops syncing, makes what is pending durable and closes the file.</summary>
    /// <exception cref="SyncException">Not everything could be made durable.</exception>
    public async ValueTask DisposeAsync()
    {
        await _gate.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_isClosed) return;
            Volatile.Write(ref _isClosed, true);
            if (_store is null) return;
            await _store.DisposeAsync().ConfigureAwait(false);

            // A container may have closed it before, and been told of the failure.
            if (_store.Journal?.Failure is { } failure) HostingLog.ClosedTooEarly(_logger, Name, failure);
            else HostingLog.Closed(_logger, Name);
        }
        catch (SyncException e)
        {
            HostingLog.ClosedTooEarly(_logger, Name, e);
            throw;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private static HubClientOptions ReadHub(HubSettings hub) => new(hub.Address!, hub.Pool!)   // Both were checked.
    {
        DeviceName = hub.DeviceName, UsesPlainHttp = hub.UsesPlainHttp, Datasets = hub.Datasets,
        HandlerFactory = hub.HandlerFactory,
    };

    private async ValueTask<SyncStore> OpenStoreAsync(SyncStoreSettings settings)
    {
        var options = new SyncStoreOptions
        {
            Limits = settings.Limits, FrameLimits = settings.FrameLimits, ChangeQueueMax = settings.ChangeQueueMax,
            TimeProvider = _services.GetService<TimeProvider>() ?? TimeProvider.System,
            ObserverFailed = failure => HostingLog.ObserverFailed(_logger, Name, failure),
        };
        if (settings.IsInMemory) return SyncStore.OpenInMemory(options);
        if (settings.OpenStorage is { } open) return await SyncStore.OpenAsync(open, options).ConfigureAwait(false);
        string path = Path.GetFullPath(settings.Path!);   // It was checked.
        if (Path.GetDirectoryName(path) is { } folder) Directory.CreateDirectory(folder);
        return await LiteDbSyncStore.OpenAsync(path, options, settings.Storage).ConfigureAwait(false);
    }

    /// <summary>Runs before the store closes, whoever closes it: a container disposes the store before what it came
    /// from.</summary>
    private async Task CloseUsersAsync()
    {
        if (_hub is not null) await _hub.DisposeAsync().ConfigureAwait(false);
        for (int i = _opened.Count - 1; i >= 0; i--)
        {
            try
            {
                await _opened[i].DisposeAsync().ConfigureAwait(false);
            }
            catch (Exception e)
            {
                HostingLog.UserFailed(_logger, Name, e);
            }
        }

        _hub = null;
        _opened.Clear();
    }
}
