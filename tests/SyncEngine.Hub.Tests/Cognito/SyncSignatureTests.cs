using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito;

/// <summary>Signatures over the paths of the Sync API, and whom they let in.</summary>
public sealed class SyncSignatureTests : IAsyncLifetime
{
    private CognitoApp _app = null!;
    private string _identity = "";
    private Signer _guest = null!;

    public async Task InitializeAsync()
    {
        _app = await CognitoApp.WithPoolAsync();
        _identity = await _app.GuestAsync();
        _guest = await _app.CredentialsAsync(_identity);
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task A_path_is_signed_with_its_encoding_encoded_again()
    {
        Answer answer = await _app.Client.SyncAsync("GET", PathOf(_identity), "maxResults=5", null, _guest);
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal("application/json", answer.ContentType);
        Assert.Equal(0, answer.Json.GetProperty("Count").GetInt32());
    }

    [Fact]
    public async Task Whoever_does_not_sign_or_signs_another_path_is_refused()
    {
        Answer unsigned = await _app.Client.SyncAsync("GET", PathOf(_identity));
        Assert.Equal((HttpStatusCode.Forbidden, "MissingAuthenticationTokenException"), (unsigned.Status, unsigned.Error));
        Answer other = await _app.Client.SyncAsync("GET", PathOf(_identity), "", null, _guest,
            new Twist { OtherPath = PathOf(_identity) + "/a" });
        Assert.Equal((HttpStatusCode.Forbidden, "InvalidSignatureException"), (other.Status, other.Error));

        // Encoded otherwise than it was signed: the same part, other bytes.
        Answer encoded = await _app.Client.SyncAsync("GET", PathOf(_identity), "", null, _guest,
            new Twist { OtherPath = PathOf(_identity).Replace("%3A", ":", StringComparison.Ordinal) });
        Assert.Equal((HttpStatusCode.Forbidden, "InvalidSignatureException"), (encoded.Status, encoded.Error));
    }

    [Fact]
    public async Task A_path_that_is_encoded_twice_names_nothing()
    {
        Answer twice = await _app.Client.SyncAsync(
            "GET", PathOf(_identity).Replace("%", "%25", StringComparison.Ordinal), "", null, _guest);
        Assert.Contains(twice.Status, (HttpStatusCode[])
            [HttpStatusCode.BadRequest, HttpStatusCode.Forbidden, HttpStatusCode.NotFound]);
        Assert.EndsWith("Exception", twice.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_guest_reads_no_other_identity_and_no_configuration()
    {
        string other = await _app.GuestAsync();
        Answer answer = await _app.Client.SyncAsync("GET", PathOf(other), "", null, _guest);
        Assert.Equal((HttpStatusCode.Forbidden, "NotAuthorizedException"), (answer.Status, answer.Error));
        Answer configuration = await _app.Client.SyncAsync(
            "GET", $"/identitypools/{Uri.EscapeDataString(_app.Pool)}/configuration", "", null, _guest);
        Assert.Equal((HttpStatusCode.Forbidden, "AccessDeniedException"), (configuration.Status, configuration.Error));
    }

    [Fact]
    public async Task Credentials_end_with_the_identity()
    {
        await _app.DoAsync("DeleteIdentities", new JsonObject { ["IdentityIdsToDelete"] = new JsonArray(_identity) });
        await AssertForbiddenAsync();
    }

    [Fact]
    public async Task Credentials_of_a_guest_end_with_its_first_login()
    {
        await _app.UserAsync("ann", _identity);
        await AssertForbiddenAsync();
    }

    [Fact]
    public async Task Credentials_end_while_the_identity_is_disabled_and_do_not_come_back()
    {
        string native = _identity["us-east-1:".Length..].Replace("-", "", StringComparison.Ordinal);
        using (HttpResponseMessage disabled = await _app.Hub.Admin.PostAsync(
            $"/admin/pools/Game-pool/identities/{native}/disable", null)) Assert.Equal(HttpStatusCode.OK, disabled.StatusCode);
        await AssertForbiddenAsync();
        using (HttpResponseMessage enabled = await _app.Hub.Admin.PostAsync(
            $"/admin/pools/Game-pool/identities/{native}/enable", null)) Assert.Equal(HttpStatusCode.OK, enabled.StatusCode);
        await AssertForbiddenAsync();
    }

    [Fact]
    public async Task Credentials_of_a_guest_end_where_guests_are_not_let_in_any_more()
    {
        await _app.DoAsync("UpdateIdentityPool", new JsonObject
        {
            ["IdentityPoolId"] = _app.Pool, ["IdentityPoolName"] = "Game pool", ["AllowUnauthenticatedIdentities"] = false,
        });
        await AssertForbiddenAsync();
    }

    private async Task AssertForbiddenAsync()
    {
        Answer answer = await _app.Client.SyncAsync("GET", PathOf(_identity), "", null, _guest);
        Assert.Equal((HttpStatusCode.Forbidden, "NotAuthorizedException"), (answer.Status, answer.Error));
        Assert.Equal($"Access to Identity '{_identity}' is forbidden.", answer.Message);
    }

    private string PathOf(string identity) =>
        $"/identitypools/{Uri.EscapeDataString(_app.Pool)}/identities/{Uri.EscapeDataString(identity)}/datasets";
}
