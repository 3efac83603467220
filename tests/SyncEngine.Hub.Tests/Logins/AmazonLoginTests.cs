using System.Text.Json.Nodes;
using SyncEngine.Hub.Logins;
using Xunit;

namespace SyncEngine.Hub.Tests.Logins;

/// <summary>Login with Amazon, at a server that answers as its documents say.</summary>
public sealed class AmazonLoginTests : IAsyncLifetime, IDisposable
{
    private const string Client = "amzn1.application-oa2-client.ASFWDFBRN";
    private const string Token = "Atza|IQEBLjAsAhRmHjNgHpi0U-Dme37rR6CuUpSR";
    private const string Person = "amzn1.account.K2LI23KL2LK2";
    private const string AboutPath = "/auth/o2/tokeninfo";
    private const string PersonPath = "/user/profile";
    private const string InvalidToken = """{"error":"invalid_token","error_description":"The token is not valid."}""";

    private readonly LoginBench _bench = new(TimeSpan.FromSeconds(10));
    private readonly JsonObject _about = new()
    {
        ["iss"] = "https://www.amazon.com",
        ["user_id"] = Person,
        ["aud"] = Client,
        ["app_id"] = "amzn1.application.436457DFHDH",
        ["exp"] = 3597,
        ["iat"] = 1311280970,
    };

    private LoopbackServer _server = null!; // Set before each test.
    private string _subject = Person;

    public async Task InitializeAsync()
    {
        _server = await LoopbackServer.StartAsync();
        _server.On(AboutPath, request =>
            request.Query["access_token"] == Token ? (200, _about.ToJsonString()) : (400, InvalidToken));
        _server.On(PersonPath, request => request.Headers.Authorization == "Bearer " + Token
            ? (200, new JsonObject
            {
                ["user_id"] = _subject,
                ["email"] = "ada@example.com",
                ["name"] = "Ada",
                ["postal_code"] = "98052",
            }.ToJsonString())
            : (401, InvalidToken));
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task A_right_token_tells_whose_it_is()
    {
        _bench.Clock.Freeze();
        VerifiedLogin login = await LoginBench.AcceptedAsync(Open(), Token);
        Assert.Equal(("amazon", Person), (login.Provider, login.Subject));
        Assert.Equal("98052", Assert.Single(login.Claims).Value);
        Assert.Equal(_bench.Clock.GetUtcNow().AddSeconds(3597), login.Expires);
    }

    [Theory]
    [InlineData("aud", "\"amzn1.application-oa2-client.OTHER\"", "Audience")]
    [InlineData("aud", "null", "Audience")]
    [InlineData("exp", "0", "Expired")]
    [InlineData("exp", "-5", "Expired")]
    [InlineData("exp", "\"soon\"", "NoLifetime")]
    [InlineData("exp", "1798761600", "LifetimeTooLong")]
    [InlineData("user_id", "\"amzn1.account.OTHER\"", "Subject")]
    public async Task What_Amazon_tells_of_a_token_is_checked(string member, string value, string reason)
    {
        _about[member] = JsonNode.Parse(value);
        await LoginBench.RefusedAsync(Open(), Token, Enum.Parse<LoginReason>(reason));
    }

    [Fact]
    public async Task A_token_of_another_app_does_not_reach_the_profile()
    {
        _about["aud"] = "amzn1.application-oa2-client.OTHER";
        await LoginBench.RefusedAsync(Open(), Token, LoginReason.Audience);
        Assert.Equal(0, _server.Calls(PersonPath));
    }

    [Fact]
    public async Task An_empty_person_is_refused()
    {
        _about.Remove("user_id");
        _subject = "";
        await LoginBench.RefusedAsync(Open(), Token, LoginReason.Subject);
    }

    [Fact]
    public async Task An_unknown_token_is_refused() =>
        await LoginBench.RefusedAsync(Open(), Token + "0", LoginReason.ProviderSaysNo);

    [Theory]
    [InlineData(400, InvalidToken)]
    [InlineData(401, """{"error":"insufficient_scope","error_description":"No access to the required scope."}""")]
    [InlineData(400, """{"error":{"code":"invalidToken","message":"Token is invalid."}}""")]
    public async Task A_token_that_does_not_open_the_profile_is_refused(int status, string body)
    {
        _server.On(PersonPath, status, body);
        await LoginBench.RefusedAsync(Open(), Token, LoginReason.ProviderSaysNo);
    }

    [Theory]
    [InlineData("Atza|a b")]
    [InlineData("Atza|a\r\nHost: evil")]
    [InlineData("Atza|ä")]
    public async Task What_cannot_be_a_token_is_sent_nowhere(string token)
    {
        await LoginBench.RefusedAsync(Open(), token, LoginReason.Malformed);
        Assert.Equal(0, _server.Calls(AboutPath));
    }

    [Theory]
    [InlineData(AboutPath, 500, """{"error":"ServerError"}""", "Unreachable")]
    [InlineData(AboutPath, 429, "{}", "Unreachable")]
    [InlineData(AboutPath, 404, "{}", "ProviderUnusable")]
    [InlineData(AboutPath, 200, "null", "ProviderUnusable")]
    [InlineData(AboutPath, 200, "{\"aud\":", "ProviderUnusable")]
    [InlineData(PersonPath, 503, "{}", "Unreachable")]
    [InlineData(PersonPath, 400, "{\"error\":7}", "ProviderUnusable")]
    [InlineData(PersonPath, 302, "{}", "ProviderUnusable")]
    public async Task Trouble_at_Amazon_says_nothing_about_the_token(string path, int status, string body, string reason)
    {
        _server.On(path, status, body);
        await LoginBench.UnavailableAsync(Open(), Token, Enum.Parse<LoginReason>(reason));
    }

    [Fact]
    public async Task A_huge_answer_is_not_read()
    {
        _server.On(AboutPath, 200, $$"""{"filling":"{{new string('x', ProviderHttp.AnswerBytesMax)}}"}""");
        await LoginBench.UnavailableAsync(Open(), Token, LoginReason.ProviderUnusable);
    }

    [Theory]
    [InlineData(AboutPath)]
    [InlineData(PersonPath)]
    public async Task A_server_that_never_answers_is_unreachable(string path)
    {
        using var hasty = new LoginBench(TimeSpan.FromSeconds(2));
        _server.Hang(path);
        await LoginBench.UnavailableAsync(Open(hasty), Token, LoginReason.Unreachable);
    }

    private ILoginProvider Open(LoginBench? bench = null) => (bench ?? _bench).Providers.Open(LoginBench.Pool, new()
    {
        Name = "amazon",
        Kind = ProviderKind.Amazon,
        BaseAddress = _server.Address,
        ClientIds = [Client],
        Claims = ["postal_code"],
    });
}
