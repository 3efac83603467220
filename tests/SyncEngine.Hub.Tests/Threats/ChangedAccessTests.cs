using System.Net.Http.Json;
using System.Text.Json.Nodes;
using SyncEngine.Datasets;
using SyncEngine.Hub.Syncing;
using SyncEngine.Hubs;
using SyncEngine.Identities;
using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.Hub.Tests.Threats;

/// <summary>What a pool says, or which logins an identity has, holds for sessions that are open already.</summary>
public sealed class ChangedAccessTests
{
    private const string ReadOnly = """
        {"version":1,"statements":[{"effect":"allow","action":"dataset:read","resource":"identity/${identity.id}/dataset/*"}]}
        """;

    [Fact]
    public async Task A_policy_that_is_narrowed_holds_for_open_sessions()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore store = await device.OpenStoreAsync();
        await using SyncLink link = store.Connect(device.Connector());
        Dataset save = store.Identity.Dataset("save");
        await save.PutAsync("before", 1);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await HubHasAsync("before")) await Task.Delay(20, patience.Token);

        await ChangeAsync(hub, pool => pool["roles"]!["guest"] = JsonNode.Parse(ReadOnly));
        await save.PutAsync("after", 2);
        while (save.Refused.Count == 0) await Task.Delay(20, patience.Token);
        Assert.False(await HubHasAsync("after"));

        await ChangeAsync(hub, static pool => pool["allowsGuests"] = false);
        while (link.Current.State != SyncState.Failed) await Task.Delay(20, patience.Token);

        async Task<bool> HubHasAsync(string key)
        {
            using IdentityLease lease = await hub.Store.LeaseAsync("game", IdentityId.Parse(device.IdentityId));
            return lease.Identity.HasDataset("save") && !lease.Identity.OpenForJoin("save")[key].IsMissing;
        }
    }

    [Fact]
    public async Task An_unlinked_login_takes_its_role_from_open_sessions()
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game"));
        await ChangeAsync(hub, pool => pool["roles"]!["guest"] = JsonNode.Parse(ReadOnly));
        HubClientOptions options = new(new Uri(hub.Address, "/sync"), "game");
        await using SyncStore phone = SyncStore.OpenInMemory(), laptop = SyncStore.OpenInMemory();
        await using HubClient one = HubClient.Connect(phone, options), two = HubClient.Connect(laptop, options);
        await one.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        await two.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        await phone.Identity.Dataset("save").PutAsync("a", 1);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (laptop.Identity.Dataset("save")["a"].IsMissing) await Task.Delay(20, patience.Token);

        await one.UnlinkAsync(DeveloperBackend.Provider, force: true);
        await laptop.Identity.Dataset("save").PutAsync("b", 2);
        while (laptop.Identity.Dataset("save").Refused.Count == 0) await Task.Delay(20, patience.Token);
        Assert.True(phone.Identity.Dataset("save")["b"].IsMissing);
    }

    private static async Task ChangeAsync(HubApp hub, Action<JsonObject> change)
    {
        JsonObject pool = JsonNode.Parse(await hub.Admin.GetStringAsync("/admin/pools/game"))!.AsObject();
        change(pool);
        pool.Remove("revision");
        pool.Remove("createdAt");
        using var request = new HttpRequestMessage(HttpMethod.Put, "/admin/pools/game") { Content = JsonContent.Create(pool) };
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        using HttpResponseMessage answer = await hub.Admin.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
