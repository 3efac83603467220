using SyncEngine.Datasets;
using SyncEngine.Hub.Syncing;
using SyncEngine.Hubs;
using SyncEngine.Identities;
using SyncEngine.LiteDB;
using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.Hub.Tests.EndToEnd;

/// <summary>Pairs of devices, one of which writes through a hub to the other as fast as it goes.</summary>
internal sealed class HubLoad : IAsyncDisposable
{
    private readonly List<SyncStore> _stores = [];
    private readonly List<HubClient> _clients = [];
    private readonly List<SyncStore> _readers = [];
    private readonly List<SyncLink> _links = [];
    private readonly List<Task> _writing = [];
    private readonly CancellationTokenSource _stops;
    private readonly long[] _saved;

    private HubLoad(int devices, CancellationToken cancellationToken)
    {
        _saved = new long[devices];
        _stops = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    }

    /// <summary>Connects the devices to the hub on a port, and begins.</summary>
    public static async Task<HubLoad> StartAsync(int devices, int port, CancellationToken cancellationToken)
    {
        var load = new HubLoad(devices, cancellationToken);
        for (int i = 0; i < devices; i++)
        {
            SyncStore store = SyncStore.OpenInMemory(), reader = SyncStore.OpenInMemory();
            load._stores.Add(store);
            load._readers.Add(reader);
            var client = HubClient.Connect(store, new HubClientOptions(new Uri($"http://127.0.0.1:{port}/sync"), HubChild.Pool));
            load._clients.Add(client);
            await reader.AdoptIdentityAsync(store.Identity.Id);
            string token = await client.GetAccessTokenAsync(cancellationToken);
            load._links.Add(reader.Connect(new WebSocketConnector(new Uri($"ws://127.0.0.1:{port}/sync/ws"),
                options => options.SetRequestHeader("Authorization", "Bearer " + token))));
            load._writing.Add(load.WriteAsync(i, load._stops.Token));
        }

        return load;
    }

    /// <summary>Completes when the readers have so many writes more.</summary>
    public async Task AwaitSavedAsync(long more)
    {
        for (long before = Saved(); Saved() < before + more;) await Task.Delay(20, _stops.Token);
    }

    /// <summary>Has everybody connect again now.</summary>
    public void RetryNow()
    {
        foreach (HubClient client in _clients) client.Link.RetryNow();
        foreach (SyncLink link in _links) link.RetryNow();
    }

    public async Task EndAsync()
    {
        await _stops.CancelAsync();
        await Task.WhenAll(_writing);
    }

    /// <summary>What the readers have must be in the hub's file.</summary>
    /// <returns>For each identity the newest revision of its dataset there.</returns>
    public async Task<Dictionary<IdentityId, long>> CheckAsync(HubStore left, CancellationToken cancellationToken)
    {
        var revisions = new Dictionary<IdentityId, long>();
        for (int i = 0; i < _stores.Count; i++)
        {
            using IdentityLease lease = await left.LeaseAsync(HubChild.Pool, _stores[i].Identity.Id, cancellationToken);
            Dataset save = lease.Identity.Dataset("save");
            Assert.True(save["n"].AsInteger() >= _saved[i]);
            Assert.True(save.Counter("sum").Value >= _saved[i]);
            revisions.Add(_stores[i].Identity.Id, save.Revision);
        }

        return revisions;
    }

    public static ValueTask<HubStore> OpenAsync(string folder) =>
        HubStore.OpenAsync(() => LiteDbStorage.Open(Path.Combine(folder, SyncHubApp.FileName)));

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        foreach (HubClient client in _clients) await client.DisposeAsync();
        foreach (SyncStore store in _stores.Concat(_readers)) await store.DisposeAsync();
        _stops.Dispose();
    }

    private long Saved()
    {
        long sum = 0;
        for (int i = 0; i < _saved.Length; i++) sum += Volatile.Read(ref _saved[i]);
        return sum;
    }

    private async Task WriteAsync(int device, CancellationToken cancellationToken)
    {
        Dataset written = _stores[device].Identity.Dataset("save"), read = _readers[device].Identity.Dataset("save");
        try
        {
            for (long n = 1;; n++)
            {
                written["n"] = n;
                written.Counter("sum").Add(1);

                // The hub pushes nothing before it is durable there: what the reader has, the hub has saved.
                while (read["n"] != n || read.Counter("sum").Value < n) await Task.Delay(5, cancellationToken);
                Volatile.Write(ref _saved[device], n);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }
}
