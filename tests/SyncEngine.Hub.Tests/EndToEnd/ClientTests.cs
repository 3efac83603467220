using System.Net;
using System.Reactive.Linq;
using System.Reactive.Threading.Tasks;
using SyncEngine.Causality;
using SyncEngine.Hubs;
using SyncEngine.Identities;
using SyncEngine.LiteDB;
using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.Hub.Tests.EndToEnd;

public sealed class ClientTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_line_connects_a_store_and_a_person_logs_in_on_two_devices(bool usesPlainHttp)
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game"));
        await using SyncStore phone = SyncStore.OpenInMemory(), laptop = SyncStore.OpenInMemory();
        IdentityId first = phone.Identity.Id, second = laptop.Identity.Id;
        phone.Identity.Dataset("save").Counter("coins").Add(5);
        laptop.Identity.Dataset("save").Counter("coins").Add(3);
        laptop.Identity.Dataset("save")["name"] = "Ann";
        HubClientOptions options = Options(hub) with { UsesPlainHttp = usesPlainHttp };
        await using HubClient one = HubClient.Connect(phone, options), two = HubClient.Connect(laptop, options);

        LoginPlan links = await one.PlanLoginAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        Assert.Equal(LoginOutcome.Links, links.Outcome);
        await one.CommitLoginAsync(links);
        Assert.Equal(first, phone.Identity.Id);
        await Until(one.Link, () => one.Link.Current.State == SyncState.Live);

        await Until(two.Link, () => two.Link.Current.State == SyncState.Live);
        LoginPlan merges = await two.PlanLoginAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        Assert.Equal((LoginOutcome.Merges, first), (merges.Outcome, merges.IdentityId));
        Assert.Equal(new DatasetPreview("save", 2, 1, 2, 0, false), Assert.Single(merges.Datasets));
        await two.CommitLoginAsync(merges);
        Assert.Equal(first, laptop.Identity.Id);
        Assert.NotEqual(second, laptop.Identity.Id);
        await Until(one.Link, () => phone.Identity.Dataset("save").Counter("coins").Value == 8);
        await Until(two.Link, () => laptop.Identity.Dataset("save").Counter("coins").Value == 8);
        Assert.Equal("Ann", phone.Identity.Dataset("save")["name"]);
        laptop.Identity.Dataset("save").Counter("coins").Add(1);
        await Until(one.Link, () => phone.Identity.Dataset("save").Counter("coins").Value == 9);
        IReadOnlyList<HubDevice> devices = await one.GetDevicesAsync();
        Assert.Equal(2, devices.Count);
        Assert.Single(devices, device => device.IsThis);
    }

    [Fact]
    public async Task A_third_device_of_a_merged_guest_follows_it_with_what_it_wrote_offline()
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game"));
        await using SyncStore account = SyncStore.OpenInMemory(), guest = SyncStore.OpenInMemory();
        await using HubClient owner = HubClient.Connect(account, Options(hub));
        await owner.CommitLoginAsync(await owner.PlanLoginAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann")));
        account.Identity.Dataset("save")["level"] = 1;
        string folder = Directory.CreateTempSubdirectory("syncengine-hub-test").FullName;
        string file = Path.Combine(folder, "third.db");
        IdentityId old;
        await using (SyncStore third = await LiteDbSyncStore.OpenAsync(file))
        {
            // The guest registers, and then goes offline.
            await using HubClient client = HubClient.Connect(third, Options(hub));
            await third.WaitForFirstSyncAsync();
            old = third.Identity.Id;
        }

        using RawDevice operatorHands = new(hub, "game");
        await MergeAsync(hub, old, account.Identity.Id);
        await using (SyncStore third = await LiteDbSyncStore.OpenAsync(file))
        {
            third.Identity.Dataset("save")["offline"] = true;
            await using HubClient client = HubClient.Connect(third, Options(hub));
            await Until(client.Link, () => third.Identity.Id == account.Identity.Id
                && third.Identity.Dataset("save")["level"] == 1);
            await Until(owner.Link, () => account.Identity.Dataset("save")["offline"] == true);
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task In_manual_mode_the_guests_datasets_stand_beside_the_accounts()
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game"));
        await using SyncStore phone = SyncStore.OpenInMemory(), laptop = SyncStore.OpenInMemory();
        await using HubClient one = HubClient.Connect(phone, Options(hub)), two = HubClient.Connect(laptop, Options(hub));
        phone.Identity.Dataset("save")["level"] = 1;
        laptop.Identity.Dataset("save")["level"] = 2;
        string longName = new('n', 120);
        laptop.Identity.Dataset(longName)["level"] = 3;
        await one.CommitLoginAsync(await one.PlanLoginAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann")));
        await Until(one.Link, () => one.Link.Current is { State: SyncState.Live, PendingChanges: 0 });
        IdentityId old = laptop.Identity.Id;
        await two.CommitLoginAsync(
            await two.PlanLoginAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann")), MergeMode.Manual);
        await Until(two.Link, () => laptop.Identity.Dataset("save")["level"] == 1);
        Assert.Equal(2, laptop.Identity.Dataset($"save.{old}")["level"]);
        await Until(one.Link, () => phone.Identity.Dataset($"save.{old}")["level"] == 2);

        // Cut alike on both sides, where both names together would be too long.
        string cut = $"{longName[..(127 - old.ToString().Length)]}.{old}";
        Assert.Equal(3, laptop.Identity.Dataset(cut)["level"]);
        await Until(one.Link, () => phone.Identity.Dataset(cut)["level"] == 3);
        Assert.Equal(1, phone.Identity.Dataset("save")["level"]);
    }

    [Fact]
    public async Task Nothing_of_one_account_shows_under_another_and_wiping_asks_first()
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game"));
        await using SyncStore store = SyncStore.OpenInMemory();
        await using HubClient client = HubClient.Connect(store, Options(hub));
        store.Identity.Dataset("save")["name"] = "Ann";
        await client.CommitLoginAsync(await client.PlanLoginAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann")));
        await Until(client.Link, () => client.Link.Current is { State: SyncState.Live, PendingChanges: 0 });
        IdentityId ann = store.Identity.Id;
        await client.LogoutAsync();
        Assert.NotEqual(ann, store.Identity.Id);
        Assert.True(store.Identity.Dataset("save")["name"].IsMissing);
        await client.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "bob"));
        await Until(client.Link, () => client.Link.Current is { State: SyncState.Live, PendingChanges: 0 });
        Assert.True(store.Identity.Dataset("save")["name"].IsMissing);

        // Ann again, on the same device.
        await store.SwitchIdentityAsync(ann);
        Assert.Equal("Ann", store.Identity.Dataset("save")["name"]);
        await hub.DisposeAsync();
        store.Identity.Dataset("save")["unsynced"] = 1;
        await Assert.ThrowsAsync<SyncException>(() => client.LogoutAsync(wipes: true));
        Assert.Equal(ann, store.Identity.Id);
        await client.LogoutAsync(wipes: true, evenIfUnsynced: true);
        Assert.DoesNotContain(store.Identities, identity => identity.Id == ann);
    }

    [Fact]
    public async Task A_revoked_device_writes_for_itself_alone_from_then_on()
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game"));
        await using SyncStore phone = SyncStore.OpenInMemory(), lost = SyncStore.OpenInMemory();
        await using HubClient one = HubClient.Connect(phone, Options(hub)), two = HubClient.Connect(lost, Options(hub));
        await one.CommitLoginAsync(await one.PlanLoginAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann")));
        await two.CommitLoginAsync(await two.PlanLoginAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann")));
        lost.Identity.Dataset("save")["before"] = 1;
        await Until(one.Link, () => phone.Identity.Dataset("save")["before"] == 1);
        HubDevice gone = (await one.GetDevicesAsync()).Single(device => !device.IsThis);
        await Until(two.Link, () => IsDeclared(hub, lost.Identity.Id, gone.DeviceId));
        await one.RevokeDeviceAsync(gone.DeviceId);
        lost.Identity.Dataset("save")["after"] = 1;
        await Until(two.Link, () => two.Link.Current.State == SyncState.NeedsAuth);
        Assert.Equal(1, lost.Identity.Dataset("save")["after"]);
        phone.Identity.Dataset("save")["later"] = 1;
        await Until(one.Link, () => one.Link.Current is { State: SyncState.Live, PendingChanges: 0 });
        Assert.True(phone.Identity.Dataset("save")["after"].IsMissing);

        // Nor does anybody bring it for the device: what it wrote is fenced.
        byte[] stolen = await lost.ExportAsync();
        await phone.ApplyAsync(stolen);
        await Until(one.Link, () => phone.Identity.Dataset("save")["after"].IsMissing);
        Assert.Contains(phone.Identity.Dataset("save").Refused, write => write.Key == "after");
    }

    private static HubClientOptions Options(HubApp hub) => new(new Uri(hub.Address, "/sync"), "game") { DeviceName = "test" };

    [Fact]
    public async Task Signing_in_keeps_what_a_guest_wrote_and_refuses_who_is_somebody_else()
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game"));
        await using SyncStore phone = SyncStore.OpenInMemory(), laptop = SyncStore.OpenInMemory();
        await using HubClient one = HubClient.Connect(phone, Options(hub)), two = HubClient.Connect(laptop, Options(hub));
        foreach (SyncStore store in new[] { phone, laptop }) store.Identity.Dataset("save").Counter("coins").Add(1);
        await Until(one.Link, () => one.Link.Current is { State: SyncState.Live, PendingChanges: 0 });
        await Until(two.Link, () => two.Link.Current is { State: SyncState.Live, PendingChanges: 0 });

        // The first is linked, the second merged: both had been synced as guests.
        await one.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        await two.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        Assert.Equal(phone.Identity.Id, laptop.Identity.Id);
        foreach ((SyncStore store, HubClient client) in new[] { (phone, one), (laptop, two) })
            await Until(client.Link, () => store.Identity.Dataset("save").Counter("coins").Value == 2);

        await using SyncStore tablet = SyncStore.OpenInMemory();
        await using HubClient other = HubClient.Connect(tablet, Options(hub));
        await other.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "bob"));
        SyncException refused = await Assert.ThrowsAsync<SyncException>(
            () => one.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "bob")));
        Assert.Equal(SyncErrorCode.Unauthorized, refused.Code);
        Assert.Equal(2, phone.Identity.Dataset("save").Counter("coins").Value);
    }

    [Fact]
    public async Task Taking_a_merge_back_gives_the_guest_its_own_data_again_and_shows_it_nothing_of_the_account()
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game"));
        string folder = Directory.CreateTempSubdirectory("syncengine-hub-test").FullName;
        await using SyncStore phone = SyncStore.OpenInMemory();
        await using SyncStore laptop = await LiteDbSyncStore.OpenAsync(Path.Combine(folder, "laptop.db"));
        await using HubClient one = HubClient.Connect(phone, Options(hub)), two = HubClient.Connect(laptop, Options(hub));
        IdentityId guest = laptop.Identity.Id;
        phone.Identity.Dataset("save").Counter("coins").Add(5);
        phone.Identity.Dataset("secret")["of"] = "Ann";
        laptop.Identity.Dataset("save").Counter("coins").Add(3);
        await one.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        await Until(two.Link, () => two.Link.Current is { State: SyncState.Live, PendingChanges: 0 });
        await two.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        IdentityId ann = phone.Identity.Id;
        Assert.Equal(ann, laptop.Identity.Id);
        await Until(two.Link, () => laptop.Identity.Dataset("secret")["of"] == "Ann"
            && laptop.Identity.Dataset("save").Counter("coins").Value == 8);
        await Until(one.Link, () => phone.Identity.Dataset("save").Counter("coins").Value == 8);

        string merge = await LastMergeAsync(hub, ann);
        Assert.Equal(HttpStatusCode.OK, (await hub.PostAsync($"/sync/identity/merges/{merge}/undo", new { },
            await one.GetAccessTokenAsync())).Status);
        await Until(two.Link, () => laptop.Identity.Id == guest && laptop.Identity.Dataset("save").Counter("coins").Value == 3);
        await Until(one.Link, () => phone.Identity.Dataset("save").Counter("coins").Value == 5);
        await Until(two.Link, () => two.Link.Current is { State: SyncState.Live, PendingChanges: 0 });
        Assert.DoesNotContain("secret", laptop.Identity.DatasetNames);
        laptop.Identity.Dataset("save")["mine"] = 1;
        await Until(two.Link, () => two.Link.Current is { State: SyncState.Live, PendingChanges: 0 });
        phone.Identity.Dataset("save")["ours"] = 1;
        await Until(one.Link, () => one.Link.Current is { State: SyncState.Live, PendingChanges: 0 });
        Assert.Equal(3, laptop.Identity.Dataset("save").Counter("coins").Value);
        Assert.True(phone.Identity.Dataset("save")["mine"].IsMissing);

        // And once more into the same account: what the guest has counts again, once.
        await two.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        await Until(one.Link, () => phone.Identity.Dataset("save").Counter("coins").Value == 8
            && phone.Identity.Dataset("save")["mine"] == 1);
        await Until(two.Link, () => laptop.Identity.Dataset("save").Counter("coins").Value == 8
            && laptop.Identity.Dataset("save")["ours"] == 1);

        // The file has all of it: the account's data under the account, the rest under whom it belongs to now.
        await two.DisposeAsync();
        await laptop.DisposeAsync();
        await using (SyncStore again = await LiteDbSyncStore.OpenAsync(Path.Combine(folder, "laptop.db")))
        {
            Assert.Equal(ann, again.Identity.Id);
            Assert.Equal(8, again.Identity.Dataset("save").Counter("coins").Value);
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_hub_of_another_version_is_named_as_such()
    {
        await using SyncStore store = SyncStore.OpenInMemory();
        await using HubClient client = HubClient.Connect(store, new HubClientOptions(new Uri("http://127.0.0.1:9/sync"), "game")
        {
            HandlerFactory = static () => new SaysLittle(),
        });
        foreach (Func<Task> ask in (Func<Task>[])[() => client.GetNonceAsync(), async () => await client.GetAccessTokenAsync()])
        {
            SyncException failure = await Assert.ThrowsAsync<SyncException>(ask);
            Assert.Equal(SyncErrorCode.UnsupportedVersion, failure.Code);
        }
    }

    private static async Task<string> LastMergeAsync(HubApp hub, IdentityId id) =>
        (await ((SyncEngine.Hub.Identities.IdentityDirectory)hub.Services.GetService(
            typeof(SyncEngine.Hub.Identities.IdentityDirectory))!).FindAsync("game", id))!.Merges[^1].Id;

    /// <summary>Whether the hub knows under which replicas a device writes, so that revoking it fences them.</summary>
    private static bool IsDeclared(HubApp hub, IdentityId id, string device)
    {
        var directory = (SyncEngine.Hub.Identities.IdentityDirectory)hub.Services.GetService(
            typeof(SyncEngine.Hub.Identities.IdentityDirectory))!;
        return directory.FindAsync("game", id).AsTask().GetAwaiter().GetResult()?.FindDevice(device)?.Declared.Count > 0;
    }

    private static async Task MergeAsync(HubApp hub, IdentityId guest, IdentityId account)
    {
        var merging = (SyncEngine.Hub.Merging.IdentityMerging)hub.Services.GetService(
            typeof(SyncEngine.Hub.Merging.IdentityMerging))!;
        await merging.MergeAsync("game", guest, account, SyncEngine.Hub.Identities.MergeMode.Union, null, false, default);
    }

    private static async Task Until(SyncLink link, Func<bool> holds)
    {
        using var patience = new CancellationTokenSource(_patience);
        try
        {
            await link.Status.Select(_ => 0).Merge(Observable.Interval(TimeSpan.FromMilliseconds(50)).Select(_ => 0))
                .Where(_ => holds()).FirstAsync().ToTask(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail("It never came to that; the link says: " + link.Current);
        }
    }

    /// <summary>A hub that gives challenges and leaves out everything else.</summary>
    private sealed class SaysLittle : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK)
            {
                Content = new StringContent("""{"challenge":"AAAA"}"""),
            });
    }
}
