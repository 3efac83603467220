using FsCheck.Xunit;
using SyncEngine.Hub.Pools;
using Xunit;

namespace SyncEngine.Hub.Tests.Pools;

public sealed class RoleChoiceTests
{
    private static readonly RoleRule _rule = new() { Claim = "plan", Match = ClaimMatch.Equals, Value = "gold", Role = "gold" };
    private static readonly IdentityPool _pool = SamplePools.WithRoles("gold", "silver") with { Rules = [_rule] };

    [Fact]
    public void Guests_get_the_role_of_guests_or_none()
    {
        Assert.Equal("guest", Choose(_pool, isGuest: true, "gold"));
        Assert.Null(Choose(_pool with { AllowsGuests = false }, isGuest: true, "gold"));
    }

    [Fact]
    public void Without_a_match_the_fallback_counts()
    {
        Assert.Equal("authenticated", Choose(_pool, isGuest: false, "silver"));
        Assert.Null(Choose(_pool with { Fallback = RoleFallback.Deny }, isGuest: false, "silver"));
        Assert.Equal("gold", Choose(_pool with { Fallback = RoleFallback.Deny }, isGuest: false, "gold"));
    }

    [Fact]
    public void The_first_rule_that_matches_wins()
    {
        RoleRule wide = _rule with { Match = ClaimMatch.StartsWith, Value = "g", Role = "silver" };
        Assert.Equal("silver", Choose(_pool with { Rules = [wide, _rule] }, isGuest: false, "gold"));
        Assert.Equal("gold", Choose(_pool with { Rules = [_rule, wide] }, isGuest: false, "gold"));
    }

    [Fact]
    public void A_rule_of_one_provider_is_not_for_another()
    {
        IdentityPool pool = _pool with { Rules = [_rule with { Provider = "google" }] };
        Assert.Equal("gold", RoleChoice.For(pool, false, "google", Claims("gold")));
        Assert.Equal("authenticated", RoleChoice.For(pool, false, "googl", Claims("gold")));
        Assert.Equal("authenticated", RoleChoice.For(pool, false, null, Claims("gold")));
    }

    [Theory]
    [InlineData(ClaimMatch.Equals, "gold", true)]
    [InlineData(ClaimMatch.Equals, "Gold", false)]
    [InlineData(ClaimMatch.Equals, "gold ", false)]
    [InlineData(ClaimMatch.Contains, "marigolds", true)]
    [InlineData(ClaimMatch.Contains, "go-ld", false)]
    [InlineData(ClaimMatch.StartsWith, "golden", true)]
    [InlineData(ClaimMatch.StartsWith, "a gold", false)]
    [InlineData(ClaimMatch.StartsWith, "go\u00adld", false)]
    [InlineData(ClaimMatch.NotEquals, "silver", true)]
    [InlineData(ClaimMatch.NotEquals, "gold", false)]
    public void Claims_are_compared_byte_for_byte(ClaimMatch match, string claim, bool matches)
    {
        IdentityPool pool = _pool with { Rules = [_rule with { Match = match }] };
        Assert.Equal(matches ? "gold" : "authenticated", Choose(pool, isGuest: false, claim));
    }

    [Fact]
    public void Of_a_list_one_value_suffices_and_a_denied_one_too()
    {
        Assert.Equal("gold", Choose(_pool, isGuest: false, "silver", "gold"));
        IdentityPool not = _pool with { Rules = [_rule with { Match = ClaimMatch.NotEquals }] };
        Assert.Equal("authenticated", Choose(not, isGuest: false, "silver", "gold"));
        Assert.Equal("authenticated", Choose(not, isGuest: false));
        Assert.Equal("authenticated", RoleChoice.For(not, false, "google", new Dictionary<string, IReadOnlyList<string>>()));
    }

    /// <summary>The simple version: all rules that match, then the first of them.</summary>
    [Property(MaxTest = 500)]
    public void It_is_the_role_of_the_first_match_of_all(byte[] rules, byte claim, byte provider, bool denies, bool isGuest)
    {
        string[] providers = ["google", "apple"], values = ["a", "ab", "b", "ba"], roles = ["gold", "silver", "authenticated"];
        RoleRule[] made = [.. (rules ?? []).Select(bits => new RoleRule
        {
            Provider = (bits & 3) switch { 0 => null, 1 => "google", _ => "apple" }, Claim = "plan",
            Match = (ClaimMatch)(1 + ((bits >> 2) & 3)), Value = values[(bits >> 4) & 3], Role = roles[(bits >> 6) % 3],
        })];
        IdentityPool pool = _pool with { Rules = made, Fallback = denies ? RoleFallback.Deny : RoleFallback.AuthenticatedRole };
        string value = values[claim & 3], from = providers[provider & 1];
        List<RoleRule> matching = [.. made.Where(rule => (rule.Provider ?? from) == from && rule.Match switch
        {
            ClaimMatch.Equals => value == rule.Value,
            ClaimMatch.NotEquals => value != rule.Value,
            ClaimMatch.StartsWith => value.StartsWith(rule.Value, StringComparison.Ordinal),
            _ => value.Contains(rule.Value, StringComparison.Ordinal),
        })];
        string? expected = isGuest ? "guest" : matching.Count > 0 ? matching[0].Role : denies ? null : "authenticated";
        Assert.Equal(expected, RoleChoice.For(pool, isGuest, from, Claims(value)));
    }

    private static string? Choose(IdentityPool pool, bool isGuest, params string[] values) =>
        RoleChoice.For(pool, isGuest, "google", Claims(values));

    private static Dictionary<string, IReadOnlyList<string>> Claims(params string[] values) => new() { ["plan"] = values };
}
