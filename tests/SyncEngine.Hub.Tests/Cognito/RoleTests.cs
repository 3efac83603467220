using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Hub.Cognito.Signing;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito;

/// <summary>Which role a login gets: by its token, by rules, or the pool's.</summary>
public sealed class RoleTests : WithLogins
{
    private const string Editor = "arn:aws:iam::123456789012:role/editor";
    private const string Admin = "arn:aws:iam::123456789012:role/admin";

    [Fact]
    public async Task Guests_and_logins_get_the_roles_that_were_set()
    {
        string guest = await _app.GuestAsync();
        Assert.Equal(("Cognito_GameUnauth_Role", true), await RoleAsync(guest, null));
        JsonObject logins = _issuer.Logins("ann");
        Assert.Equal(("Cognito_GameAuth_Role", false), await RoleAsync(await IdAsync(logins), logins));
    }

    [Theory]
    [InlineData("Equals", "gold", "gold", "editor")]
    [InlineData("Equals", "golden", "gold", null)]
    [InlineData("Contains", "all-gold-here", "gold", "editor")]
    [InlineData("Contains", "silver", "gold", null)]
    [InlineData("StartsWith", "golden", "gold", "editor")]
    [InlineData("StartsWith", "old gold", "gold", null)]
    [InlineData("NotEqual", "silver", "gold", "editor")]
    [InlineData("NotEqual", "gold", "gold", null)]
    [InlineData("NotEqual", null, "gold", null)]
    public async Task A_rule_matches_a_claim(string match, string? claim, string value, string? role)
    {
        await MapAsync(Rules("AuthenticatedRole", (match, "tier", value, Editor)));
        JsonObject logins = _issuer.Logins("ann", more: claim is null ? [] : new JsonObject { ["tier"] = claim });
        Assert.Equal((role ?? "Cognito_GameAuth_Role", false), await RoleAsync(await IdAsync(logins), logins));
    }

    [Fact]
    public async Task The_first_rule_that_matches_counts_and_no_match_may_be_denied()
    {
        await MapAsync(Rules("Deny", ("Equals", "tier", "gold", Editor), ("StartsWith", "tier", "g", Admin)));
        JsonObject gold = _issuer.Logins("ann", more: new JsonObject { ["tier"] = "gold" });
        string identity = await IdAsync(gold);
        Assert.Equal(("editor", false), await RoleAsync(identity, gold));
        JsonObject green = _issuer.Logins("ann", more: new JsonObject { ["tier"] = "green" });
        Assert.Equal(("admin", false), await RoleAsync(identity, green));
        Assert.StartsWith("NotAuthorizedException", await FailAsync(identity, _issuer.Logins("ann")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_chooses_among_its_own_roles()
    {
        var mapping = new JsonObject { ["Type"] = "Token", ["AmbiguousRoleResolution"] = "Deny" };
        await MapAsync(mapping, Rules("Deny", ("Equals", "x", "y", Editor), ("Equals", "x", "z", Admin)));
        JsonObject one = _issuer.Logins("ann", more: new JsonObject { ["cognito:roles"] = new JsonArray(Editor) });
        string identity = await IdAsync(one);
        Assert.Equal(("editor", false), await RoleAsync(identity, one));
        var two = new JsonObject { ["cognito:roles"] = new JsonArray(Editor, Admin) };
        Assert.StartsWith("NotAuthorizedException", await FailAsync(identity, _issuer.Logins("ann", more: two)),
            StringComparison.Ordinal);
        Assert.Equal(("admin", false), await RoleAsync(identity, _issuer.Logins("ann", more: two), Admin));
        Assert.StartsWith("NotAuthorizedException", await FailAsync(identity, _issuer.Logins("ann", more: two),
            "arn:aws:iam::123456789012:role/root"), StringComparison.Ordinal);
        two["cognito:preferred_role"] = Editor;
        Assert.Equal(("editor", false), await RoleAsync(identity, _issuer.Logins("ann", more: two)));
        var unknown = new JsonObject { ["cognito:roles"] = new JsonArray("arn:aws:iam::123456789012:role/nobody-knows") };
        Assert.StartsWith("InvalidIdentityPoolConfigurationException",
            await FailAsync(identity, _issuer.Logins("ann", more: unknown)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_custom_role_is_none_that_nothing_gives()
    {
        JsonObject logins = _issuer.Logins("ann");
        string identity = await IdAsync(logins);
        Assert.Equal(("Cognito_GameAuth_Role", false), await RoleAsync(identity, logins, CognitoApp.AuthenticatedArn));
        Assert.StartsWith("NotAuthorizedException", await FailAsync(identity, logins, Admin), StringComparison.Ordinal);
        Assert.StartsWith("NotAuthorizedException", await FailAsync(identity, logins, CognitoApp.GuestArn),
            StringComparison.Ordinal);
    }

    private static JsonObject Rules(
        string ambiguous, params ReadOnlySpan<(string Match, string Claim, string Value, string Arn)> rules)
    {
        var list = new JsonArray();
        foreach ((string match, string claim, string value, string arn) in rules)
            list.Add(new JsonObject { ["MatchType"] = match, ["Claim"] = claim, ["Value"] = value, ["RoleARN"] = arn });
        return new JsonObject
        {
            ["Type"] = "Rules", ["AmbiguousRoleResolution"] = ambiguous,
            ["RulesConfiguration"] = new JsonObject { ["Rules"] = list },
        };
    }

    private async Task MapAsync(JsonObject mapping, JsonObject? other = null)
    {
        var mappings = new JsonObject { [_issuer.Provider] = mapping };
        if (other is not null) mappings["another.example"] = other;
        await _app.DoAsync("SetIdentityPoolRoles", new JsonObject
        {
            ["IdentityPoolId"] = _app.Pool, ["RoleMappings"] = mappings,
            ["Roles"] = new JsonObject
            {
                ["authenticated"] = CognitoApp.AuthenticatedArn, ["unauthenticated"] = CognitoApp.GuestArn,
            },
        });
    }

    private async Task<string> IdAsync(JsonObject logins) => (await _app.AskAsync("GetId", new JsonObject
    {
        ["IdentityPoolId"] = _app.Pool, ["Logins"] = logins.DeepClone(),
    })).GetProperty("IdentityId").GetString()!;

    /// <summary>What the credentials stand for, as the hub reads them.</summary>
    private async Task<(string Role, bool IsGuest)> RoleAsync(string identity, JsonObject? logins, string? customArn = null)
    {
        Signer signer = Signer.Of((await _app.AskAsync("GetCredentialsForIdentity", new JsonObject
        {
            ["IdentityId"] = identity, ["Logins"] = logins?.DeepClone(), ["CustomRoleArn"] = customArn,
        })).GetProperty("Credentials"));
        (IssuedClaims claims, _) = (await _app.Hub.Services.GetRequiredService<IssuedCredentials>()
            .FindAsync(signer.KeyId, signer.Token!))!.Value;
        return (claims.Role, claims.IsGuest);
    }

    private Task<string> FailAsync(string identity, JsonObject logins, string? customArn = null) => _app.FailAsync(
        "GetCredentialsForIdentity", new JsonObject
        {
            ["IdentityId"] = identity, ["Logins"] = logins.DeepClone(), ["CustomRoleArn"] = customArn,
        });
}
