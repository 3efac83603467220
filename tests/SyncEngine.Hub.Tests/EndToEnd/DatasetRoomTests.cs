using SyncEngine.Datasets;
using SyncEngine.Hub.Cognito.Sync;
using SyncEngine.Hub.Syncing;
using SyncEngine.Hub.Tests.Cognito.Sync;
using SyncEngine.Identities;
using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.Hub.Tests.EndToEnd;

/// <summary>How many datasets an identity may have, and how there is room again.</summary>
public sealed class DatasetRoomTests
{
    private const string Pool = """{"name":"game","allowsGuests":true,"limits":{"datasetsMax":2}}""";

    [Fact]
    public async Task A_dataset_whose_records_were_all_deleted_leaves_room_for_another()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Pool);
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore store = await device.OpenStoreAsync(), other = await device.OpenStoreAsync();
        Dataset Of(string name) => store.Identity.Dataset(name);
        async Task<string> RefusedAsync()
        {
            SyncResult result = await store.SynchronizeAsync(device.Connector());
            return string.Join(';', result.Refusals.Select(static refusal => $"{refusal.Key}: {refusal.Value.Message}"));
        }

        Of("a")["k"] = 1;
        Of("b")["k"] = 1;
        Assert.Equal("", await RefusedAsync());
        Of("c")["k"] = 1;
        Assert.StartsWith("c: The peer refused: The identity has 2 datasets with records", await RefusedAsync());
        Of("a").Clear();
        await RefusedAsync();
        Assert.Equal("", await RefusedAsync());
        await other.SynchronizeAsync(device.Connector());
        Assert.Equal(1, other.Identity.Dataset("c")["k"]);
        Assert.Equal(0, other.Identity.Dataset("a").Count);

        // What was cleared may be filled again where there is room, and waits where there is none.
        Of("a")["again"] = 1;
        Assert.StartsWith("a: The peer refused: The identity has 2 datasets with records", await RefusedAsync());
        Assert.Equal(1, Of("a")["again"]);
        Of("b").Clear();
        await RefusedAsync();
        Assert.Equal("", await RefusedAsync());
        await other.SynchronizeAsync(device.Connector());
        Assert.Equal(1, other.Identity.Dataset("a")["again"]);
    }

    [Fact]
    public async Task What_the_hub_knows_of_datasets_without_records_is_bounded_too()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Pool);
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore store = await device.OpenStoreAsync();
        for (int i = 0; i < 20; i++)
        {
            store.Identity.Dataset("d" + i)["k"] = 1;
            store.Identity.Dataset("d" + i).Clear();
        }

        SyncResult result = await store.SynchronizeAsync(device.Connector());
        Assert.Equal(12, result.Refusals.Count);
        Assert.All(result.Refusals.Values, static refusal =>
            Assert.Contains("has had 8 datasets on the hub, and 8 are allowed", refusal.Message, StringComparison.Ordinal));
        using IdentityLease lease = await hub.Store.LeaseAsync("game", IdentityId.Parse(device.IdentityId));
        Assert.Equal(8, lease.Identity.DatasetNames.Count);

        // One of those may be used.
        store.Identity.Dataset(lease.Identity.DatasetNames[0])["used"] = 1;
        await store.SynchronizeAsync(device.Connector());
        Assert.Equal(1, lease.Identity.OpenForJoin(lease.Identity.DatasetNames[0])["used"]);
    }

    [Fact]
    public async Task Legacy_clients_have_room_again_too()
    {
        await using LegacyWorld world = await LegacyWorld.OpenAsync();
        var limits = new SessionLimits { DatasetsMax = 2 };
        Task PutAsync(string name, string? value = "1", long count = 0) => world.Datasets.UpdateAsync(
            LegacyWorld.Pool, world.Id, name, [new LegacyPatch("k", value, count, null)], limits, null, null, default);
        await PutAsync("a");
        await PutAsync("b");
        await SyncApi.RefusedAsync("LimitExceededException", () => PutAsync("c"));
        using (IdentityLease lease = await world.Store.LeaseAsync(LegacyWorld.Pool, world.Id))
            lease.Identity.OpenForJoin("a").Clear();
        await PutAsync("c");
        await SyncApi.RefusedAsync("LimitExceededException", () => PutAsync("a", "again", 2));
        await PutAsync("b", null, 1);
        await PutAsync("a", "again", 2);

        // Deletes of nothing are bounded as well.
        for (int i = 0; i < 5; i++) await PutAsync("new" + i, null);
        Exception refusal = await SyncApi.RefusedAsync("LimitExceededException", () => PutAsync("new5", null));
        Assert.Contains("has had 8 datasets on the hub", refusal.Message, StringComparison.Ordinal);
    }
}
