using Microsoft.Extensions.Options;
using SyncEngine.Datasets;
using SyncEngine.Hub.Cognito;
using SyncEngine.Hub.Cognito.Sync;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;
using SyncEngine.Storage;

namespace SyncEngine.Hub.Tests.Cognito.Sync;

/// <summary>One identity's dataset on a hub whose store can crash, with native devices and legacy clients around it.</summary>
internal sealed class LegacyWorld : IAsyncDisposable
{
    public const string Pool = "game";
    public const string Name = "save";
    private MemoryDisk _disk = new();

    private LegacyWorld(HubStore store) => Use(store);

    public HubStore Store { get; private set; } = null!;

    public LegacyDatasets Datasets { get; private set; } = null!;

    public IdentityDirectory Directory { get; private set; } = null!;

    public HubClock Time { get; } = new();

    public IdentityId Id { get; private set; }

    public SessionLimits Limits { get; set; } = new();

    public static async Task<LegacyWorld> OpenAsync()
    {
        var disk = new MemoryDisk();
        var world = new LegacyWorld(await OpenAsync(disk)) { _disk = disk };
        byte[] key = DeviceKey.PublicOf(DeviceKey.Create());
        world.Id = (await world.Directory.RegisterGuestAsync(Pool, key, null, null, default)).Row.Id;
        return world;
    }

    /// <summary>The store ends without another word; what was not durable is lost.</summary>
    public async Task CrashAsync()
    {
        MemoryDisk saved = _disk.Copy(isNoticed: false);
        await Store.DisposeAsync();
        _disk = saved;
        Use(await OpenAsync(saved));
    }

    /// <summary>The store is closed in order and opened again.</summary>
    public async Task ReopenAsync()
    {
        await Store.DisposeAsync();
        Use(await OpenAsync(_disk));
    }

    /// <summary>Looks at the dataset on the hub, or changes it as the hub's own code does.</summary>
    public async Task<T> OnHubAsync<T>(Func<Dataset, T> look)
    {
        using IdentityLease lease = await Store.LeaseAsync(Pool, Id);
        return look(lease.Identity.OpenForJoin(Name));
    }

    public Task<LegacyChanges> ReadAsync(long since, LegacyPlace? from = null, long? upTo = null, int limit = 1024) =>
        Datasets.ReadAsync(Pool, Id, Name, since, from, upTo, limit, default);

    public Task<IReadOnlyList<LegacyRecord>> UpdateAsync(params LegacyPatch[] patches) =>
        Datasets.UpdateAsync(Pool, Id, Name, patches, Limits, null, null, default);

    /// <summary>Whether it was taken over.</summary>
    public async Task<bool> ImportAsync(params LegacyPatch[] records) =>
        await Datasets.ImportAsync(Pool, Id, Name, records, 0, default) == LegacyImportOutcome.Imported;

    public Task<LegacySummary?> DeleteAsync() => Datasets.DeleteAsync(Pool, Id, Name, null, default);

    /// <summary>A native device and the hub exchange what the other lacks.</summary>
    public async Task SyncAsync(Dataset device, bool pulls = true)
    {
        using IdentityLease lease = await Store.LeaseAsync(Pool, Id);
        Dataset hub = lease.Identity.OpenForJoin(Name);
        hub.Join(await device.DeltaAsync(hub.Version));
        if (pulls) device.Join(await hub.DeltaAsync(device.Version));
    }

    public static Dataset NewDevice() => new(Name, 1, new DatasetContext());

    public ValueTask DisposeAsync() => Store.DisposeAsync();

    private static ValueTask<HubStore> OpenAsync(MemoryDisk disk) => HubStore.OpenAsync(disk.Open, new HubStoreOptions
    {
        StoresByHand = true, Time = new HubClock(), Memory = new HubMemoryOptions { IdleTime = TimeSpan.Zero },
    });

    private void Use(HubStore store)
    {
        var locks = new KeyedLocks();
        Store = store;
        Directory = new IdentityDirectory(store.Rows, locks, Time);
        var pools = new CognitoPools(
            new PoolRegistry(store.Rows, Time), store.Rows, new CognitoIds(Options.Create(new SyncHubOptions())));
        Datasets = new LegacyDatasets(store, Directory, pools, locks, Time);
    }
}
