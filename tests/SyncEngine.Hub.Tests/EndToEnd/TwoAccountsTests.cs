using SyncEngine.Causality;
using SyncEngine.Hub.Tests.Logins;
using SyncEngine.Hubs;
using Xunit;

namespace SyncEngine.Hub.Tests.EndToEnd;

/// <summary>Two identities that both have logins.</summary>
public sealed class TwoAccountsTests
{
    private const string Provider = "corp";

    [Fact]
    public async Task They_become_one_by_a_fresh_proof_of_both_and_by_nothing_less()
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync($$"""
            {"name":"game","allowsGuests":true,"providers":[{"name":"{{Provider}}","kind":"openid-connect",
             "issuer":"{{issuer.Name}}","audiences":["{{LoopbackIssuer.ClientId}}"],"requiresNonce":false}]}
            """);
        HubClientOptions options = new(new Uri(hub.Address, "/sync"), "game");
        await using SyncStore phone = SyncStore.OpenInMemory(), laptop = SyncStore.OpenInMemory();
        await using HubClient one = HubClient.Connect(phone, options), two = HubClient.Connect(laptop, options);
        foreach (SyncStore store in new[] { phone, laptop }) store.Identity.Dataset("save").Counter("coins").Add(2);
        await one.SignInAsync(Provider, TokenOf("ann"));
        await two.SignInAsync(Provider, TokenOf("bob"));
        Assert.NotEqual(phone.Identity.Id, laptop.Identity.Id);

        LoginPlan refused = await two.PlanLoginAsync(Provider, TokenOf("ann"));
        Assert.Equal(LoginOutcome.Conflict, refused.Outcome);
        await Assert.ThrowsAsync<SyncException>(() => two.CommitLoginAsync(refused));
        LoginPlan foreign = await two.PlanLoginAsync(Proof("ann"), Proof("eve"));
        Assert.Equal(LoginOutcome.Conflict, foreign.Outcome);

        LoginPlan plan = await two.PlanLoginAsync(Proof("ann"), Proof("bob"));
        Assert.Equal((LoginOutcome.Merges, phone.Identity.Id), (plan.Outcome, plan.IdentityId));
        await two.CommitLoginAsync(plan);
        Assert.Equal(phone.Identity.Id, laptop.Identity.Id);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        foreach (SyncStore store in new[] { phone, laptop })
            while (store.Identity.Dataset("save").Counter("coins").Value != 4) await Task.Delay(20, patience.Token);

        LoginProof Proof(string person) => new(Provider, TokenOf(person));

        string TokenOf(string person) => issuer.Token(claims =>
        {
            long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            (claims["sub"], claims["iat"], claims["exp"]) = (person, now, now + 600);
            claims.Remove("nonce");

            // Each is taken once.
            claims["jti"] = Guid.NewGuid().ToString();
        });
    }

    [Fact]
    public async Task A_backends_word_for_one_of_them_merges_nothing_and_its_word_for_both_does()
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game"));
        HubClientOptions options = new(new Uri(hub.Address, "/sync"), "game");
        await using SyncStore phone = SyncStore.OpenInMemory(), laptop = SyncStore.OpenInMemory();
        await using HubClient one = HubClient.Connect(phone, options), two = HubClient.Connect(laptop, options);
        await one.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        await two.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "bob"));
        string ann = phone.Identity.Id.ToString(), bob = laptop.Identity.Id.ToString();
        await phone.Identity.Dataset("save").PutAsync("secret", "of ann");

        foreach (string? from in new[] { null, bob, "00000000000000000000000000000000", "" })
        {
            LoginPlan refused = await one.PlanLoginAsync(
                DeveloperBackend.Provider, backend.Vouch(hub, "game", "bob", mergesFrom: from));
            Assert.Equal(LoginOutcome.Conflict, refused.Outcome);
            await Assert.ThrowsAsync<SyncException>(() => one.CommitLoginAsync(refused));
        }

        Assert.Equal(ann, phone.Identity.Id.ToString());
        LoginPlan plan = await one.PlanLoginAsync(
            DeveloperBackend.Provider, backend.Vouch(hub, "game", "bob", mergesFrom: ann));
        Assert.Equal(LoginOutcome.Merges, plan.Outcome);
        await one.CommitLoginAsync(plan);
        Assert.Equal(bob, phone.Identity.Id.ToString());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (laptop.Identity.Dataset("save").Get<string>("secret") != "of ann") await Task.Delay(20, patience.Token);
    }

    [Fact]
    public async Task A_plan_shows_what_the_mode_that_is_asked_for_would_make()
    {
        using var backend = new DeveloperBackend();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game"));
        HubClientOptions options = new(new Uri(hub.Address, "/sync"), "game");
        await using SyncStore phone = SyncStore.OpenInMemory(), laptop = SyncStore.OpenInMemory();
        await using HubClient one = HubClient.Connect(phone, options), two = HubClient.Connect(laptop, options);
        await one.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        await two.GetAccessTokenAsync();
        foreach (SyncStore store in new[] { phone, laptop }) store.Identity.Dataset("save")[store == phone ? "a" : "b"] = 1;
        string guest = laptop.Identity.Id.ToString();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (one.Link.PendingNow != 0 || two.Link.PendingNow != 0) await Task.Delay(20, patience.Token);

        Assert.Equal([("save", 1, 1, 2)], await ShowAsync(MergeMode.Union));
        Assert.Equal([("save", 1, 1, 2)], await ShowAsync(MergeMode.KeepSource));
        Assert.Equal([("save", 0, 1, 1), ("save." + guest, 1, 0, 1)], await ShowAsync(MergeMode.Manual));

        async Task<IEnumerable<(string, int, int, int)>> ShowAsync(MergeMode mode) => (await two.PlanLoginAsync(
                new LoginProof(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann")), null, mode)).Datasets
            .Select(static dataset => (dataset.Name, dataset.RecordsHere, dataset.RecordsThere, dataset.RecordsTogether))
            .OrderBy(static dataset => dataset.Name, StringComparer.Ordinal);
    }
}
