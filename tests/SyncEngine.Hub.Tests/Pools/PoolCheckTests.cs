using System.Text.Json;
using SyncEngine.Hub.Pools;
using Xunit;

namespace SyncEngine.Hub.Tests.Pools;

public sealed class PoolCheckTests
{
    private static readonly ProviderDefinition _google = SamplePools.Game.Providers[0];
    private static readonly RoleRule _rule =
        new() { Provider = "google", Claim = "plan", Match = ClaimMatch.Equals, Value = "gold", Role = "authenticated" };

    [Fact]
    public void Definitions_that_leave_out_all_they_may_are_sound() =>
        Assert.Null(PoolCheck.Find(new IdentityPool { Name = "p" }));

    [Fact]
    public void Each_kind_of_provider_is_sound_with_what_it_needs() => Assert.Null(PoolCheck.Find(SamplePools.Game with
    {
        Providers =
        [
            _google,
            SamplePools.Facebook,
            new() { Name = "f2", Kind = ProviderKind.Facebook, AppId = "1", BaseAddress = "http://127.0.0.1:5000/graph" },
            new() { Name = "apple", Kind = ProviderKind.Apple, Audiences = ["a"], Claims = ["email"] },
            new() { Name = "amazon", Kind = ProviderKind.Amazon, AppId = "amzn1.application-oa2-client.1" },
            new() { Name = "own", Kind = ProviderKind.OpenIdConnect, Issuer = "http://localhost:1/op", Audiences = ["a", "b"],
                AuthorizedParties = ["c"], RequiresNonce = false },
            new() { Name = "backend", Kind = ProviderKind.Developer, Keys = [SamplePools.Jwk(), SamplePools.Jwk()] },
        ],
        Rules = [_rule, _rule with { Provider = null }],
    }));

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("..%2f")]
    [InlineData("a\\b")]
    [InlineData("pöol")]
    [InlineData("a\u0000b")]
    [InlineData("a b")]
    [InlineData("𝐩")]
    [InlineData("p\n")]
    [InlineData(null)]
    public void Names_with_tricks_are_refused(string? name)
    {
        Refused("$.name", SamplePools.Game with { Name = name! });
        Refused("$.roles", SamplePools.Game with
        {
            Roles = new Dictionary<string, JsonElement>(SamplePools.Game.Roles) { [name ?? ""] = SamplePools.Policy },
        });
        Refused("$.providers[0].name", WithProvider(_google with { Name = name! }));
    }

    [Fact]
    public void Names_end_at_64_characters()
    {
        Assert.Null(PoolCheck.Find(SamplePools.Game with { Name = new string('a', 64) }));
        Refused("$.name", SamplePools.Game with { Name = new string('a', 65) });
        Refused("$.providers[0].name", WithProvider(_google with { Name = new string('a', 33) }));
        Refused("$.providers[0].name", WithProvider(_google with { Name = "Google" }));
    }

    [Fact]
    public void Guests_share_no_role_with_the_authenticated()
    {
        Refused("$.guestRole", SamplePools.Game with { GuestRole = "authenticated" });
        Refused("$.guestRole", SamplePools.Game with { AllowsGuests = false, GuestRole = "authenticated" });
        Refused("$.rules[1].role", SamplePools.Game with { Rules = [_rule, _rule with { Role = "guest" }] });
    }

    [Fact]
    public void Roles_are_there_and_have_policies()
    {
        Refused("$.guestRole", SamplePools.Game with { GuestRole = "visitor" });
        Refused("$.authenticatedRole", SamplePools.Game with { AuthenticatedRole = "" });
        Refused("$.authenticatedRole", SamplePools.Game with { AuthenticatedRole = null! });
        Refused("$.rules[0].role", SamplePools.Game with { Rules = [_rule with { Role = "gold" }] });
        Refused("$.guestCeiling", SamplePools.Game with { GuestCeiling = JsonElement.Parse("[]") });
        Refused("$.guestCeiling", SamplePools.Game with { GuestCeiling = default(JsonElement) });
        Refused("$.roles.x", SamplePools.Game with
        {
            Roles = new Dictionary<string, JsonElement>(SamplePools.Game.Roles) { ["x"] = JsonElement.Parse("\"*\"") },
        });
        Refused("$.roles", SamplePools.WithRoles([.. Enumerable.Range(0, 31).Select(i => $"r{i}")]));
        Assert.Null(PoolCheck.Find(SamplePools.WithRoles([.. Enumerable.Range(0, 30).Select(i => $"r{i}")])));
    }

    [Fact]
    public void Rules_say_what_they_must()
    {
        Refused("$.rules[0].provider", SamplePools.Game with { Rules = [_rule with { Provider = "apple" }] });
        Refused("$.rules[0].claim", SamplePools.Game with { Rules = [_rule with { Claim = "" }] });
        Refused("$.rules[0].value", SamplePools.Game with { Rules = [_rule with { Value = new string('v', 257) }] });
        Refused("$.rules[0].match", SamplePools.Game with { Rules = [_rule with { Match = default }] });
        Refused("$.rules[0]", SamplePools.Game with { Rules = [null!] });
        Refused("$.rules", SamplePools.Game with { Rules = [.. Enumerable.Repeat(_rule, 65)] });
        Refused("$.fallback", SamplePools.Game with { Fallback = RoleFallback.Deny });
        Assert.Null(PoolCheck.Find(SamplePools.Game with { Fallback = RoleFallback.Deny, Rules = [_rule] }));
    }

    [Fact]
    public void Limits_are_positive_or_off()
    {
        Refused("$.limits.recordsMax", SamplePools.Game with { Limits = new PoolLimits { RecordsMax = 0 } });
        Refused("$.limits.datasetBytesMax", SamplePools.Game with
        {
            Limits = new PoolLimits { DatasetBytesMax = long.MinValue },
        });
        Refused("$.limits", SamplePools.Game with { Limits = null! });
        Assert.Null(PoolCheck.Find(SamplePools.Game with { Limits = new PoolLimits { RecordsMax = null, DatasetsMax = null } }));
    }

    [Fact]
    public void Providers_have_what_their_kind_needs_and_no_more()
    {
        ProviderDefinition own = new() { Name = "own", Kind = ProviderKind.OpenIdConnect, Audiences = ["a"] };
        Refused("$.providers[0].issuer", WithProvider(own));
        foreach (string address in (string[])
            ["", "x", "ftp://a", "http://example.org", "https://u:p@example.org", "https://a.org/?q", "https://a.org/#f",
                "file:///etc"])
        {
            Refused("$.providers[0].issuer", WithProvider(own with { Issuer = address }));
            Refused("$.providers[0].baseAddress", WithProvider(SamplePools.Facebook with { BaseAddress = address }));
        }

        Refused("$.providers[0].audiences", WithProvider(_google with { Audiences = [] }));
        Refused("$.providers[0].audiences", WithProvider(_google with { Audiences = null! }));
        Refused("$.providers[0].audiences[0]", WithProvider(_google with { Audiences = [null!] }));
        Refused("$.providers[0].claims[1]", WithProvider(_google with { Claims = ["a", ""] }));
        Refused("$.providers[0].appId", WithProvider(SamplePools.Facebook with { AppId = null }));
        Refused("$.providers[0].appId", WithProvider(new() { Name = "a", Kind = ProviderKind.Amazon }));
        Refused("$.providers[0].appSecret", WithProvider(_google with { AppSecret = "s" }));
        Refused("$.providers[0].keys", WithProvider(_google with { Keys = [SamplePools.Jwk()] }));
        Refused("$.providers[0].kind", WithProvider(_google with { Kind = (ProviderKind)99 }));
        Refused("$.providers[0]", WithProvider(null!));
        Refused("$.providers[1].name", SamplePools.Game with { Providers = [_google, _google] });
    }

    [Fact]
    public void Developer_keys_are_public_keys_on_the_curve()
    {
        ProviderDefinition backend = new() { Name = "backend", Kind = ProviderKind.Developer };
        Refused("$.providers[0].keys", WithProvider(backend));
        foreach (string key in (string[])
            ["x", "[]", "{}", """{"kty":"RSA"}""", SamplePools.Jwk(isPrivate: true), SamplePools.Jwk().Replace("P-256", "P-384"),
             SamplePools.Jwk()[..^8] + "\"}", """{"kty":"EC","crv":"P-256","x":1,"y":2}""",
             $$"""{"kty":"EC","crv":"P-256","x":"{{new string('A', 43)}}","y":"{{new string('B', 42)}}A"}"""])
            Refused("$.providers[0].keys[1]", WithProvider(backend with { Keys = [SamplePools.Jwk(), key] }));
        Assert.Contains("private", PoolCheck.Find(WithProvider(backend
            with { Keys = [SamplePools.Jwk(isPrivate: true)] }))!.Advice,
            StringComparison.Ordinal);
    }

    private static IdentityPool WithProvider(ProviderDefinition provider) => SamplePools.Game with { Providers = [provider] };

    private static void Refused(string path, IdentityPool pool)
    {
        PoolFault fault = Assert.IsType<PoolFault>(PoolCheck.Find(pool));
        Assert.Equal(path, fault.Path);
        Assert.True(fault.Advice.Length > 10);
    }
}
