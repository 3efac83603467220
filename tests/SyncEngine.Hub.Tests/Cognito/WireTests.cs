using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito;

/// <summary>What comes wrongly is answered in the service's own shapes, and changes nothing.</summary>
public sealed class WireTests : IAsyncLifetime
{
    private CognitoApp _app = null!;

    public async Task InitializeAsync() => _app = await CognitoApp.WithPoolAsync();

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"MaxResults":1,"MaxResults":1}""")]
    [InlineData("""{"MaxResults":"1"}""")]
    [InlineData("""{"MaxResults":1,"X":"\ud800"}""")]
    [InlineData("""{"MaxResults":1.5}""")]
    public async Task Malformed_JSON_is_refused(string body)
    {
        Answer answer = await _app.Client.IdentityAsync("ListIdentityPools", body, Signer.Developer);
        Assert.Equal((HttpStatusCode.BadRequest, "SerializationException"), (answer.Status, answer.Error));
        Assert.Equal("application/x-amz-json-1.1", answer.ContentType);
        Assert.True(Guid.TryParse(answer.Headers.GetValues("x-amzn-RequestId").Single(), out _));
    }

    [Fact]
    public async Task JSON_that_nests_too_deeply_is_refused()
    {
        string body = $$"""{"X":{{new string('[', 40)}}{{new string(']', 40)}}}""";
        Assert.Equal("SerializationException", (await _app.Client.IdentityAsync("GetId", body)).Error);
    }

    [Fact]
    public async Task An_oversize_body_is_refused_and_changes_nothing()
    {
        string body = new JsonObject
        {
            ["IdentityPoolName"] = "another", ["AllowUnauthenticatedIdentities"] = true, ["X"] = new string('x', 1024 * 1024),
        }.ToJsonString();
        Answer answer = await _app.Client.IdentityAsync("CreateIdentityPool", body, Signer.Developer);
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "RequestEntityTooLargeException"), (answer.Status, answer.Error));
        JsonNode pools = JsonNode.Parse((await _app.Client.IdentityAsync(
            "ListIdentityPools", new JsonObject { ["MaxResults"] = 60 }, Signer.Developer)).Text)!;
        Assert.Single(pools["IdentityPools"]!.AsArray());
    }

    [Theory]
    [InlineData("Nothing")]
    [InlineData("")]
    public async Task An_unknown_operation_is_refused(string operation)
    {
        Answer answer = await _app.Client.IdentityAsync(operation, "{}", Signer.Developer);
        Assert.Equal((HttpStatusCode.BadRequest, "UnknownOperationException"), (answer.Status, answer.Error));
    }

    [Theory]
    [InlineData("GET", "/nowhere")]
    [InlineData("GET", "/")]
    [InlineData("PUT", "/identitypools")]
    [InlineData("GET", "/identitypools/a/identities/b/datasets/c/records/d")]
    [InlineData("GET", "/identitypools/a/b")]
    public async Task An_unknown_path_is_refused(string method, string path)
    {
        Answer answer = await _app.Client.SyncAsync(method, path, "", null, Signer.Developer);
        Assert.Equal((HttpStatusCode.NotFound, "UnknownOperationException"), (answer.Status, answer.Error));
    }

    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("%2e%2e")]
    [InlineData("%2E")]
    [InlineData("a%2Fb")]
    public async Task Dot_segments_and_wrong_encodings_are_refused(string dataset)
    {
        string path = $"/identitypools/us-east-1%3A00000000-0000-0000-0000-000000000000/identities/x/datasets/{dataset}";
        Answer answer = await _app.Client.SyncAsync("DELETE", path, "", null, Signer.Developer);
        Assert.Equal((HttpStatusCode.BadRequest, "InvalidParameterException"), (answer.Status, answer.Error));
    }

    [Fact]
    public async Task A_repeated_query_parameter_is_refused()
    {
        Answer answer = await _app.Client.SyncAsync("GET", "/identitypools", "maxResults=1&maxResults=2", null, Signer.Developer);
        Assert.Equal((HttpStatusCode.BadRequest, "InvalidParameterException"), (answer.Status, answer.Error));
    }

    [Fact]
    public async Task A_browser_is_told_that_it_may()
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, new Uri(_app.Hub.Address, "/identitypools/a"));
        request.Headers.Add("Origin", "https://game.example");
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "authorization,x-amz-date");
        Answer answer = await _app.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Equal("authorization,x-amz-date", answer.Headers.GetValues("Access-Control-Allow-Headers").Single());
        Assert.Contains("DELETE", answer.Headers.GetValues("Access-Control-Allow-Methods").Single(), StringComparison.Ordinal);
        using var call = new HttpRequestMessage(HttpMethod.Post, _app.Hub.Address)
        {
            Content = new StringContent("{}", Encoding.UTF8, "application/x-amz-json-1.1"),
        };
        call.Headers.Add("Origin", "https://game.example");
        call.Headers.Add("X-Amz-Target", "AWSCognitoIdentityService.GetId");
        Answer called = await _app.Client.SendAsync(call);
        Assert.Equal("*", called.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Contains("x-amzn-errortype", called.Headers.GetValues("Access-Control-Expose-Headers").Single(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_many_requests_are_told_so()
    {
        await using CognitoApp app = await CognitoApp.StartAsync(
            new HubClock(), hub => hub.RatePerAddress = new RequestRate { Burst = 1, PerSecond = 0.001 });
        await app.Client.IdentityAsync("GetId", "{}");
        Answer answer = await app.Client.IdentityAsync("GetId", "{}");
        Assert.Equal((HttpStatusCode.TooManyRequests, "TooManyRequestsException"), (answer.Status, answer.Error));
    }

    [Fact]
    public async Task A_flood_of_one_pool_or_of_made_up_ones_does_not_slow_another()
    {
        const int burst = 20;
        await using CognitoApp app = await CognitoApp.StartAsync(
            new HubClock(), hub => hub.RatePerPool = new RequestRate { Burst = burst, PerSecond = 0.001 });
        var pools = new List<string>();
        foreach (string name in (string[])["flooded", "calm"])
        {
            pools.Add((await app.DoAsync("CreateIdentityPool", new JsonObject
            {
                ["IdentityPoolName"] = name, ["AllowUnauthenticatedIdentities"] = true,
            })).GetProperty("IdentityPoolId").GetString()!);
        }

        string identity = (await app.AskAsync("GetId", Pool(pools[0]))).GetProperty("IdentityId").GetString()!;
        for (int i = 1; i < burst; i++)
        {
            // Those that name the identity alone are its pool's too.
            await app.DoAsync("DescribeIdentity", new JsonObject { ["IdentityId"] = identity });
            await ErrorAsync("GetId", Pool($"us-east-1:{Guid.NewGuid()}"));
        }

        Assert.Equal("TooManyRequestsException", await ErrorAsync("GetId", Pool(pools[0])));
        Assert.Equal("TooManyRequestsException", await ErrorAsync("GetCredentialsForIdentity",
            new JsonObject { ["IdentityId"] = identity }));
        for (int i = 0; i < 3; i++) await ErrorAsync("GetId", Pool($"us-east-1:{Guid.NewGuid()}"));
        Assert.Equal("TooManyRequestsException", await ErrorAsync("GetId", Pool($"us-east-1:{Guid.NewGuid()}")));
        await app.AskAsync("GetId", Pool(pools[1]));

        async Task<string?> ErrorAsync(string operation, JsonObject body) =>
            (await app.Client.IdentityAsync(operation, body.ToJsonString())).Error;

        static JsonObject Pool(string id) => new() { ["IdentityPoolId"] = id };
    }
}
