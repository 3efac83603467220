using System.Text.Json.Nodes;
using SyncEngine.Hub.Tests.Logins;

namespace SyncEngine.Hub.Tests.Cognito;

/// <summary>An issuer of ID tokens on the loopback, as the API's clients know it.</summary>
internal sealed class TokenIssuer : IAsyncDisposable
{
    private const string ClientId = "the-app";
    private readonly TestKey _key = new("RS256", "first");
    private readonly LoopbackServer _server;

    private TokenIssuer(LoopbackServer server) => _server = server;

    /// <summary>How clients name it.</summary>
    public string Provider => _server.Address["http://".Length..];

    public string Arn => $"arn:aws:iam::123456789012:oidc-provider/{Provider}";

    public CognitoOpenIdConnectProvider Known => new() { Issuer = _server.Address, ClientIds = { ClientId } };

    public static async Task<TokenIssuer> StartAsync()
    {
        var issuer = new TokenIssuer(await LoopbackServer.StartAsync());
        issuer._server.On("/.well-known/openid-configuration", 200, new JsonObject
        {
            ["issuer"] = issuer._server.Address, ["jwks_uri"] = issuer._server.Address + "/keys",
            ["id_token_signing_alg_values_supported"] = new JsonArray("RS256"),
        }.ToJsonString());
        issuer._server.On("/keys", 200, new JsonObject { ["keys"] = new JsonArray(issuer._key.Public()) }.ToJsonString());
        return issuer;
    }

    /// <summary>The member <c>Logins</c> that proves a person.</summary>
    /// <param name="subject">The person.</param>
    /// <param name="seconds">By how much the token's times are shifted.</param>
    /// <param name="more">Further claims.</param>
    public JsonObject Logins(string subject, int seconds = 0, JsonObject? more = null)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds() + seconds;
        JsonObject claims = more is null ? [] : (JsonObject)more.DeepClone();
        (claims["iss"], claims["aud"], claims["sub"]) = (_server.Address, ClientId, subject);
        (claims["iat"], claims["exp"]) = (now, now + 3600);
        return new JsonObject { [Provider] = _key.Sign(claims) };
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _key.Dispose();
    }
}
