using System.Text.Json.Nodes;
using SyncEngine.Hub.Logins;
using Xunit;

namespace SyncEngine.Hub.Tests.Logins;

/// <summary>Assertions of an app's own backend.</summary>
public sealed class DeveloperLoginTests : IDisposable
{
    private readonly LoginBench _bench = new();
    private readonly TestKey _key = new("ES256", "k1");
    private readonly TestKey _second = new("ES256", "k2");

    public void Dispose()
    {
        _bench.Dispose();
        _key.Dispose();
        _second.Dispose();
    }

    [Fact]
    public async Task A_right_assertion_tells_who_it_is_about()
    {
        VerifiedLogin login = await LoginBench.AcceptedAsync(Open(), Assertion());
        Assert.Equal(("backend", "user-7"), (login.Provider, login.Subject));
        Assert.Equal("gold", login.Claims["tier"]);
        Assert.Null(login.Nonce);
    }

    [Fact]
    public async Task Each_registered_key_serves()
    {
        ILoginProvider provider = Open(_key, _second);
        await LoginBench.AcceptedAsync(provider, Assertion());
        await LoginBench.AcceptedAsync(provider, Assertion(key: _second));
    }

    [Fact]
    public async Task One_key_needs_no_kid_and_several_do()
    {
        Action<JsonObject> noKid = static header => header.Remove("kid");
        await LoginBench.AcceptedAsync(Open(), Assertion(changeHeader: noKid));
        await LoginBench.RefusedAsync(Open(_key, _second), Assertion(changeHeader: noKid), LoginReason.Signature);
    }

    [Fact]
    public async Task A_key_that_is_not_registered_is_refused() =>
        await LoginBench.RefusedAsync(Open(), Assertion(key: _second), LoginReason.Signature);

    [Fact]
    public async Task A_configured_issuer_replaces_the_name()
    {
        ILoginProvider provider = _bench.Providers.Open(
            LoginBench.Pool, Definition(_key) with { Issuer = "https://api.example.com" });
        await LoginBench.AcceptedAsync(provider, Assertion(static claims => claims["iss"] = "https://api.example.com"));
        await LoginBench.RefusedAsync(provider, Assertion(), LoginReason.Issuer);
    }

    [Theory]
    [InlineData("at+jwt")]
    [InlineData("JWT")]
    [InlineData(null)]
    public async Task Another_type_or_none_is_refused(string? type) => await LoginBench.RefusedAsync(
        Open(), Assertion(changeHeader: header => header["typ"] = type), LoginReason.Type);

    [Fact]
    public async Task Another_algorithm_is_refused()
    {
        using var rsa = new TestKey("RS256", "k1");
        await LoginBench.RefusedAsync(Open(), Assertion(key: rsa), LoginReason.Algorithm);
        await LoginBench.RefusedAsync(Open(), Assertion(changeHeader: static header => header["alg"] = "none"),
            LoginReason.Algorithm);
    }

    [Theory]
    [InlineData("https://hub.example.com/sync")]
    [InlineData("https://hub.example.com/sync/pools/other")]
    [InlineData("https://evil.example.com/sync/pools/main")]
    public async Task An_assertion_for_elsewhere_is_refused(string audience) => await LoginBench.RefusedAsync(
        Open(), Assertion(claims => claims["aud"] = audience), LoginReason.Audience);

    [Fact]
    public async Task An_assertion_for_several_is_refused() => await LoginBench.RefusedAsync(Open(), Assertion(
        static claims => claims["aud"] = new JsonArray((string)claims["aud"]!, "https://other.example.com")),
        LoginReason.Audience);

    [Fact]
    public async Task A_replay_is_refused_and_remembered_beyond_its_life()
    {
        ILoginProvider provider = Open();
        string assertion = Assertion();
        VerifiedLogin login = await LoginBench.AcceptedAsync(provider, assertion);
        await LoginBench.RefusedAsync(provider, assertion, LoginReason.Replay);
        Assert.Equal(login.Expires.AddSeconds(60), Assert.Single(_bench.Once.Uses).Value);
    }

    [Fact]
    public async Task The_same_jti_in_another_assertion_is_a_replay()
    {
        ILoginProvider provider = Open();
        await LoginBench.AcceptedAsync(provider, Assertion(static claims => claims["jti"] = "same"));
        await LoginBench.RefusedAsync(
            provider, Assertion(static claims => (claims["jti"], claims["sub"]) = ("same", "other")), LoginReason.Replay);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public async Task No_jti_is_refused(string? id) => await LoginBench.RefusedAsync(
        Open(), Assertion(claims => claims["jti"] = id), LoginReason.Replay);

    [Theory]
    [InlineData(0, 300, "None")]
    [InlineData(0, 301, "LifetimeTooLong")]
    [InlineData(0, 0, "LifetimeTooLong")]
    [InlineData(60, 100, "None")]
    [InlineData(61, 100, "NotYetValid")]
    [InlineData(-300, -59, "None")]
    [InlineData(-300, -60, "Expired")]
    public async Task The_life_is_five_minutes_at_most(int issued, int expires, string reason)
    {
        _bench.Clock.Freeze();
        string assertion = Assertion(claims =>
        {
            long now = (long)claims["iat"]!;
            (claims["iat"], claims["exp"]) = (now + issued, now + expires);
        });
        if (reason == "None") await LoginBench.AcceptedAsync(Open(), assertion);
        else await LoginBench.RefusedAsync(Open(), assertion, Enum.Parse<LoginReason>(reason));
    }

    [Fact]
    public async Task An_empty_subject_is_refused() =>
        await LoginBench.RefusedAsync(Open(), Assertion(static claims => claims["sub"] = ""), LoginReason.Subject);

    [Fact]
    public async Task An_oversize_assertion_is_refused() => await LoginBench.RefusedAsync(
        Open(), Assertion(static claims => claims["filling"] = new string('x', 16 * 1024)), LoginReason.Size);

    private static ProviderDefinition Definition(params TestKey[] keys) => new()
    {
        Name = "backend",
        Kind = ProviderKind.Developer,
        Claims = ["tier"],
        Keys = [.. keys.Select(DefinitionTests.Registered)],
    };

    private ILoginProvider Open(params TestKey[] keys) =>
        _bench.Providers.Open(LoginBench.Pool, Definition(keys.Length == 0 ? [_key] : keys));

    private string Assertion(
        Action<JsonObject>? change = null, Action<JsonObject>? changeHeader = null, TestKey? key = null)
    {
        long now = _bench.Clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = "backend",
            ["aud"] = "https://hub.example.com/sync/pools/main",
            ["sub"] = "user-7",
            ["iat"] = now,
            ["exp"] = now + 300,
            ["jti"] = _bench.Once.Issue(),
            ["tier"] = "gold",
        };
        change?.Invoke(claims);
        return (key ?? _key).Sign(claims, header =>
        {
            header["typ"] = "dev+jwt";
            changeHeader?.Invoke(header);
        });
    }
}
