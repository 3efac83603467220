using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Causality;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Tests.Logins;
using SyncEngine.Hubs;
using Xunit;

namespace SyncEngine.Hub.Tests.EndToEnd;

/// <summary>Logins of each kind of provider, from the pool's definition to the identity.</summary>
public sealed class ProviderLoginTests(OidcProvider provider) : IClassFixture<OidcProvider>
{
    private const string Corp = "corp";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [OidcProviderFact]
    public async Task A_real_providers_token_is_taken_with_this_pools_unused_nonce_alone()
    {
        await using HubApp hub = await HubApp.StartAsync();
        foreach (string pool in new[] { "game", "other" })
        {
            await hub.CreatePoolAsync($$"""
                {"name":"{{pool}}","allowsGuests":true,"providers":[{"name":"{{Corp}}","kind":"openid-connect",
                 "issuer":"{{provider.Issuer}}","audiences":["app-ES256"],"claims":["email"]}]}
                """);
        }

        await using SyncStore phone = SyncStore.OpenInMemory(), laptop = SyncStore.OpenInMemory();
        await using HubClient one = HubClient.Connect(phone, Options(hub)), two = HubClient.Connect(laptop, Options(hub));
        await using SyncStore third = SyncStore.OpenInMemory();
        await using HubClient elsewhere = HubClient.Connect(third, Options(hub, "other"));
        phone.Identity.Dataset("save").Counter("coins").Add(5);
        laptop.Identity.Dataset("save").Counter("coins").Add(2);

        (string token, string access) = await LogInAsync(await one.GetNonceAsync());
        LoginPlan plan = await one.PlanLoginAsync(Corp, token, access);
        Assert.Equal(LoginOutcome.Links, plan.Outcome);
        await one.CommitLoginAsync(plan);

        await RefusedAsync(token, access);
        foreach (string? nonce in new[] { null, "not-of-this-hub", await elsewhere.GetNonceAsync() })
        {
            (string foreign, string beside) = await LogInAsync(nonce);
            await RefusedAsync(foreign, beside);
        }

        IdentityRow account = await FindAsync(hub, Corp, "ada");
        Assert.Equal((plan.IdentityId, plan.IdentityId), (account.Id, phone.Identity.Id));
        Assert.Equal("ada@example.com", Assert.Single(Assert.Single(account.Logins).Claims["email"]));
        (token, access) = await LogInAsync(await two.GetNonceAsync());
        await two.SignInAsync(Corp, token, access);
        Assert.Equal(phone.Identity.Id, laptop.Identity.Id);
        using var patience = new CancellationTokenSource(_patience);
        foreach (SyncStore store in new[] { phone, laptop })
            while (store.Identity.Dataset("save").Counter("coins").Value != 7) await Task.Delay(20, patience.Token);

        Task<(string, string)> LogInAsync(string? nonce) => provider.LogInAsync("app-ES256", "ada", nonce);

        async Task RefusedAsync(string refused, string beside)
        {
            foreach (Func<Task> way in new Func<Task>[]
            {
                () => one.PlanLoginAsync(Corp, refused, beside), () => two.SignInAsync(Corp, refused, beside),
            })
                Assert.Equal(SyncErrorCode.Unauthorized, (await Assert.ThrowsAsync<SyncException>(way)).Code);
            Assert.NotEqual(phone.Identity.Id, laptop.Identity.Id);
        }
    }

    [Theory]
    [InlineData("facebook")]
    [InlineData("amazon")]
    [InlineData("google")]
    [InlineData("apple")]
    public async Task A_person_of_each_kind_of_provider_has_one_identity_on_two_devices(string kind)
    {
        await using LoopbackServer server = await BigProviders.StartAsync();
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        await using HubApp hub = await HubApp.StartAsync();
        string how = kind switch
        {
            "facebook" => $$"""
                "appId":"{{BigProviders.App}}","appSecret":"{{BigProviders.Secret}}","baseAddress":"{{server.Address}}"
                """,
            "amazon" => $$"""
                "appId":"{{BigProviders.AmazonClient}}","baseAddress":"{{server.Address}}"
                """,
            _ => $$"""
                "issuer":"{{issuer.Name}}","audiences":["{{LoopbackIssuer.ClientId}}"]
                """,
        };
        await hub.CreatePoolAsync($$"""
            {"name":"game","allowsGuests":true,"providers":[{"name":"big-{{kind}}","kind":"{{kind}}","claims":["name"],{{how}}}]}
            """);
        await using SyncStore phone = SyncStore.OpenInMemory(), laptop = SyncStore.OpenInMemory();
        await using HubClient one = HubClient.Connect(phone, Options(hub)), two = HubClient.Connect(laptop, Options(hub));

        SyncException refused = await Assert.ThrowsAsync<SyncException>(
            async () => await one.SignInAsync("big-" + kind, await TokenOfAsync(one, BigProviders.OfOtherApp)));
        Assert.Equal(SyncErrorCode.Unauthorized, refused.Code);
        await one.SignInAsync("big-" + kind, await TokenOfAsync(one, "ada"));
        await two.SignInAsync("big-" + kind, await TokenOfAsync(two, "ada"));
        IdentityRow account = await FindAsync(hub, "big-" + kind, "ada");
        Assert.Equal((account.Id, account.Id), (phone.Identity.Id, laptop.Identity.Id));
        Assert.StartsWith("ada of", Assert.Single(Assert.Single(account.Logins).Claims["name"]), StringComparison.Ordinal);

        async Task<string> TokenOfAsync(HubClient client, string person)
        {
            if (kind == "facebook") return BigProviders.FacebookToken + person;
            if (kind == "amazon") return BigProviders.AmazonToken + person;
            string nonce = await client.GetNonceAsync();
            return issuer.Token(claims =>
            {
                (claims["sub"], claims["nonce"], claims["name"]) = (person, nonce, person + " of " + kind);
                if (person == BigProviders.OfOtherApp) claims["aud"] = "another-app";
            });
        }
    }

    private static HubClientOptions Options(HubApp hub, string pool = "game") => new(new Uri(hub.Address, "/sync"), pool);

    private static async Task<IdentityRow> FindAsync(HubApp hub, string provider, string person) =>
        Assert.IsType<IdentityRow>(await hub.Services.GetRequiredService<IdentityDirectory>()
            .FindByLoginAsync("game", provider, person, CancellationToken.None));
}
