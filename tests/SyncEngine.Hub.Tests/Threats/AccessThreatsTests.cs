using System.Net;
using System.Text.Json;
using Xunit;

namespace SyncEngine.Hub.Tests.Threats;

/// <summary>Whoever comes with what is not theirs, used, or over, is not let in and learns nothing.</summary>
public sealed class AccessThreatsTests
{
    private const string Guests = """{"name":"game","allowsGuests":true}""";

    [Fact]
    public async Task Replayed_challenges_and_refreshes_are_refused_and_all_refusals_look_alike()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Guests);
        using RawDevice device = new(hub, "game"), eve = await new RawDevice(hub, "game").RegisterAsync();
        string challenge = await device.ChallengeAsync();
        Assert.Equal(HttpStatusCode.OK, (await device.TryRegisterAsync(challenge)).Status);
        var answers = new List<(HttpStatusCode Status, JsonElement Body)>
        {
            await device.TryRegisterAsync(challenge),
            await device.TryRegisterAsync(signature: "AAAA"),
            await device.TryRegisterAsync("made-up"),
            await eve.TryRefreshAsync(device.RefreshHandle),
            await eve.TryRefreshAsync("syr1_unknown"),
            await eve.TryRefreshAsync(""),
        };
        Assert.All(answers, answer => Assert.Equal(
            (HttpStatusCode.Unauthorized, answers[0].Body.GetRawText()), (answer.Status, answer.Body.GetRawText())));
        Assert.Equal(HttpStatusCode.OK, (await device.TryRefreshAsync()).Status);
    }

    [Fact]
    public async Task A_second_pools_credential_challenge_and_handle_are_refused()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Guests);
        await hub.CreatePoolAsync("""{"name":"other","allowsGuests":true}""");
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync(), other = new(hub, "other") { Key = device.Key };
        Assert.Equal(HttpStatusCode.Unauthorized, (await other.TryRegisterAsync(await device.ChallengeAsync())).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await other.TryRefreshAsync(device.RefreshHandle)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.PostAsync(
            "/sync/pools/other/logins/commit", new { planId = "x", mode = "union" }, device.AccessToken)).Status);
    }

    [Fact]
    public async Task A_revoked_device_is_cut_off_for_good()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Guests);
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await using var open = await device.Connector().ConnectAsync(patience.Token);
        Assert.Equal(HttpStatusCode.OK,
            (await hub.SendAsync(HttpMethod.Delete, $"/sync/identity/devices/{device.DeviceId}", device.AccessToken)).Status);
        while (!(await open.ReceiveAsync(patience.Token)).IsEmpty)
        {
        }

        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.SendAsync(HttpMethod.Get, "/sync/ws", device.AccessToken)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.SendAsync(HttpMethod.Get, "/sync/identity",
            device.AccessToken)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await device.TryRefreshAsync()).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await device.TryRegisterAsync()).Status);
    }

    [Fact]
    public async Task A_deleted_identity_is_refused_and_a_disabled_one_until_it_is_enabled()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Guests);
        using RawDevice gone = await new RawDevice(hub, "game").RegisterAsync(), shut = await new RawDevice(hub,
            "game").RegisterAsync();
        using HttpResponseMessage deleted = await hub.Admin.DeleteAsync("/admin/pools/game/identities/" + gone.IdentityId);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.SendAsync(HttpMethod.Get, "/sync/identity",
            gone.AccessToken)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await gone.TryRefreshAsync()).Status);
        string path = "/admin/pools/game/identities/" + shut.IdentityId;
        using HttpResponseMessage disabled = await hub.Admin.PostAsync(path + "/disable", null);
        Assert.Equal(HttpStatusCode.OK, disabled.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.SendAsync(HttpMethod.Get, "/sync/identity",
            shut.AccessToken)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await shut.TryRegisterAsync()).Status);
        using HttpResponseMessage enabled = await hub.Admin.PostAsync(path + "/enable", null);
        Assert.Equal(HttpStatusCode.OK, enabled.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await shut.TryRegisterAsync()).Status);
    }

    [Fact]
    public async Task The_admin_interface_asks_for_its_key_and_answers_on_its_port_alone()
    {
        await using HubApp hub = await HubApp.StartAsync();
        foreach (string? key in (string?[])[null, "x", HubApp.AdminKey + "x", HubApp.AdminKey[..^1]])
            Assert.Equal(HttpStatusCode.Unauthorized, (await hub.SendAsync(HttpMethod.Get, "/admin/pools", key)).Status);
        Assert.Equal(HttpStatusCode.OK, (await hub.SendAsync(HttpMethod.Get, "/admin/pools", HubApp.AdminKey)).Status);
        await using HubApp elsewhere = await HubApp.StartAsync(options: static options => options.AdminPort = 1);
        Assert.Equal(HttpStatusCode.NotFound, (await elsewhere.SendAsync(HttpMethod.Get, "/admin/pools",
            HubApp.AdminKey)).Status);
    }

    [Fact]
    public async Task Oversize_bodies_and_path_tricks_in_names_are_refused()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Guests);
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge,
            (await hub.PostAsync("/sync/pools/game/guests", new { publicKey = new string('x', 70_000) })).Status);
        await using SyncStore store = await device.OpenStoreAsync();
        string[] names = ["../../etc", "a/b", ".hidden", "a b", "ä", new('x', 129)];
        foreach (string name in names) store.Identity.Dataset(name)["evil"] = 1;
        store.Identity.Dataset("save")["good"] = 1;
        await store.SynchronizeAsync(device.Connector());
        await using SyncStore other = await device.OpenStoreAsync();
        await other.SynchronizeAsync(device.Connector());
        Assert.Equal(["save"], other.Identity.DatasetNames);
        Assert.Equal(1, other.Identity.Dataset("save")["good"]);
    }
}
