using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Causality;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Tests.Logins;
using SyncEngine.Hubs;
using Xunit;

namespace SyncEngine.Hub.Tests.EndToEnd;

/// <summary>How many logins an identity may have, and what becomes of one that is unlinked.</summary>
public sealed class UnlinkTests
{
    private const string Backend = DeveloperBackend.Provider;

    [Fact]
    public async Task The_last_login_is_unlinked_by_force_alone_and_is_a_new_identity_next_time()
    {
        await using LoopbackServer server = await BigProviders.StartAsync();
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game").Replace("\"providers\":[", $$"""
            "providers":[{"name":"amazon","kind":"amazon","appId":"{{BigProviders.AmazonClient}}",
            "baseAddress":"{{server.Address}}"},
            """, StringComparison.Ordinal));
        await using SyncStore phone = SyncStore.OpenInMemory(), laptop = SyncStore.OpenInMemory();
        await using HubClient one = HubClient.Connect(phone, Options(hub)), two = HubClient.Connect(laptop, Options(hub));
        await one.SignInAsync(Backend, backend.Vouch(hub, "game", "ann"));
        await one.CommitLoginAsync(await one.PlanLoginAsync("amazon", BigProviders.AmazonToken + "ann"));
        await phone.Identity.Dataset("save").PutAsync("of", "ann");

        await one.UnlinkAsync("amazon");
        await Assert.ThrowsAsync<SyncException>(() => one.UnlinkAsync("amazon", force: true));
        SyncException last = await Assert.ThrowsAsync<SyncException>(() => one.UnlinkAsync(Backend));
        Assert.Contains("the last login", last.Message, StringComparison.Ordinal);
        Assert.Equal(phone.Identity.Id, (await FindAsync(hub, Backend, "ann"))!.Id);
        await one.UnlinkAsync(Backend, force: true);
        Assert.Null(await FindAsync(hub, Backend, "ann"));

        await two.SignInAsync(Backend, backend.Vouch(hub, "game", "ann"));
        Assert.NotEqual(phone.Identity.Id, laptop.Identity.Id);
        Assert.Equal(laptop.Identity.Id, (await FindAsync(hub, Backend, "ann"))!.Id);

        // The devices of the identity without a login reach it still.
        Assert.Single(await one.GetDevicesAsync());
    }

    [Fact]
    public async Task An_identity_has_twenty_logins_at_most()
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game"));
        await using SyncStore phone = SyncStore.OpenInMemory();
        await using HubClient one = HubClient.Connect(phone, Options(hub));
        for (int n = 0; n < 20; n++) await LogInAsync("person-" + n);
        SyncException tooMany = await Assert.ThrowsAsync<SyncException>(() => LogInAsync("person-20"));
        Assert.Contains("at most 20 logins", tooMany.Message, StringComparison.Ordinal);
        Assert.Null(await FindAsync(hub, Backend, "person-20"));
        IdentityRow account = Assert.IsType<IdentityRow>(await FindAsync(hub, Backend, "person-19"));
        Assert.Equal((20, phone.Identity.Id), (account.Logins.Count, account.Id));

        // One that is there already is no further one.
        await LogInAsync("person-0");

        async Task LogInAsync(string person) => await one.CommitLoginAsync(
            await one.PlanLoginAsync(Backend, backend.Vouch(hub, "game", person)));
    }

    private static HubClientOptions Options(HubApp hub) => new(new Uri(hub.Address, "/sync"), "game");

    private static ValueTask<IdentityRow?> FindAsync(HubApp hub, string provider, string person) =>
        hub.Services.GetRequiredService<IdentityDirectory>()
            .FindByLoginAsync("game", provider, person, CancellationToken.None);
}
