using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Hub.Identities;
using SyncEngine.Identities;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito;

/// <summary>Guests, logins, linking and merging by the Identity API.</summary>
public sealed class IdentityTests : WithLogins
{
    private string Provider => _issuer.Provider;

    [Fact]
    public async Task Ids_of_guests_are_uuids_in_order_of_time()
    {
        var clock = new HubClock();
        await using CognitoApp app = await CognitoApp.WithPoolAsync(clock);
        var ids = new List<Guid>();
        for (int i = 0; i < 5; i++)
        {
            ids.Add(Guid.Parse((await app.GuestAsync()).Split(':')[1]));
            Assert.Equal((7, clock.GetUtcNow().ToUnixTimeMilliseconds()),
                (ids[i].Version, Convert.ToInt64(ids[i].ToString("N")[..12], 16)));
            Assert.InRange(ids[i].Variant, 8, 11);
            clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        List<string> texts = ids.ConvertAll(static id => id.ToString());
        Assert.Equal(texts.Order(StringComparer.Ordinal), texts);
    }

    [Fact]
    public async Task A_guest_gets_an_id_and_credentials()
    {
        string identity = await _app.GuestAsync();
        Assert.Matches("^us-east-1:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", identity);
        Assert.NotEqual(identity, await _app.GuestAsync());
        JsonElement answer = await _app.AskAsync("GetCredentialsForIdentity", new JsonObject { ["IdentityId"] = identity });
        Assert.Equal(identity, answer.GetProperty("IdentityId").GetString());
        double left = answer.GetProperty("Credentials").GetProperty("Expiration").GetDouble()
            - DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        Assert.InRange(left, 3000, 3601);
    }

    [Fact]
    public async Task Guests_are_refused_where_the_pool_has_none()
    {
        await using CognitoApp app = await CognitoApp.WithPoolAsync(
            definition: body => body["AllowUnauthenticatedIdentities"] = false);
        Assert.Equal("NotAuthorizedException: Unauthenticated access is not supported for this identity pool.",
            await app.FailAsync("GetId", new JsonObject { ["IdentityPoolId"] = app.Pool }));
    }

    [Fact]
    public async Task A_login_is_the_same_identity_every_time_and_its_token_may_be_shown_again()
    {
        JsonObject logins = Logins("ann");
        string identity = await GetIdAsync(logins);
        Assert.Equal(identity, await GetIdAsync(logins));
        await _app.CredentialsAsync(identity, logins);
        Signer again = await _app.CredentialsAsync(identity, logins);
        Assert.Equal(HttpStatusCode.BadRequest, (await _app.Client.IdentityAsync(
            "ListIdentityPools", new JsonObject { ["MaxResults"] = 1 }, again)).Status);
        Assert.StartsWith($"NotAuthorizedException: Access to Identity '{identity}' is forbidden.",
            await FailCredentialsAsync(identity, null), StringComparison.Ordinal);
        Assert.StartsWith("NotAuthorizedException: Logins don't match.",
            await FailCredentialsAsync(identity, Logins("bob")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_login_links_a_guest_which_is_then_no_guest_any_more()
    {
        string identity = await _app.GuestAsync();
        Signer guest = await _app.CredentialsAsync(identity);
        await _app.CredentialsAsync(identity, Logins("carl"));
        Assert.Equal(identity, await GetIdAsync(Logins("carl")));
        Assert.StartsWith("NotAuthorizedException: Access to Identity", await FailCredentialsAsync(identity, null),
            StringComparison.Ordinal);

        // What was issued to the guest is over.
        await AssertForbiddenAsync(guest, identity);
    }

    [Fact]
    public async Task A_guest_is_merged_into_the_identity_of_a_known_login()
    {
        string known = await GetIdAsync(Logins("dora"));
        string guest = await _app.GuestAsync();
        JsonElement answer = await _app.AskAsync("GetCredentialsForIdentity", new JsonObject
        {
            ["IdentityId"] = guest, ["Logins"] = Logins("dora"),
        });
        Assert.Equal(known, answer.GetProperty("IdentityId").GetString());
        Assert.Equal($"NotAuthorizedException: Access to Identity '{guest}' is forbidden.",
            await FailCredentialsAsync(guest, null));
        Assert.Equal($"NotAuthorizedException: Access to Identity '{guest}' is forbidden.",
            await FailCredentialsAsync(guest, Logins("dora")));
    }

    [Fact]
    public async Task Several_logins_in_one_call_are_linked()
    {
        (string identity, JsonObject own) = await _app.UserAsync("user-1");
        JsonObject both = Logins("eve");
        both["cognito-identity.amazonaws.com"] = own["cognito-identity.amazonaws.com"]!.DeepClone();
        await _app.CredentialsAsync(identity, both);
        Assert.Equal(identity, await GetIdAsync(Logins("eve")));
        JsonElement described = await _app.DoAsync("DescribeIdentity", new JsonObject { ["IdentityId"] = identity });
        Assert.Equal([CognitoApp.DeveloperProvider, Provider],
            described.GetProperty("Logins").EnumerateArray().Select(static name => name.GetString()));
        Assert.InRange(described.GetProperty("CreationDate").GetDouble(), 1.7e9, 4e9);
        Assert.InRange(described.GetProperty("LastModifiedDate").GetDouble(),
            described.GetProperty("CreationDate").GetDouble(), 4e9);
    }

    [Fact]
    public async Task Logins_of_two_identities_conflict()
    {
        await GetIdAsync(Logins("fred"));
        (string identity, JsonObject own) = await _app.UserAsync("user-2");
        JsonObject both = Logins("fred");
        both["cognito-identity.amazonaws.com"] = own["cognito-identity.amazonaws.com"]!.DeepClone();
        Assert.StartsWith("ResourceConflictException:", await FailCredentialsAsync(identity, both), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unlinking_the_last_login_makes_an_identity_inaccessible()
    {
        string identity = await GetIdAsync(Logins("gil"));
        await _app.AskAsync("UnlinkIdentity", new JsonObject
        {
            ["IdentityId"] = identity, ["Logins"] = Logins("gil"), ["LoginsToRemove"] = new JsonArray(Provider),
        });
        Assert.StartsWith("NotAuthorizedException: Access to Identity", await FailCredentialsAsync(identity, null),
            StringComparison.Ordinal);
        Assert.StartsWith("NotAuthorizedException: Access to Identity", await FailCredentialsAsync(identity, Logins("gil")),
            StringComparison.Ordinal);
        Assert.NotEqual(identity, await GetIdAsync(Logins("gil")));
    }

    [Fact]
    public async Task Wrong_tokens_and_providers_are_refused()
    {
        string[] expected = ["NotAuthorizedException: Invalid login token.",
            "NotAuthorizedException: Token is not from a supported provider of this identity pool.",
            "NotAuthorizedException: Invalid login token."];
        JsonObject[] wrong = [new JsonObject { [Provider] = "no token" }, new JsonObject { ["graph.facebook.com"] = "x" },
            new JsonObject { ["cognito-identity.amazonaws.com"] = "a.b.c" }];
        for (int i = 0; i < wrong.Length; i++)
            Assert.StartsWith(expected[i], await _app.FailAsync("GetId", new JsonObject
            {
                ["IdentityPoolId"] = _app.Pool, ["Logins"] = wrong[i],
            }), StringComparison.Ordinal);
        Assert.StartsWith(expected[0], await _app.FailAsync("GetId", new JsonObject
        {
            ["IdentityPoolId"] = _app.Pool, ["Logins"] = _issuer.Logins("hal", -7200),
        }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_guest_of_a_device_key_is_never_reached_by_its_id()
    {
        // As a native device registers it, and as somebody would guess or hear its id.
        var directory = _app.Hub.Services.GetRequiredService<IdentityDirectory>();
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        (IdentityRow row, _) = await directory.RegisterGuestAsync(
            "Game-pool", key.ExportSubjectPublicKeyInfo(), null, null, default);
        string identity = "us-east-1:" + Guid.ParseExact(row.Id.ToString(), "N").ToString("D");
        Assert.Equal($"ResourceNotFoundException: Identity '{identity}' not found.", await FailCredentialsAsync(identity, null));

        // Also once this API has met it.
        await _app.Hub.Services.GetRequiredService<SyncEngine.Hub.Cognito.IdentityApi.IdentityIndex>()
            .NoteAsync("Game-pool", row.Id, default);
        Assert.StartsWith("NotAuthorizedException: Access to Identity", await FailCredentialsAsync(identity, null),
            StringComparison.Ordinal);
        Assert.StartsWith("NotAuthorizedException: Access to Identity", await FailCredentialsAsync(identity, Logins("ivy")),
            StringComparison.Ordinal);
        Assert.True((await directory.FindAsync("Game-pool", row.Id))!.IsGuest);
    }

    [Theory]
    [InlineData("GetId", """{}""", "identityPoolId")]
    [InlineData("GetId", """{"IdentityPoolId":"us-east-1:XYZ"}""", "pattern")]
    [InlineData("GetId", """{"IdentityPoolId":"us-east-1:0000000000000000000000000000000000000000000000000000"}""", "length")]
    [InlineData("GetId", """{"IdentityPoolId":"us-east-1:0","Logins":{"bad name":"x"}}""", "pattern")]
    [InlineData("GetCredentialsForIdentity", """{}""", "identityId")]
    [InlineData("GetOpenIdToken", """{"IdentityId":null}""", "identityId")]
    [InlineData("UnlinkIdentity", """{"IdentityId":"us-east-1:0","Logins":{}}""", "loginsToRemove")]
    public async Task Wrong_members_are_refused(string operation, string body, string text)
    {
        Answer answer = await _app.Client.IdentityAsync(operation, body);
        Assert.Equal((HttpStatusCode.BadRequest, "InvalidParameterException"), (answer.Status, answer.Error));
        Assert.Contains(text, answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pools_and_identities_that_are_not_there_are_told_so()
    {
        const string Nothing = "us-east-1:00000000-0000-0000-0000-000000000000";
        Assert.Equal($"ResourceNotFoundException: IdentityPool '{Nothing}' not found.",
            await _app.FailAsync("GetId", new JsonObject { ["IdentityPoolId"] = Nothing }));
        Assert.Equal($"ResourceNotFoundException: Identity '{Nothing}' not found.", await FailCredentialsAsync(Nothing, null));
        string identity = await _app.GuestAsync();
        Assert.StartsWith("ResourceNotFoundException: Identity",
            await FailCredentialsAsync(identity.Replace("us-east-1", "eu-west-1", StringComparison.Ordinal), null),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Identities_are_listed_in_pages_and_deleted()
    {
        var made = new HashSet<string>();
        for (int i = 0; i < 5; i++) made.Add(await _app.GuestAsync());
        var listed = new List<string>();
        string? next = null;
        do
        {
            JsonElement page = await _app.DoAsync("ListIdentities", new JsonObject
            {
                ["IdentityPoolId"] = _app.Pool, ["MaxResults"] = 2, ["NextToken"] = next,
            });
            listed.AddRange(page.GetProperty("Identities").EnumerateArray()
                .Select(static one => one.GetProperty("IdentityId").GetString()!));
            next = page.TryGetProperty("NextToken", out JsonElement token) ? token.GetString() : null;
        }
        while (next is not null);
        Assert.Equal(made.Order(StringComparer.Ordinal), listed);
        JsonElement left = await _app.DoAsync("DeleteIdentities", new JsonObject
        {
            ["IdentityIdsToDelete"] = new JsonArray(listed[0], "us-east-1:00000000-0000-0000-0000-000000000000"),
        });
        JsonElement one = left.GetProperty("UnprocessedIdentityIds").EnumerateArray().Single();
        Assert.Equal(("us-east-1:00000000-0000-0000-0000-000000000000", "AccessDenied"),
            (one.GetProperty("IdentityId").GetString(), one.GetProperty("ErrorCode").GetString()));
        Assert.StartsWith("ResourceNotFoundException", await _app.FailAsync(
            "DescribeIdentity", new JsonObject { ["IdentityId"] = listed[0] }, isSigned: true), StringComparison.Ordinal);
        Assert.StartsWith("InvalidParameterException", await _app.FailAsync("ListIdentities", new JsonObject
        {
            ["IdentityPoolId"] = _app.Pool, ["MaxResults"] = 61,
        }, isSigned: true), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_classic_flow_works_only_where_the_pool_allows_it()
    {
        string identity = await _app.GuestAsync();
        JsonElement token = await _app.AskAsync("GetOpenIdToken", new JsonObject { ["IdentityId"] = identity });
        Assert.Equal(identity, token.GetProperty("IdentityId").GetString());
        await using CognitoApp app = await CognitoApp.WithPoolAsync(null,
            hub => hub.Cognito.OpenIdConnectProviders.Add(_issuer.Known), body =>
            {
                body["OpenIdConnectProviderARNs"] = new JsonArray(_issuer.Arn);
                body["AllowClassicFlow"] = false;
            });
        Assert.Equal("InvalidParameterException: Basic (classic) flow is not enabled, please use enhanced flow.",
            await app.FailAsync("GetOpenIdToken", new JsonObject { ["IdentityId"] = await app.GuestAsync() }));

        // What is refused links nothing: the guest is a guest still.
        string guest = await app.GuestAsync();
        await app.FailAsync("GetOpenIdToken", new JsonObject { ["IdentityId"] = guest, ["Logins"] = Logins("ann") });
        await app.CredentialsAsync(guest);
    }

    private async Task AssertForbiddenAsync(Signer signer, string identity)
    {
        Answer answer = await _app.Client.IdentityAsync("ListIdentityPools", new JsonObject { ["MaxResults"] = 1 }, signer);
        Assert.Contains(answer.Error, (string[])["NotAuthorizedException", "AccessDeniedException"]);
        var directory = _app.Hub.Services.GetRequiredService<IdentityDirectory>();
        Assert.False((await directory.FindAsync("Game-pool", IdentityId.Parse(
            identity["us-east-1:".Length..].Replace("-", "", StringComparison.Ordinal))))!.IsOpen);
    }

    private async Task<string> GetIdAsync(JsonObject logins) => (await _app.AskAsync("GetId", new JsonObject
    {
        ["IdentityPoolId"] = _app.Pool, ["Logins"] = logins.DeepClone(),
    })).GetProperty("IdentityId").GetString()!;

    private Task<string> FailCredentialsAsync(string identity, JsonObject? logins) => _app.FailAsync(
        "GetCredentialsForIdentity", new JsonObject { ["IdentityId"] = identity, ["Logins"] = logins });

    private JsonObject Logins(string subject) => _issuer.Logins(subject);
}
