using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using SyncEngine.Hub.Tests.Logins;
using Xunit;

namespace SyncEngine.Hub.Tests.Threats;

/// <summary>Whoever shows a token that is not right learns nothing from the answer.</summary>
public sealed class LoginThreatsTests
{
    private const string Corp = "corp";

    [Fact]
    public async Task All_refused_logins_look_alike()
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        using var backend = new DeveloperBackend();
        using var foreignBackend = new DeveloperBackend();
        using var foreignKey = new TestKey("RS256", issuer.Key.Kid);
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game").Replace("\"providers\":[", $$"""
            "providers":[{"name":"{{Corp}}","kind":"openid-connect","issuer":"{{issuer.Name}}",
            "audiences":["{{LoopbackIssuer.ClientId}}"]},
            """, StringComparison.Ordinal));
        using RawDevice ada = new(hub, "game"), eve = new(hub, "game"), guest = await new RawDevice(hub, "game").RegisterAsync();
        string used = await TokenAsync(), vouched = backend.Vouch(hub, "game", "ada");
        Assert.Equal(HttpStatusCode.OK, (await ada.TrySignInAsync(Corp, used)).Status);
        Assert.Equal(HttpStatusCode.OK, (await ada.TrySignInAsync(DeveloperBackend.Provider, vouched)).Status);
        var wrong = new List<(string Provider, string Token)>
        {
            (Corp, used), (Corp, ""), (Corp, "a.b.c"), (Corp, vouched),
            (Corp, await TokenAsync(static claims => claims.Remove("nonce"))),
            (Corp, await TokenAsync(static claims => claims["nonce"] = "made-up")),
            (Corp, await TokenAsync(static claims => claims["exp"] = (long)claims["iat"]! - 3000)),
            (Corp, await TokenAsync(static claims => claims["aud"] = "another-app")),
            (Corp, await TokenAsync(static claims => claims["iss"] = "https://login.example.com")),
            (Corp, await TokenAsync(static claims => claims["sub"] = "")),

            // A person whom the hub knows, and one whom it does not.
            (Corp, foreignKey.Sign(await ClaimsAsync("ada"))), (Corp, foreignKey.Sign(await ClaimsAsync("nobody"))),
            (DeveloperBackend.Provider, vouched), (DeveloperBackend.Provider, used),
            (DeveloperBackend.Provider, foreignBackend.Vouch(hub, "game", "ada")),
            (DeveloperBackend.Provider, foreignBackend.Vouch(hub, "game", "nobody")),
            (DeveloperBackend.Provider, backend.Vouch(hub, "another-pool", "ada")),
            (DeveloperBackend.Provider, backend.Vouch(hub, "game", "ada", TimeSpan.FromHours(-1))),
        };

        string? first = null;
        foreach ((string provider, string token) in wrong)
        {
            AssertAlike(await eve.TrySignInAsync(provider, token));
            AssertAlike(await hub.PostAsync("/sync/pools/game/logins/plan", new { provider, token }, guest.AccessToken));
        }

        void AssertAlike((HttpStatusCode Status, JsonElement Body) answer)
        {
            first ??= answer.Body.GetRawText();
            Assert.Equal((HttpStatusCode.Unauthorized, first), (answer.Status, answer.Body.GetRawText()));
        }

        async Task<JsonObject> ClaimsAsync(string person)
        {
            JsonObject claims = issuer.Claims();
            claims["sub"] = person;
            claims["nonce"] = (await hub.PostAsync("/sync/pools/game/nonces", new { })).Body.GetProperty("nonce").GetString();
            return claims;
        }

        async Task<string> TokenAsync(Action<JsonObject>? change = null)
        {
            JsonObject claims = await ClaimsAsync("ada");
            change?.Invoke(claims);
            return issuer.Key.Sign(claims);
        }
    }
}
