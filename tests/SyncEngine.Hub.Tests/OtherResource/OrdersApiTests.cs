using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Hub.Tokens;
using SyncEngine.Policies;
using Xunit;

namespace SyncEngine.Hub.Tests.OtherResource;

public sealed class OrdersApiTests
{
    private const string Rules = """
        {"version":1,"statements":[
         {"effect":"allow","action":"resource:invoke","resource":"api/orders/${claim.tenant}/*"},
         {"effect":"deny","action":"*","resource":"api/orders/*/secret"}]}
        """;

    [Fact]
    public async Task It_takes_the_hubs_credentials_and_asks_its_policy()
    {
        await using HubApp hub = await HubApp.StartAsync();
        using var backend = new DeveloperBackend();
        await hub.CreatePoolAsync(backend.Pool("game"));
        await using WebApplication api = await StartAsync(hub, "syncengine");
        using RawDevice ann = new(hub, "game"), guest = new(hub, "game");
        await SignInAsync(hub, backend, ann);
        await guest.RegisterAsync();
        CredentialVerifier verifier = await VerifierAsync(hub, "syncengine");
        Assert.Equal(ann.IdentityId, verifier.Verify(ann.AccessToken).IdentityId.ToString());
        foreach ((string token, string order, HttpStatusCode expected) in new[]
        {
            (ann.AccessToken, "acme/7", HttpStatusCode.OK),
            (ann.AccessToken, "other/7", HttpStatusCode.Forbidden),
            (ann.AccessToken, "acme/secret", HttpStatusCode.Forbidden),
            (ann.AccessToken, "*/7", HttpStatusCode.Forbidden),
            (guest.AccessToken, "acme/7", HttpStatusCode.Forbidden),
            ("", "acme/7", HttpStatusCode.Unauthorized),
            (Tamper(ann.AccessToken), "acme/7", HttpStatusCode.Unauthorized),
        })
        {
            Assert.Equal(expected, await GetAsync(api, order, token));
            Assert.Equal(expected, Decide(verifier, token, order));
        }
    }

    [Fact]
    public async Task It_refuses_a_credential_for_another_audience()
    {
        await using HubApp hub = await HubApp.StartAsync();
        using var backend = new DeveloperBackend();
        await hub.CreatePoolAsync(backend.Pool("game"));
        await using WebApplication api = await StartAsync(hub, "billing");
        using RawDevice ann = new(hub, "game");
        await SignInAsync(hub, backend, ann);
        Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(api, "acme/7", ann.AccessToken));
        Assert.False((await VerifierAsync(hub, "billing")).TryVerify(ann.AccessToken, out _));
    }

    [Fact]
    public async Task It_refuses_a_credential_that_has_ended()
    {
        var clock = new ShiftedClock { By = TimeSpan.FromHours(-2) };
        await using HubApp hub = await HubApp.StartAsync(services => services.AddSingleton<TimeProvider>(clock));
        using var backend = new DeveloperBackend();
        await hub.CreatePoolAsync(backend.Pool("game"));
        await using WebApplication api = await StartAsync(hub, "syncengine");
        using RawDevice late = new(hub, "game"), fresh = new(hub, "game");
        await late.RegisterAsync();
        clock.By = default;
        await fresh.RegisterAsync();

        // Both are guests: one is unknown by now, the other known and not allowed.
        Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(api, "acme/7", late.AccessToken));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(api, "acme/7", fresh.AccessToken));
        CredentialVerifier verifier = await VerifierAsync(hub, "syncengine");
        Assert.False(verifier.TryVerify(late.AccessToken, out _));
        Assert.True(verifier.TryVerify(fresh.AccessToken, out _));
    }

    [Fact]
    public async Task It_follows_the_hub_to_a_new_key()
    {
        var clock = new ShiftedClock();
        await using HubApp hub = await HubApp.StartAsync(services => services.AddSingleton<TimeProvider>(clock));
        using var backend = new DeveloperBackend();
        await hub.CreatePoolAsync(backend.Pool("game"));
        await using WebApplication api = await StartAsync(hub, "syncengine");
        using RawDevice first = new(hub, "game"), second = new(hub, "game");
        await SignInAsync(hub, backend, first);
        Assert.Equal(HttpStatusCode.OK, await GetAsync(api, "acme/7", first.AccessToken));
        CredentialVerifier verifier = await VerifierAsync(hub, "syncengine");
        clock.By = TimeSpan.FromHours(-2);
        await hub.Services.GetRequiredService<SigningKeys>().RotateAsync();
        clock.By = default;
        await SignInAsync(hub, backend, second);
        Assert.NotEqual(first.AccessToken.Split('.')[0], second.AccessToken.Split('.')[0]);

        // The stock handler fetches the keys again in the background once it meets an unknown one.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await GetAsync(api, "acme/7", second.AccessToken) != HttpStatusCode.OK) await Task.Delay(20, limit.Token);
        Assert.Equal(HttpStatusCode.OK, await GetAsync(api, "acme/7", first.AccessToken));
        Assert.False(verifier.TryVerify(second.AccessToken, out _));
        verifier.Update(await hub.Http.GetStringAsync("/sync/jwks.json"));
        Assert.True(verifier.TryVerify(first.AccessToken, out _));
        Assert.True(verifier.TryVerify(second.AccessToken, out _));
    }

    [Fact]
    public async Task The_hubs_document_lies_at_its_issuer_too_unless_the_app_has_one_there()
    {
        const string atIssuer = "/.well-known/openid-configuration";
        await using HubApp hub = await HubApp.StartAsync();
        string document = await hub.Http.GetStringAsync("/sync" + atIssuer);
        Assert.Contains("/sync/jwks.json", document, StringComparison.Ordinal);
        Assert.Equal(document, await hub.Http.GetStringAsync(atIssuer));
        await using HubApp shared = await HubApp.StartAsync(map: static app => app.MapGet(atIssuer, static () => "the app's"));
        Assert.Equal("the app's", await shared.Http.GetStringAsync(atIssuer));
        Assert.Contains("/sync/jwks.json", await shared.Http.GetStringAsync("/sync" + atIssuer), StringComparison.Ordinal);
    }

    private static async Task<WebApplication> StartAsync(HubApp hub, string audience)
    {
        WebApplication api = OrdersApi.Build(hub.Address.AbsoluteUri.TrimEnd('/'), audience, Rules);
        await api.StartAsync();
        return api;
    }

    private static async Task SignInAsync(HubApp hub, DeveloperBackend backend, RawDevice device)
    {
        (HttpStatusCode status, System.Text.Json.JsonElement body) =
            await device.TrySignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
        Assert.True(status == HttpStatusCode.OK, $"{status} {body}");
    }

    private static async Task<HttpStatusCode> GetAsync(WebApplication api, string order, string token)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{api.Urls.First()}/orders/{order}");
        if (token.Length > 0) request.Headers.Authorization = new("Bearer", token);
        using HttpResponseMessage response = await http.SendAsync(request);
        return response.StatusCode;
    }

    private static async Task<CredentialVerifier> VerifierAsync(HubApp hub, string audience) => new(
        hub.Address.AbsoluteUri.TrimEnd('/'), audience, await hub.Http.GetStringAsync("/sync/jwks.json"));

    private static HttpStatusCode Decide(CredentialVerifier verifier, string token, string order) =>
        !verifier.TryVerify(token, out VerifiedCredential? credential) ? HttpStatusCode.Unauthorized
        : Policy.Parse(Rules).Allows("resource:invoke", $"api/orders/{order}", credential.ToPolicyContext())
            ? HttpStatusCode.OK : HttpStatusCode.Forbidden;

    private static string Tamper(string token)
    {
        int at = token.LastIndexOf('.') + 10;
        return $"{token[..at]}{(token[at] == 'A' ? 'B' : 'A')}{token[(at + 1)..]}";
    }

    private sealed class ShiftedClock : TimeProvider
    {
        public TimeSpan By { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + By;
    }
}
