using System.Text.Json.Nodes;
using SyncEngine.Hub.Logins;

namespace SyncEngine.Hub.Tests.Logins;

/// <summary>An issuer of OpenID Connect on loopback, with a provider of the hub that trusts it.</summary>
internal sealed class LoopbackIssuer : IAsyncDisposable
{
    public const string DiscoveryPath = "/.well-known/openid-configuration";
    public const string KeysPath = "/keys";
    public const string ClientId = "the-app";

    private LoopbackIssuer(LoginBench bench, LoopbackServer server) => (Bench, Server) = (bench, server);

    public LoginBench Bench { get; }

    public LoopbackServer Server { get; }

    public string Name => Server.Address;

    public TestKey Key { get; private set; } = new("RS256", "first");

    public JsonObject Discovery { get; private set; } = [];

    public static async Task<LoopbackIssuer> StartAsync(TimeSpan? callTimeout = null)
    {
        var issuer = new LoopbackIssuer(new LoginBench(callTimeout), await LoopbackServer.StartAsync());
        issuer.Discovery = new JsonObject
        {
            ["issuer"] = issuer.Name,
            ["jwks_uri"] = issuer.Name + KeysPath,
            ["id_token_signing_alg_values_supported"] = new JsonArray("HS256", "RS256", "PS256", "ES256"),
        };
        issuer.Server.On(DiscoveryPath, _ => (200, issuer.Discovery.ToJsonString()));
        issuer.Publish(issuer.Key.Public());
        return issuer;
    }

    public void Publish(params JsonObject[] keys) =>
        Server.On(KeysPath, 200, new JsonObject { ["keys"] = new JsonArray([.. keys]) }.ToJsonString());

    /// <summary>Signs with another key from now on; publishes that key only.</summary>
    public void Rotate(string kid, string algorithm = "RS256")
    {
        Key.Dispose();
        Key = new TestKey(algorithm, kid);
        Publish(Key.Public());
    }

    public ProviderDefinition Definition() => new()
    {
        Name = "oidc",
        Kind = ProviderKind.OpenIdConnect,
        Issuer = Name,
        ClientIds = [ClientId],
        AuthorizedParties = ["the-android-app"],
        Claims = ["email", "email_verified", "level", "groups"],
    };

    public ILoginProvider Open(Func<ProviderDefinition, ProviderDefinition>? change = null) =>
        Bench.Providers.Open(LoginBench.Pool, change is null ? Definition() : change(Definition()));

    /// <summary>Claims of a right token with a new nonce.</summary>
    public JsonObject Claims()
    {
        long now = Bench.Clock.GetUtcNow().ToUnixTimeSeconds();
        return new JsonObject
        {
            ["iss"] = Name,
            ["aud"] = ClientId,
            ["sub"] = "person-1",
            ["iat"] = now,
            ["exp"] = now + 3600,
            ["nonce"] = Bench.Once.Issue(),
            ["email"] = "person@example.com",
            ["email_verified"] = true,
            ["level"] = 7,
            ["groups"] = new JsonArray("a", "b"),
            ["unasked"] = "never carried",
        };
    }

    public string Token(Action<JsonObject>? change = null, Action<JsonObject>? changeHeader = null)
    {
        JsonObject claims = Claims();
        change?.Invoke(claims);
        return Key.Sign(claims, changeHeader);
    }

    public async ValueTask DisposeAsync()
    {
        Bench.Dispose();
        await Server.DisposeAsync();
        Key.Dispose();
    }
}
