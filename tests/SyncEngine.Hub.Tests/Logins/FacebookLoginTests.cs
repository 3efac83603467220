using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using SyncEngine.Hub.Logins;
using Xunit;

namespace SyncEngine.Hub.Tests.Logins;

/// <summary>Facebook's tokens, at a server that answers as its Graph API's documents say.</summary>
public sealed class FacebookLoginTests : IAsyncLifetime
{
    private const string App = "138483919580948";
    private const string Secret = "app-secret";
    private const string Token = "EAACxyz0123456789";
    private const string Person = "10215241773831025";
    private const string AboutPath = "/v23.0/debug_token";
    private const string PersonPath = "/v23.0/me";

    private LoopbackIssuer _issuer = null!; // Set before each test.
    private JsonObject _about = [];
    private JsonObject _person = [];

    public async Task InitializeAsync()
    {
        _issuer = await LoopbackIssuer.StartAsync(TimeSpan.FromSeconds(10));
        long now = _issuer.Bench.Clock.GetUtcNow().ToUnixTimeSeconds();
        _about = new JsonObject
        {
            ["app_id"] = App,
            ["type"] = "USER",
            ["application"] = "The App",
            ["data_access_expires_at"] = now + 7_776_000,
            ["expires_at"] = now + 5_184_000,
            ["is_valid"] = true,
            ["scopes"] = new JsonArray("public_profile", "email"),
            ["user_id"] = Person,
        };
        _person = new JsonObject { ["id"] = Person, ["name"] = "Ada", ["email"] = "ada@example.com" };
        _issuer.Server.On(AboutPath, request =>
        {
            if (request.Query["access_token"] != $"{App}|{Secret}")
                return (400, Error(190, "Invalid OAuth access token signature."));
            return request.Query["input_token"] == Token
                ? (200, new JsonObject { ["data"] = _about.DeepClone() }.ToJsonString())
                : (200, """
                    {"data":{"error":{"code":190,"message":"Invalid OAuth access token."},"is_valid":false,"scopes":[]}}
                    """);
        });
        _issuer.Server.On(PersonPath, request =>
        {
            string proof = Convert.ToHexStringLower(
                HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(Token)));
            if (request.Query["appsecret_proof"] != proof) return (400, Error(100, "Invalid appsecret_proof"));
            var answer = new JsonObject();
            foreach (string field in request.Query["fields"].ToString().Split(','))
                if (_person[field] is { } value) answer[field] = value.DeepClone();
            return (200, answer.ToJsonString());
        });
    }

    public async Task DisposeAsync() => await _issuer.DisposeAsync();

    [Fact]
    public async Task A_classic_token_tells_whose_it_is()
    {
        VerifiedLogin login = await LoginBench.AcceptedAsync(Open(), Token);
        Assert.Equal(("facebook", Person), (login.Provider, login.Subject));
        Assert.Equal("Ada", Assert.Single(login.Claims).Value);
        Assert.Equal((long)_about["expires_at"]!, login.Expires.ToUnixTimeSeconds());
    }

    [Fact]
    public async Task Ids_may_be_numbers()
    {
        (_about["app_id"], _about["user_id"]) = (138483919580948, 10215241773831025);
        Assert.Equal(Person, (await LoginBench.AcceptedAsync(Open(), Token)).Subject);
    }

    [Fact]
    public async Task A_token_without_end_ends_with_the_access_to_data()
    {
        _about["expires_at"] = 0;
        VerifiedLogin login = await LoginBench.AcceptedAsync(Open(), Token);
        Assert.Equal((long)_about["data_access_expires_at"]!, login.Expires.ToUnixTimeSeconds());
        _about.Remove("data_access_expires_at");
        await LoginBench.RefusedAsync(Open(), Token, LoginReason.NoLifetime);
    }

    [Theory]
    [InlineData("is_valid", "false", "ProviderSaysNo")]
    [InlineData("is_valid", "\"true\"", "ProviderSaysNo")]
    [InlineData("app_id", "\"999\"", "Audience")]
    [InlineData("app_id", "null", "Audience")]
    [InlineData("type", "\"PAGE\"", "Type")]
    [InlineData("type", "\"APP\"", "Type")]
    [InlineData("expires_at", "1570820400", "Expired")]
    [InlineData("user_id", "\"another\"", "Subject")]
    [InlineData("user_id", "null", "Subject")]
    public async Task What_Facebook_tells_of_a_token_is_checked(string member, string value, string reason)
    {
        _about[member] = JsonNode.Parse(value);
        await LoginBench.RefusedAsync(Open(), Token, Enum.Parse<LoginReason>(reason));
    }

    [Fact]
    public async Task An_unknown_token_is_refused() =>
        await LoginBench.RefusedAsync(Open(), Token + "0", LoginReason.ProviderSaysNo);

    [Fact]
    public async Task A_token_that_ends_meanwhile_is_refused()
    {
        _issuer.Server.On(PersonPath, 400, Error(190, "Error validating access token: Session has expired"));
        await LoginBench.RefusedAsync(Open(), Token, LoginReason.ProviderSaysNo);
    }

    [Fact]
    public async Task A_wrong_app_secret_says_nothing_about_the_token()
    {
        ILoginProvider provider = Open(static definition => definition with { AppSecret = "wrong" });
        LoginResult result = await LoginBench.UnavailableAsync(provider, Token, LoginReason.ProviderUnusable);
        Assert.Contains("check appId and appSecret", result.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, result.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("EAAC xyz")]
    [InlineData("EAAC&access_token=other")]
    [InlineData("EAAC\nxyz")]
    public async Task What_cannot_be_a_token_is_sent_nowhere(string token)
    {
        await LoginBench.RefusedAsync(Open(), token, LoginReason.Malformed);
        await LoginBench.RefusedAsync(Open(), new string('E', 4097), LoginReason.Malformed);
        await LoginBench.RefusedAsync(Open(), new string('E', 16_385), LoginReason.Size);
        Assert.Equal(0, _issuer.Server.Calls(AboutPath));
    }

    [Fact]
    public async Task Without_a_secret_only_limited_login_is_taken()
    {
        ILoginProvider provider = Open(static definition => definition with { AppSecret = null });
        await LoginBench.RefusedAsync(provider, Token, LoginReason.NotSetUp);
        Assert.Equal(0, _issuer.Server.Calls(AboutPath));
        VerifiedLogin login = await LoginBench.AcceptedAsync(provider, _issuer.Token(static claims => claims["aud"] = App));
        Assert.Equal("person-1", login.Subject);
        await LoginBench.RefusedAsync(provider, _issuer.Token(), LoginReason.Audience);
        await LoginBench.RefusedAsync(
            provider, _issuer.Token(static claims => (claims["aud"], claims["nonce"]) = (App, "foreign")), LoginReason.Nonce);
    }

    [Theory]
    [InlineData(AboutPath, 500, "{}", "Unreachable")]
    [InlineData(AboutPath, 429, "{}", "Unreachable")]
    [InlineData(AboutPath, 200, "<html>", "ProviderUnusable")]
    [InlineData(AboutPath, 200, "[]", "ProviderUnusable")]
    [InlineData(AboutPath, 200, "{}", "ProviderUnusable")]
    [InlineData(AboutPath, 200, """{"data":[]}""", "ProviderUnusable")]
    [InlineData(PersonPath, 503, "{}", "Unreachable")]
    [InlineData(PersonPath, 200, "", "ProviderUnusable")]
    [InlineData(PersonPath, 400, """{"error":{"code":4,"message":"Application request limit reached"}}""", "ProviderUnusable")]
    [InlineData(PersonPath, 400, """{"error":"190"}""", "ProviderUnusable")]
    public async Task Trouble_at_Facebook_says_nothing_about_the_token(string path, int status, string body, string reason)
    {
        _issuer.Server.On(path, status, body);
        await LoginBench.UnavailableAsync(Open(), Token, Enum.Parse<LoginReason>(reason));
    }

    [Theory]
    [InlineData(AboutPath)]
    [InlineData(PersonPath)]
    public async Task A_huge_answer_is_not_read(string path)
    {
        _issuer.Server.On(path, 200, $$"""{"filling":"{{new string('x', ProviderHttp.AnswerBytesMax)}}"}""");
        await LoginBench.UnavailableAsync(Open(), Token, LoginReason.ProviderUnusable);
    }

    private static string Error(int code, string message) => new JsonObject
    {
        ["error"] = new JsonObject
        {
            ["message"] = message,
            ["type"] = "OAuthException",
            ["code"] = code,
            ["fbtrace_id"] = "H2il2t5bn4e",
        },
    }.ToJsonString();

    private ILoginProvider Open(Func<ProviderDefinition, ProviderDefinition>? change = null)
    {
        var definition = new ProviderDefinition
        {
            Name = "facebook",
            Kind = ProviderKind.Facebook,
            Issuer = _issuer.Name,
            BaseAddress = _issuer.Name + "/v23.0",
            AppId = App,
            AppSecret = Secret,
            Claims = ["name", "phone", "not a field,&"],
        };
        return _issuer.Bench.Providers.Open(LoginBench.Pool, change is null ? definition : change(definition));
    }
}
