using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using SyncEngine.Hub.Tests.Logins;
using SyncEngine.Hubs;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito;

/// <summary>Tokens of Facebook and Amazon by the Cognito-wire-compatible API.</summary>
public sealed class BigProviderTests
{
    private const string HubPool = "Game-pool";

    [Theory]
    [InlineData("graph.facebook.com", "facebook", BigProviders.App, BigProviders.FacebookToken)]
    [InlineData("www.amazon.com", "amazon", BigProviders.AmazonClient, BigProviders.AmazonToken)]
    public async Task A_token_proves_the_same_person_as_often_as_it_is_shown_and_to_native_devices_too(
        string login, string kind, string app, string token)
    {
        await using LoopbackServer server = await BigProviders.StartAsync();
        await using CognitoApp cognito = await CognitoApp.WithPoolAsync(definition: body =>
            body["SupportedLoginProviders"] = new JsonObject { [login] = app });
        await PointAtAsync(cognito.Hub, server, kind);

        string ada = await IdOfAsync("ada");
        Assert.Equal(ada, await IdOfAsync("ada"));
        Assert.NotEqual(ada, await IdOfAsync("bob"));
        await cognito.CredentialsAsync(ada, LoginsOf("ada"));
        Assert.StartsWith("NotAuthorizedException", await cognito.FailAsync(
            "GetCredentialsForIdentity", new JsonObject { ["IdentityId"] = ada, ["Logins"] = LoginsOf("bob") }));
        Assert.StartsWith("NotAuthorizedException", await cognito.FailAsync("GetId", new JsonObject
        {
            ["IdentityPoolId"] = cognito.Pool, ["Logins"] = LoginsOf(BigProviders.OfOtherApp),
        }));

        await using SyncStore phone = SyncStore.OpenInMemory();
        await using HubClient client = HubClient.Connect(
            phone, new HubClientOptions(new Uri(cognito.Hub.Address, "/sync"), HubPool));
        await client.SignInAsync(kind, token + "ada");
        Assert.Equal(ada[^36..].Replace("-", "", StringComparison.Ordinal), phone.Identity.Id.ToString());

        JsonObject LoginsOf(string person) => new() { [login] = token + person };

        async Task<string> IdOfAsync(string person)
        {
            JsonElement answer = await cognito.AskAsync("GetId", new JsonObject
            {
                ["IdentityPoolId"] = cognito.Pool, ["Logins"] = LoginsOf(person),
            });
            return answer.GetProperty("IdentityId").GetString()!;
        }
    }

    /// <summary>Adds what the API has no member for, as an operator does.</summary>
    private static async Task PointAtAsync(HubApp hub, LoopbackServer server, string kind)
    {
        JsonObject pool = JsonNode.Parse(await hub.Admin.GetStringAsync("/admin/pools/" + HubPool))!.AsObject();
        JsonNode provider = Assert.Single(pool["providers"]!.AsArray(), one => (string?)one!["kind"] == kind)!;
        provider["baseAddress"] = server.Address;
        if (kind == "facebook") provider["appSecret"] = BigProviders.Secret;
        pool.Remove("revision");
        pool.Remove("createdAt");
        using var request = new HttpRequestMessage(HttpMethod.Put, "/admin/pools/" + HubPool)
        {
            Content = JsonContent.Create(pool),
        };
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        using HttpResponseMessage answer = await hub.Admin.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
