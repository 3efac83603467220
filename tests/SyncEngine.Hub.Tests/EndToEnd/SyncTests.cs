using System.Net;
using System.Reactive.Linq;
using System.Reactive.Threading.Tasks;
using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.Hub.Tests.EndToEnd;

public sealed class SyncTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Two_devices_of_a_guest_see_each_others_writes_at_once()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore one = await device.OpenStoreAsync(), two = await device.OpenStoreAsync();
        one.Identity.Dataset("save")["player"] = "Ann";
        await using SyncLink first = one.Connect(device.Connector()), second = two.Connect(device.Connector());
        await Arrives(two.Identity.Dataset("save"), "player", "Ann");
        two.Identity.Dataset("save")["level"] = 2;
        await Arrives(one.Identity.Dataset("save"), "level", 2);
    }

    [Fact]
    public async Task What_a_device_was_told_is_saved_is_there_after_the_hub_was_started_again()
    {
        string folder = Directory.CreateTempSubdirectory("syncengine-hub-test").FullName;
        using ECKey key = new();
        await using (HubApp hub = await HubApp.StartAsync(folder: folder))
        {
            await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
            RawDevice device = await new RawDevice(hub, "game") { Key = key.Value }.RegisterAsync();
            await using SyncStore store = await device.OpenStoreAsync();
            store.Identity.Dataset("save")["player"] = "Ann";
            Assert.True((await store.SynchronizeAsync(device.Connector())).IsComplete);
        }

        await using (HubApp hub = await HubApp.StartAsync(folder: folder))
        {
            RawDevice device = await new RawDevice(hub, "game") { Key = key.Value }.RegisterAsync();
            await using SyncStore store = await device.OpenStoreAsync();
            await store.SynchronizeAsync(device.Connector());
            Assert.Equal("Ann", store.Identity.Dataset("save")["player"]);
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_write_that_the_policy_forbids_is_taken_back_and_kept_aside_while_the_rest_goes_through()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync("""
            {"name":"game","allowsGuests":true,"roles":{"authenticated":{"version":1,"statements":[]},
             "guest":{"version":1,"statements":[
              {"effect":"allow","action":"dataset:*","resource":"identity/${identity.id}/dataset/*"},
              {"effect":"deny","action":"dataset:write","resource":"identity/*/dataset/entitlements"}]}},
             "guestCeiling":null}
            """);
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore store = await device.OpenStoreAsync();
        Dataset granted = store.Identity.Dataset("entitlements"), save = store.Identity.Dataset("save");
        granted["gold"] = 1_000_000;
        granted.Counter("gems").Add(5);
        save["level"] = 2;
        Task<RefusedWrite> told = store.Refusals.FirstAsync().ToTask().WaitAsync(_patience);
        await using SyncLink link = store.Connect(device.Connector());
        Assert.Equal(SyncErrorCode.Unauthorized, (await told).Code);
        await Until(granted.Changes.Select(_ => 0).StartWith(0), () => granted["gold"].IsMissing
            && granted.Counter("gems").Value == 0);
        Assert.Equal([1_000_000, 5], granted.Refused.OrderByDescending(write => write.Value.AsInteger())
            .Select(write => (int)write.Value.AsInteger()));
        await Until(link.Status.Select(_ => 0), () => link.Current is { State: SyncState.Live, PendingChanges: 0 });

        await using SyncStore other = await device.OpenStoreAsync();
        await other.SynchronizeAsync(device.Connector());
        Assert.Equal(2, other.Identity.Dataset("save")["level"]);
        Assert.True(other.Identity.Dataset("entitlements")["gold"].IsMissing);
    }

    [Fact]
    public async Task Surplus_keys_are_refused_while_changes_and_deletes_go_through()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true,"limits":{"recordsMax":3,"datasetsMax":2}}""");
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore store = await device.OpenStoreAsync();
        Dataset save = store.Identity.Dataset("save");
        for (int i = 0; i < 5; i++) save["k" + i] = i;
        await using SyncLink link = store.Connect(device.Connector());
        await Until(store.Refusals.Select(_ => 0).StartWith(0), () => save.Refused.Count == 2);
        Assert.Equal(3, save.Count);
        string kept = save.Records[0].Key;
        save[kept] = 100;
        save.Delete(save.Records[1].Key);
        save["new"] = 1;
        await using SyncStore other = await device.OpenStoreAsync();
        await using SyncLink second = other.Connect(device.Connector());
        await Arrives(other.Identity.Dataset("save"), "new", 1);
        Assert.Equal(100, other.Identity.Dataset("save")[kept]);
        Assert.Equal(2, save.Refused.Count);
    }

    [Fact]
    public async Task Without_a_credential_nobody_syncs()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.SendAsync(HttpMethod.Get, "/sync/ws")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.SendAsync(HttpMethod.Post, "/sync/exchange", "nonsense")).Status);
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        Assert.Equal(HttpStatusCode.BadRequest, (await hub.SendAsync(HttpMethod.Get, "/sync/ws", device.AccessToken)).Status);
    }

    [Fact]
    public async Task A_credential_of_one_identity_gets_nothing_of_another()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        using RawDevice ann = await new RawDevice(hub, "game").RegisterAsync(),
            eve = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore store = await ann.OpenStoreAsync();
        store.Identity.Dataset("save")["secret"] = 1;
        await store.SynchronizeAsync(ann.Connector());
        await using SyncStore thief = await ann.OpenStoreAsync();
        SyncException refused = await Assert.ThrowsAsync<SyncException>(
            async () => await thief.SynchronizeAsync(eve.Connector()));
        Assert.Equal(SyncErrorCode.Unauthorized, refused.Code);
        Assert.True(thief.Identity.Dataset("save")["secret"].IsMissing);
    }

    private static Task<Values.Value> Arrives(Dataset dataset, string key, Values.Value value) =>
        dataset.Observe(key).Where(seen => seen == value).FirstAsync().ToTask().WaitAsync(_patience);

    private static async Task Until(IObservable<int> signals, Func<bool> holds)
    {
        using var polls = new CancellationTokenSource(_patience);
        await signals.Merge(Observable.Interval(TimeSpan.FromMilliseconds(50)).Select(_ => 0)).Where(_ => holds()).FirstAsync()
            .ToTask(polls.Token);
    }

    private sealed class ECKey : IDisposable
    {
        public System.Security.Cryptography.ECDsa Value { get; } =
            System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);

        public void Dispose() => Value.Dispose();
    }
}
