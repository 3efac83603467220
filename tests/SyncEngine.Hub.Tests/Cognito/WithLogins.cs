using System.Text.Json.Nodes;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito;

/// <summary>Tests at a hub whose pool takes guests and the logins of an OpenID Connect provider.</summary>
public abstract class WithLogins : IAsyncLifetime
{
    private protected CognitoApp _app = null!;
    private protected TokenIssuer _issuer = null!;

    public async Task InitializeAsync()
    {
        _issuer = await TokenIssuer.StartAsync();
        _app = await CognitoApp.WithPoolAsync(null, hub => hub.Cognito.OpenIdConnectProviders.Add(_issuer.Known), body =>
            body["OpenIdConnectProviderARNs"] = new JsonArray(_issuer.Arn));
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _issuer.DisposeAsync();
    }
}
