using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito;

/// <summary>A hub with the Cognito-wire-compatible API, one pool made by it, and a client.</summary>
internal sealed class CognitoApp : IAsyncDisposable
{
    public const string AuthenticatedArn = "arn:aws:iam::123456789012:role/Cognito_GameAuth_Role";
    public const string GuestArn = "arn:aws:iam::123456789012:role/Cognito_GameUnauth_Role";
    public const string DeveloperProvider = "login.game.example";

    private CognitoApp(HubApp hub, SigningClient client) => (Hub, Client) = (hub, client);

    public HubApp Hub { get; }

    public SigningClient Client { get; }

    /// <summary>The pool's id.</summary>
    public string Pool { get; set; } = "";

    /// <summary>Starts it on a clock that a test moves, or on the machine's.</summary>
    public static async Task<CognitoApp> StartAsync(
        TimeProvider? time = null, Action<SyncHubOptions>? options = null, string? folder = null)
    {
        HubApp hub = await HubApp.StartAsync(
            services => services.AddSingleton(time ?? TimeProvider.System), folder, hub =>
            {
                hub.Cognito.DeveloperKeys.Add(new CognitoDeveloperKey
                {
                    AccessKeyId = Signer.Developer.KeyId, SecretAccessKey = Signer.Developer.Secret,
                });
                options?.Invoke(hub);
            });
        return new CognitoApp(hub, new SigningClient(hub.Address, time ?? TimeProvider.System));
    }

    /// <summary>Starts it, and makes a pool with guests, a developer provider and both roles.</summary>
    public static async Task<CognitoApp> WithPoolAsync(
        TimeProvider? time = null, Action<SyncHubOptions>? options = null, Action<JsonObject>? definition = null)
    {
        CognitoApp app = await StartAsync(time, options);
        var body = new JsonObject
        {
            ["IdentityPoolName"] = "Game pool", ["AllowUnauthenticatedIdentities"] = true, ["AllowClassicFlow"] = true,
            ["DeveloperProviderName"] = DeveloperProvider,
        };
        definition?.Invoke(body);
        app.Pool = (await app.DoAsync("CreateIdentityPool", body)).GetProperty("IdentityPoolId").GetString()!;
        await app.DoAsync("SetIdentityPoolRoles", new JsonObject
        {
            ["IdentityPoolId"] = app.Pool,
            ["Roles"] = new JsonObject { ["authenticated"] = AuthenticatedArn, ["unauthenticated"] = GuestArn },
        });
        return app;
    }

    /// <summary>Calls the Identity API as developer and expects that it works.</summary>
    public Task<JsonElement> DoAsync(string operation, JsonObject body) => DoAsync(operation, body, Signer.Developer);

    /// <summary>Calls the Identity API unsigned and expects that it works.</summary>
    public Task<JsonElement> AskAsync(string operation, JsonObject body) => DoAsync(operation, body, null);

    /// <summary>Calls the Identity API and expects an error.</summary>
    public async Task<string> FailAsync(string operation, JsonObject body, bool isSigned = false)
    {
        Answer answer = await Client.IdentityAsync(operation, body, isSigned ? Signer.Developer : null);
        Assert.True(answer.Status is HttpStatusCode.BadRequest, answer.Text);
        return $"{answer.Error}: {answer.Message}";
    }

    public async Task<string> GuestAsync() =>
        (await AskAsync("GetId", new JsonObject { ["IdentityPoolId"] = Pool })).GetProperty("IdentityId").GetString()!;

    public async Task<Signer> CredentialsAsync(string identity, JsonObject? logins = null) => Signer.Of(
        (await AskAsync("GetCredentialsForIdentity", new JsonObject
        {
            ["IdentityId"] = identity, ["Logins"] = logins?.DeepClone(),
        })).GetProperty("Credentials"));

    /// <summary>A developer's user: the identity, and the token that proves it.</summary>
    public async Task<(string Identity, JsonObject Logins)> UserAsync(string user, string? identity = null)
    {
        JsonElement answer = await DoAsync("GetOpenIdTokenForDeveloperIdentity", new JsonObject
        {
            ["IdentityPoolId"] = Pool, ["IdentityId"] = identity, ["Logins"] = new JsonObject { [DeveloperProvider] = user },
        });
        return (answer.GetProperty("IdentityId").GetString()!, new JsonObject
        {
            ["cognito-identity.amazonaws.com"] = answer.GetProperty("Token").GetString(),
        });
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Hub.DisposeAsync();
    }

    private async Task<JsonElement> DoAsync(string operation, JsonObject body, Signer? signer)
    {
        Answer answer = await Client.IdentityAsync(operation, body, signer);
        Assert.True(answer.Status == HttpStatusCode.OK, $"{operation}: {answer.Status} {answer.Text}");
        return answer.Text.Length == 0 ? default : answer.Json;
    }
}
