using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using SyncEngine.Hub.Logins;
using Xunit;

namespace SyncEngine.Hub.Tests.Logins;

/// <summary>Each ID token that must be accepted, and each that must be refused, at an issuer on loopback.</summary>
public sealed class IdTokenTests : IAsyncLifetime
{
    private LoopbackIssuer _issuer = null!; // Set before each test.

    public async Task InitializeAsync() => _issuer = await LoopbackIssuer.StartAsync();

    public async Task DisposeAsync() => await _issuer.DisposeAsync();

    [Fact]
    public async Task A_right_token_tells_who_it_is_about()
    {
        JsonObject claims = _issuer.Claims();
        VerifiedLogin login = await LoginBench.AcceptedAsync(_issuer.Open(), _issuer.Key.Sign(claims));
        Assert.Equal(("oidc", "person-1"), (login.Provider, login.Subject));
        Assert.Equal((string?)claims["nonce"], login.Nonce);
        Assert.Equal((long)claims["exp"]!, login.Expires.ToUnixTimeSeconds());
        Assert.Equal(["email: person@example.com", "email_verified: true", "level: 7"],
            login.Claims.Select(static claim => $"{claim.Key}: {claim.Value}").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("PS256")]
    [InlineData("ES256")]
    public async Task Other_asymmetric_algorithms_are_accepted(string algorithm)
    {
        _issuer.Rotate("other", algorithm);
        await LoginBench.AcceptedAsync(_issuer.Open(), _issuer.Token());
    }

    [Theory]
    [InlineData("JWT")]
    [InlineData("jwt")]
    public async Task The_type_may_be_JWT(string type) =>
        await LoginBench.AcceptedAsync(_issuer.Open(), _issuer.Token(changeHeader: header => header["typ"] = type));

    [Theory]
    [InlineData("at+jwt")]
    [InlineData("application/at+jwt")]
    [InlineData("logout+jwt")]
    [InlineData("dev+jwt")]
    public async Task Another_type_is_refused(string type) => await LoginBench.RefusedAsync(
        _issuer.Open(), _issuer.Token(changeHeader: header => header["typ"] = type), LoginReason.Type);

    [Fact]
    public async Task A_wrong_nonce_is_refused() =>
        await RefusedAsync(LoginReason.Nonce, static claims => claims["nonce"] = "never issued");

    [Fact]
    public async Task A_missing_nonce_is_refused() =>
        await RefusedAsync(LoginReason.Nonce, static claims => claims.Remove("nonce"));

    [Fact]
    public async Task A_nonce_that_is_no_text_is_refused() =>
        await RefusedAsync(LoginReason.Nonce, static claims => claims["nonce"] = 5);

    [Fact]
    public async Task A_nonce_of_another_pool_is_refused() =>
        await RefusedAsync(LoginReason.Nonce, claims => claims["nonce"] = _issuer.Bench.Once.Issue("another"));

    [Fact]
    public async Task A_replay_is_refused()
    {
        ILoginProvider provider = _issuer.Open();
        string token = _issuer.Token();
        await LoginBench.AcceptedAsync(provider, token);
        await LoginBench.RefusedAsync(provider, token, LoginReason.Nonce);
    }

    [Fact]
    public async Task A_replay_is_refused_where_no_nonce_is_required()
    {
        ILoginProvider provider = _issuer.Open(static definition => definition with { RequiresNonce = false });
        string token = _issuer.Token(static claims => claims.Remove("nonce"));
        Assert.Null((await LoginBench.AcceptedAsync(provider, token)).Nonce);
        await LoginBench.RefusedAsync(provider, token, LoginReason.Replay);
        DateTimeOffset kept = Assert.Single(_issuer.Bench.Once.Uses).Value;
        Assert.True(kept > _issuer.Bench.Clock.GetUtcNow().AddHours(1));
    }

    [Fact]
    public async Task Of_many_at_once_with_one_nonce_one_is_accepted()
    {
        ILoginProvider provider = _issuer.Open();
        string token = _issuer.Token();
        LoginResult[] results = await Task.WhenAll(
            Enumerable.Range(0, 16).Select(_ => LoginBench.AskAsync(provider, token)));
        Assert.Single(results, static result => result.Outcome == LoginOutcome.Accepted);
        Assert.Equal(1, _issuer.Server.Calls(LoopbackIssuer.KeysPath));
    }

    [Fact]
    public async Task A_refused_token_uses_no_nonce_up()
    {
        JsonObject claims = _issuer.Claims();
        claims["aud"] = "another-app";
        await LoginBench.RefusedAsync(_issuer.Open(), _issuer.Key.Sign(claims), LoginReason.Audience);
        Assert.True(_issuer.Bench.Once.Has((string)claims["nonce"]!));
    }

    [Fact]
    public async Task Another_audience_is_refused() =>
        await RefusedAsync(LoginReason.Audience, static claims => claims["aud"] = "another-app");

    [Fact]
    public async Task No_audience_is_refused() => await RefusedAsync(LoginReason.Audience, static claims => claims.Remove("aud"));

    [Fact]
    public async Task Several_audiences_without_azp_are_refused() => await RefusedAsync(
        LoginReason.AuthorizedParty,
        static claims => claims["aud"] = new JsonArray(LoopbackIssuer.ClientId, "the-web-app"),
        Two);

    [Fact]
    public async Task Several_audiences_with_azp_are_accepted() =>
        await LoginBench.AcceptedAsync(_issuer.Open(Two), _issuer.Token(
        static claims =>
        {
            claims["aud"] = new JsonArray(LoopbackIssuer.ClientId, "the-web-app");
            claims["azp"] = "the-web-app";
        }));

    [Fact]
    public async Task A_foreign_audience_beside_ours_is_refused() => await RefusedAsync(LoginReason.Audience, static claims =>
    {
        claims["aud"] = new JsonArray(LoopbackIssuer.ClientId, "foreign");
        claims["azp"] = LoopbackIssuer.ClientId;
    });

    [Fact]
    public async Task A_foreign_azp_is_refused() =>
        await RefusedAsync(LoginReason.AuthorizedParty, static claims => claims["azp"] = "foreign");

    [Fact]
    public async Task An_azp_that_is_set_up_is_accepted() => await LoginBench.AcceptedAsync(
        _issuer.Open(), _issuer.Token(static claims => claims["azp"] = "the-android-app"));

    [Fact]
    public async Task An_authorised_party_is_no_audience() =>
        await RefusedAsync(LoginReason.Audience, static claims => claims["aud"] = "the-android-app");

    [Theory]
    [InlineData(59, true)]
    [InlineData(61, false)]
    public async Task An_expired_token_is_refused_after_the_skew(int seconds, bool accepted)
    {
        _issuer.Bench.Clock.Freeze();
        string token = _issuer.Token(static claims => claims["exp"] = (long)claims["iat"]! + 600);
        ILoginProvider provider = _issuer.Open();
        _issuer.Bench.Clock.Advance(TimeSpan.FromSeconds(600 + seconds));
        if (accepted) await LoginBench.AcceptedAsync(provider, token);
        else await LoginBench.RefusedAsync(provider, token, LoginReason.Expired);
    }

    [Fact]
    public async Task No_exp_is_refused() => await RefusedAsync(LoginReason.NoLifetime, static claims => claims.Remove("exp"));

    [Fact]
    public async Task No_iat_is_refused() => await RefusedAsync(LoginReason.NoLifetime, static claims => claims.Remove("iat"));

    [Theory]
    [InlineData("\"soon\"")]
    [InlineData("1e300")]
    [InlineData("-1")]
    [InlineData("null")]
    public async Task An_exp_that_is_no_time_is_refused(string exp)
    {
        LoginResult result = await LoginBench.AskAsync(
            _issuer.Open(), _issuer.Token(claims => claims["exp"] = JsonNode.Parse(exp)));
        Assert.Equal(LoginOutcome.Refused, result.Outcome);
        Assert.True(result.Reason is LoginReason.NoLifetime or LoginReason.Malformed, result.Reason.ToString());
    }

    [Fact]
    public async Task A_future_iat_is_refused() =>
        await RefusedAsync(LoginReason.NotYetValid, static claims => claims["iat"] = (long)claims["iat"]! + 120);

    [Fact]
    public async Task A_future_nbf_is_refused() =>
        await RefusedAsync(LoginReason.NotYetValid, static claims => claims["nbf"] = (long)claims["iat"]! + 120);

    [Fact]
    public async Task A_life_of_ten_years_is_refused() => await RefusedAsync(
        LoginReason.LifetimeTooLong, static claims => claims["exp"] = (long)claims["iat"]! + (10L * 365 * 86400));

    [Fact]
    public async Task A_life_of_a_day_is_the_longest()
    {
        await LoginBench.AcceptedAsync(
            _issuer.Open(), _issuer.Token(static claims => claims["exp"] = (long)claims["iat"]! + 86400));
        await RefusedAsync(LoginReason.LifetimeTooLong, static claims => claims["exp"] = (long)claims["iat"]! + 86401);
    }

    [Fact]
    public async Task A_wrong_issuer_is_refused() =>
        await RefusedAsync(LoginReason.Issuer, static claims => claims["iss"] = "https://evil.example.com");

    [Fact]
    public async Task A_missing_issuer_is_refused() =>
        await RefusedAsync(LoginReason.Issuer, static claims => claims.Remove("iss"));

    [Fact]
    public async Task The_algorithm_none_is_refused()
    {
        string claims = _issuer.Claims().ToJsonString();
        string none = TestKey.Encode("""{"alg":"none"}""") + "." + TestKey.Encode(claims) + ".";
        await LoginBench.RefusedAsync(_issuer.Open(), none, LoginReason.Algorithm);
        string signed = _issuer.Key.Sign(claims, static header => header["alg"] = "none");
        await LoginBench.RefusedAsync(_issuer.Open(), signed, LoginReason.Algorithm);
    }

    [Fact]
    public async Task HS256_with_the_public_key_is_refused()
    {
        string[] secrets = [_issuer.Key.PublicPem(), _issuer.Key.Public().ToJsonString(), (string)_issuer.Key.Public()["n"]!];
        foreach (string secret in secrets)
        {
            string token = TestKey.SignHs256(_issuer.Claims(), "first", Encoding.UTF8.GetBytes(secret));
            await LoginBench.RefusedAsync(_issuer.Open(), token, LoginReason.Algorithm);
        }
    }

    [Fact]
    public async Task HS256_with_a_published_secret_is_refused()
    {
        byte[] secret = Encoding.UTF8.GetBytes("a secret that somebody published by mistake");
        var published = new JsonObject { ["kty"] = "oct", ["kid"] = "shared", ["k"] = Base64Url.EncodeToString(secret) };
        _issuer.Publish(_issuer.Key.Public(), published);
        string token = TestKey.SignHs256(_issuer.Claims(), "shared", secret);
        await LoginBench.RefusedAsync(_issuer.Open(), token, LoginReason.Algorithm);
    }

    [Fact]
    public async Task An_algorithm_that_discovery_does_not_name_is_refused()
    {
        _issuer.Rotate("curve", "ES256");
        _issuer.Discovery["id_token_signing_alg_values_supported"] = new JsonArray("RS256");
        await LoginBench.RefusedAsync(_issuer.Open(), _issuer.Token(), LoginReason.Algorithm);
    }

    [Fact]
    public async Task A_wrong_key_is_refused()
    {
        using var wrong = new TestKey("RS256", "first");
        await LoginBench.RefusedAsync(_issuer.Open(), wrong.Sign(_issuer.Claims()), LoginReason.Signature);
    }

    [Fact]
    public async Task A_small_key_is_no_key()
    {
        using var small = new TestKey("RS256", "small", 1024);
        _issuer.Publish(_issuer.Key.Public(), small.Public());
        await LoginBench.RefusedAsync(_issuer.Open(), small.Sign(_issuer.Claims()), LoginReason.Signature);
    }

    [Fact]
    public async Task Changed_claims_are_refused()
    {
        string[] parts = _issuer.Token().Split('.');
        parts[1] = TestKey.Encode(_issuer.Claims().ToJsonString());
        await LoginBench.RefusedAsync(_issuer.Open(), string.Join('.', parts), LoginReason.Signature);
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("a\u0000b")]
    [InlineData(null)]
    public async Task An_empty_subject_is_refused(string? subject) =>
        await RefusedAsync(LoginReason.Subject, claims => claims["sub"] = subject);

    [Fact]
    public async Task A_missing_subject_is_refused() =>
        await RefusedAsync(LoginReason.Subject, static claims => claims.Remove("sub"));

    [Fact]
    public async Task A_long_subject_is_refused()
    {
        string longest = new('s', 255);
        VerifiedLogin login = await LoginBench.AcceptedAsync(
            _issuer.Open(), _issuer.Token(claims => claims["sub"] = longest));
        Assert.Equal(longest, login.Subject);
        await RefusedAsync(LoginReason.Subject, claims => claims["sub"] = longest + "s");
    }

    [Fact]
    public async Task An_oversize_token_is_refused_before_anybody_is_asked()
    {
        string token = _issuer.Token(static claims => claims["filling"] = new string('x', 16 * 1024));
        await LoginBench.RefusedAsync(_issuer.Open(), token, LoginReason.Size);
        await LoginBench.RefusedAsync(_issuer.Open(), "", LoginReason.Size);
        Assert.Equal(0, _issuer.Server.Calls(LoopbackIssuer.DiscoveryPath));
    }

    [Theory]
    [InlineData("x")]
    [InlineData("..")]
    [InlineData("a.b.c")]
    [InlineData("e30.e30.e30")]
    [InlineData("a.b.c.d.e")]
    [InlineData("bnVsbA.bnVsbA.bnVsbA")]
    [InlineData("\u0000.\u0000.\u0000")]
    public async Task What_is_no_token_is_refused(string text)
    {
        LoginResult result = await LoginBench.AskAsync(_issuer.Open(), text);
        Assert.Equal(LoginOutcome.Refused, result.Outcome);
        Assert.True(result.Reason is LoginReason.Malformed or LoginReason.Algorithm, result.Reason.ToString());
    }

    [Fact]
    public async Task Claims_given_twice_are_refused()
    {
        string claims = _issuer.Claims().ToJsonString();
        string token = _issuer.Key.Sign(claims[..^1] + ""","sub":"somebody-else"}""");
        await LoginBench.RefusedAsync(_issuer.Open(), token, LoginReason.Malformed);
    }

    [Fact]
    public async Task An_access_token_must_be_the_one_that_came_along()
    {
        byte[] half = SHA256.HashData("access-1"u8)[..16];
        Action<JsonObject> change = claims => claims["at_hash"] = Base64Url.EncodeToString(half);
        await LoginBench.AcceptedAsync(_issuer.Open(), _issuer.Token(change), "access-1");
        await LoginBench.AcceptedAsync(_issuer.Open(), _issuer.Token(change));
        await LoginBench.RefusedAsync(_issuer.Open(), _issuer.Token(change), LoginReason.AccessTokenHash, "access-2");
    }

    private static ProviderDefinition Two(ProviderDefinition definition) =>
        definition with { ClientIds = [LoopbackIssuer.ClientId, "the-web-app"] };

    private Task RefusedAsync(
        LoginReason reason, Action<JsonObject> change, Func<ProviderDefinition, ProviderDefinition>? definition = null) =>
        LoginBench.RefusedAsync(_issuer.Open(definition), _issuer.Token(change), reason);
}
