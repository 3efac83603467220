using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Hub.Cognito;
using SyncEngine.Hub.Merging;
using SyncEngine.Hub.Tokens;
using SyncEngine.Identities;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito;

/// <summary>What an app's backend does with its own users.</summary>
public sealed class DeveloperTests : IAsyncLifetime
{
    private CognitoApp _app = null!;

    public async Task InitializeAsync() => _app = await CognitoApp.WithPoolAsync();

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task A_user_is_the_same_identity_every_time_and_its_token_gets_credentials()
    {
        (string identity, JsonObject logins) = await _app.UserAsync("ann");
        Assert.Equal(identity, (await _app.UserAsync("ann")).Identity);
        Assert.NotEqual(identity, (await _app.UserAsync("bob")).Identity);
        Assert.StartsWith("ASIA", (await _app.CredentialsAsync(identity, logins)).KeyId, StringComparison.Ordinal);
        Assert.Equal(identity, (await _app.AskAsync("GetId", new JsonObject
        {
            ["IdentityPoolId"] = _app.Pool, ["Logins"] = logins.DeepClone(),
        })).GetProperty("IdentityId").GetString());

        // Nobody is a user by naming it without a signature.
        Assert.StartsWith("NotAuthorizedException", await _app.FailAsync("GetId", new JsonObject
        {
            ["IdentityPoolId"] = _app.Pool, ["Logins"] = new JsonObject { [CognitoApp.DeveloperProvider] = "ann" },
        }), StringComparison.Ordinal);
        (string _, JsonObject others) = await _app.UserAsync("bob");
        Assert.StartsWith("NotAuthorizedException: Logins don't match.", await _app.FailAsync(
            "GetCredentialsForIdentity", new JsonObject { ["IdentityId"] = identity, ["Logins"] = others }),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_guest_becomes_a_user_and_a_user_has_one_identity()
    {
        string guest = await _app.GuestAsync();
        Assert.Equal(guest, (await _app.UserAsync("carl", guest)).Identity);
        Assert.Equal(guest, (await _app.UserAsync("carl-2", guest)).Identity);
        string another = await _app.GuestAsync();
        Assert.StartsWith("DeveloperUserAlreadyRegisteredException", await _app.FailAsync(
            "GetOpenIdTokenForDeveloperIdentity", new JsonObject
            {
                ["IdentityPoolId"] = _app.Pool, ["IdentityId"] = another,
                ["Logins"] = new JsonObject { [CognitoApp.DeveloperProvider] = "carl" },
            }, isSigned: true), StringComparison.Ordinal);
        JsonElement found = await LookupAsync(new JsonObject { ["IdentityId"] = guest });
        Assert.Equal(["carl", "carl-2"], Users(found));
    }

    [Fact]
    public async Task Users_are_looked_up_both_ways_and_in_pages()
    {
        (string identity, _) = await _app.UserAsync("u1");
        await _app.UserAsync("u2", identity);
        await _app.UserAsync("u3", identity);
        JsonElement page = await LookupAsync(new JsonObject { ["DeveloperUserIdentifier"] = "u2", ["MaxResults"] = 2 });
        Assert.Equal(identity, page.GetProperty("IdentityId").GetString());
        Assert.Equal(["u1", "u2"], Users(page));
        page = await LookupAsync(new JsonObject
        {
            ["IdentityId"] = identity, ["MaxResults"] = 2, ["NextToken"] = page.GetProperty("NextToken").GetString(),
        });
        Assert.Equal(["u3"], Users(page));
        Assert.False(page.TryGetProperty("NextToken", out _));
        Assert.Equal(["u2"], Users(await LookupAsync(new JsonObject
        {
            ["IdentityId"] = identity, ["DeveloperUserIdentifier"] = "u2",
        })));
        (string other, _) = await _app.UserAsync("other");
        Assert.StartsWith("ResourceConflictException", await FailLookupAsync(new JsonObject
        {
            ["IdentityId"] = other, ["DeveloperUserIdentifier"] = "u2",
        }), StringComparison.Ordinal);
        Assert.StartsWith("ResourceNotFoundException", await FailLookupAsync(
            new JsonObject { ["DeveloperUserIdentifier"] = "nobody" }), StringComparison.Ordinal);
        Assert.StartsWith("InvalidParameterException", await FailLookupAsync([]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Users_are_merged_and_the_source_is_shut()
    {
        (string source, JsonObject logins) = await _app.UserAsync("source");
        (string destination, _) = await _app.UserAsync("destination");
        JsonElement merged = await _app.DoAsync("MergeDeveloperIdentities", Merge("source", "destination"));
        Assert.Equal(destination, merged.GetProperty("IdentityId").GetString());
        Assert.Equal(destination, (await _app.UserAsync("source")).Identity);
        Assert.Equal($"NotAuthorizedException: Access to Identity '{source}' is forbidden.", await _app.FailAsync(
            "GetCredentialsForIdentity", new JsonObject { ["IdentityId"] = source, ["Logins"] = logins }));
        Assert.StartsWith("ResourceNotFoundException", await _app.FailAsync(
            "MergeDeveloperIdentities", Merge("nobody", "destination"), isSigned: true), StringComparison.Ordinal);
        Assert.StartsWith("InvalidParameterException", await _app.FailAsync(
            "MergeDeveloperIdentities", Merge("source", "source"), isSigned: true), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_than_twenty_logins_are_not_merged()
    {
        (string first, _) = await _app.UserAsync("a0");
        for (int i = 1; i < 15; i++) await _app.UserAsync($"a{i}", first);
        (string second, _) = await _app.UserAsync("b0");
        for (int i = 1; i < 6; i++) await _app.UserAsync($"b{i}", second);
        Assert.StartsWith("LimitExceededException", await _app.FailAsync(
            "MergeDeveloperIdentities", Merge("a0", "b0"), isSigned: true), StringComparison.Ordinal);
        Assert.Equal(first, (await _app.UserAsync("a0")).Identity);
        for (int i = 15; i < 20; i++) await _app.UserAsync($"a{i}", first);
        Assert.StartsWith("LimitExceededException", await _app.FailAsync("GetOpenIdTokenForDeveloperIdentity", new JsonObject
        {
            ["IdentityPoolId"] = _app.Pool, ["IdentityId"] = first,
            ["Logins"] = new JsonObject { [CognitoApp.DeveloperProvider] = "a20" },
        }, isSigned: true), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_is_unlinked_and_is_another_identity_then()
    {
        (string identity, JsonObject logins) = await _app.UserAsync("dan");
        JsonObject body = new()
        {
            ["IdentityId"] = identity, ["IdentityPoolId"] = _app.Pool, ["DeveloperUserIdentifier"] = "dan",
            ["DeveloperProviderName"] = CognitoApp.DeveloperProvider,
        };
        await _app.DoAsync("UnlinkDeveloperIdentity", body);
        Assert.StartsWith("NotAuthorizedException: Access to Identity", await _app.FailAsync("GetCredentialsForIdentity",
            new JsonObject { ["IdentityId"] = identity, ["Logins"] = logins }), StringComparison.Ordinal);
        Assert.StartsWith("ResourceNotFoundException", await _app.FailAsync(
            "UnlinkDeveloperIdentity", (JsonObject)body.DeepClone(), isSigned: true), StringComparison.Ordinal);
        Assert.NotEqual(identity, (await _app.UserAsync("dan")).Identity);
        Assert.StartsWith("ResourceConflictException", await _app.FailAsync(
            "UnlinkDeveloperIdentity", (JsonObject)body.DeepClone(), isSigned: true), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(86_401)]
    public async Task A_token_lasts_a_day_at_most(int seconds) => Assert.StartsWith("InvalidParameterException",
        await _app.FailAsync("GetOpenIdTokenForDeveloperIdentity", new JsonObject
        {
            ["IdentityPoolId"] = _app.Pool, ["TokenDuration"] = seconds,
            ["Logins"] = new JsonObject { [CognitoApp.DeveloperProvider] = "eve" },
        }, isSigned: true), StringComparison.Ordinal);

    [Fact]
    public async Task A_token_ends_when_it_was_said_to()
    {
        var clock = new HubClock();
        await using CognitoApp app = await CognitoApp.WithPoolAsync(clock);
        (string identity, JsonObject logins) = await app.UserAsync("fay");
        clock.Advance(TimeSpan.FromMinutes(15));
        await app.CredentialsAsync(identity, logins);
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.StartsWith("NotAuthorizedException: Invalid login token.", await app.FailAsync("GetCredentialsForIdentity",
            new JsonObject { ["IdentityId"] = identity, ["Logins"] = logins }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_of_a_day_ends_when_its_identity_is_shut_out()
    {
        var clock = new HubClock();
        await using CognitoApp app = await CognitoApp.WithPoolAsync(clock);
        JsonElement answer = await app.DoAsync("GetOpenIdTokenForDeveloperIdentity", new JsonObject
        {
            ["IdentityPoolId"] = app.Pool, ["Logins"] = new JsonObject { [CognitoApp.DeveloperProvider] = "ida" },
            ["TokenDuration"] = 86_400,
        });
        string identity = answer.GetProperty("IdentityId").GetString()!;
        var logins = new JsonObject { ["cognito-identity.amazonaws.com"] = answer.GetProperty("Token").GetString() };
        await app.CredentialsAsync(identity, logins);
        var removal = app.Hub.Services.GetRequiredService<IdentityRemoval>();
        IdentityId id = CognitoIds.IdentityOf(Guid.Parse(identity.Split(':')[1]));
        string pool = (await app.Hub.Services.GetRequiredService<CognitoPools>().FindAsync(app.Pool))!.Name;
        await removal.SetEnabledAsync(pool, id, isEnabled: false, default);
        await removal.SetEnabledAsync(pool, id, isEnabled: true, default);
        clock.Advance(TimeSpan.FromHours(3));
        await app.Hub.Services.GetRequiredService<Revocations>().RunAsync(default);

        // Who has the token of before is not let in again because its owner is.
        Assert.StartsWith("NotAuthorizedException: Invalid login token.", await app.FailAsync("GetCredentialsForIdentity",
            new JsonObject { ["IdentityId"] = identity, ["Logins"] = logins.DeepClone() }), StringComparison.Ordinal);
        (_, JsonObject fresh) = await app.UserAsync("ida");
        await app.CredentialsAsync(identity, fresh);
    }

    private JsonObject Merge(string source, string destination) => new()
    {
        ["SourceUserIdentifier"] = source, ["DestinationUserIdentifier"] = destination, ["IdentityPoolId"] = _app.Pool,
        ["DeveloperProviderName"] = CognitoApp.DeveloperProvider,
    };

    private Task<JsonElement> LookupAsync(JsonObject body)
    {
        body["IdentityPoolId"] = _app.Pool;
        return _app.DoAsync("LookupDeveloperIdentity", body);
    }

    private Task<string> FailLookupAsync(JsonObject body)
    {
        body["IdentityPoolId"] = _app.Pool;
        return _app.FailAsync("LookupDeveloperIdentity", body, isSigned: true);
    }

    private static IEnumerable<string?> Users(JsonElement answer) =>
        answer.GetProperty("DeveloperUserIdentifierList").EnumerateArray().Select(static user => user.GetString());
}
