using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Causality;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Tests.Cognito;
using SyncEngine.Hubs;
using SyncEngine.Identities;
using Xunit;

namespace SyncEngine.Hub.Tests.EndToEnd;

/// <summary>What a person does with the own identity and device, through the client.</summary>
public sealed class OwnIdentityTests
{
    [Fact]
    public async Task A_device_that_asked_for_it_is_woken_for_its_datasets_until_it_asks_no_more()
    {
        var pushes = new ListedPushes();
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync(services => services.AddSingleton<IPushSender>(pushes));
        await hub.CreatePoolAsync(backend.Pool("game"));
        HubClientOptions options = new(new Uri(hub.Address, "/sync"), "game");
        await using SyncStore phone = SyncStore.OpenInMemory(), laptop = SyncStore.OpenInMemory();
        await using HubClient writer = HubClient.Connect(laptop, options);
        await writer.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        await using (HubClient sleeper = HubClient.Connect(phone, options))
        {
            await sleeper.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
            SyncException unknown = await Assert.ThrowsAsync<SyncException>(() => sleeper.RegisterPushAsync("pigeon", "t"));
            Assert.Contains("listed", unknown.Message, StringComparison.Ordinal);
            await sleeper.RegisterPushAsync("listed", "token-1", ["sav*"]);
        }

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var registrations = hub.Services.GetRequiredService<PushRegistrations>();
        Assert.Equal(["sav*"], (await registrations.ListAsync(
            "game", laptop.Identity.Id, patience.Token)).Single().Registration.Datasets);
        await laptop.Identity.Dataset("other").PutAsync("x", 1);
        await laptop.Identity.Dataset("save").PutAsync("x", 1);
        while (pushes.Tokens.Count == 0) await Task.Delay(20, patience.Token);
        Assert.Equal(["token-1"], pushes.Tokens);

        await using (HubClient sleeper = HubClient.Connect(phone, options)) await sleeper.UnregisterPushAsync();
        Assert.Empty(await registrations.ListAsync("game", laptop.Identity.Id, patience.Token));
    }

    [Fact]
    public async Task Who_deletes_the_own_identity_leaves_nothing_at_the_hub_and_on_the_device()
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game"));
        HubClientOptions options = new(new Uri(hub.Address, "/sync"), "game");
        await using SyncStore store = SyncStore.OpenInMemory();
        await using HubClient client = HubClient.Connect(store, options);
        await client.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        await store.Identity.Dataset("save").PutAsync("secret", "of ann");
        IdentityId ann = store.Identity.Id;

        await client.DeleteIdentityAsync();
        Assert.NotEqual(ann, store.Identity.Id);
        Assert.Empty(store.Identity.DatasetNames);
        Assert.DoesNotContain(store.Identities, identity => identity.Id == ann);
        var directory = hub.Services.GetRequiredService<IdentityDirectory>();
        Assert.Null(await directory.FindAsync("game", ann));
        Assert.Empty(await hub.Store.Rows.ReadRangeAsync($"data/game/{ann}", null, 9));

        await client.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        Assert.True(store.Identity.Dataset("save")["secret"].IsMissing);
    }

    [Fact]
    public async Task Where_the_hub_cannot_be_reached_nothing_is_deleted()
    {
        await using SyncStore store = SyncStore.OpenInMemory();
        HubApp hub = await HubApp.StartAsync();
        await using HubClient client = HubClient.Connect(
            store, new HubClientOptions(new Uri(hub.Address, "/sync"), await GuestsAsync(hub)));
        await client.GetAccessTokenAsync();
        await store.Identity.Dataset("save").PutAsync("kept", 1);
        IdentityId guest = store.Identity.Id;
        await hub.DisposeAsync();
        await Assert.ThrowsAsync<SyncException>(() => client.DeleteIdentityAsync());
        Assert.Equal(guest, store.Identity.Id);
        Assert.Equal(1, store.Identity.Dataset("save").Get<int>("kept"));
    }

    private static async Task<string> GuestsAsync(HubApp hub)
    {
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        return "game";
    }
}
