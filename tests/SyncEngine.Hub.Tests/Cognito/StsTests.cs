using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito;

/// <summary>The classic flow: an OpenID token, then a role by STS.</summary>
public sealed class StsTests : IAsyncLifetime
{
    private static readonly XNamespace _sts = "https://sts.amazonaws.com/doc/2011-06-15/";
    private readonly HubClock _clock = new();
    private CognitoApp _app = null!;

    public async Task InitializeAsync() => _app = await CognitoApp.WithPoolAsync(_clock);

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task A_guest_takes_the_guests_role_and_no_other()
    {
        string identity = await _app.GuestAsync();
        string token = await TokenAsync(identity, null);
        (HttpStatusCode status, XElement answer) = await AssumeAsync(token, CognitoApp.GuestArn);
        Assert.Equal(HttpStatusCode.OK, status);
        XElement result = answer.Element(_sts + "AssumeRoleWithWebIdentityResult")!;
        Assert.Equal(identity, result.Element(_sts + "SubjectFromWebIdentityToken")!.Value);
        XElement credentials = result.Element(_sts + "Credentials")!;
        Assert.Equal("2026-11-26T13:00:00Z", credentials.Element(_sts + "Expiration")!.Value);
        var signer = new Signer(credentials.Element(_sts + "AccessKeyId")!.Value,
            credentials.Element(_sts + "SecretAccessKey")!.Value, credentials.Element(_sts + "SessionToken")!.Value);
        Assert.Equal("AccessDeniedException", (await _app.Client.IdentityAsync(
            "ListIdentityPools", new JsonObject { ["MaxResults"] = 1 }, signer)).Error);
        Assert.Equal((HttpStatusCode.Forbidden, "AccessDenied"), await FailAsync(token, CognitoApp.AuthenticatedArn));
    }

    [Fact]
    public async Task A_user_takes_the_authenticated_role_and_no_other()
    {
        (string identity, JsonObject logins) = await _app.UserAsync("ann");
        string token = await TokenAsync(identity, logins);
        Assert.Equal(HttpStatusCode.OK, (await AssumeAsync(token, CognitoApp.AuthenticatedArn)).Status);
        Assert.Equal((HttpStatusCode.Forbidden, "AccessDenied"), await FailAsync(token, CognitoApp.GuestArn));
        Assert.Equal((HttpStatusCode.Forbidden, "AccessDenied"), await FailAsync(token, "arn:aws:iam::123456789012:role/admin"));
    }

    [Fact]
    public async Task A_role_that_only_a_mapping_gives_is_not_taken_by_its_ARN()
    {
        const string editor = "arn:aws:iam::123456789012:role/editor";
        await _app.DoAsync("SetIdentityPoolRoles", new JsonObject
        {
            ["IdentityPoolId"] = _app.Pool,
            ["Roles"] = new JsonObject
            {
                ["authenticated"] = CognitoApp.AuthenticatedArn, ["unauthenticated"] = CognitoApp.GuestArn,
            },
            ["RoleMappings"] = new JsonObject
            {
                ["accounts.google.com"] = new JsonObject
                {
                    ["Type"] = "Rules",
                    ["RulesConfiguration"] = new JsonObject
                    {
                        ["Rules"] = new JsonArray(new JsonObject
                        {
                            ["Claim"] = "tier", ["MatchType"] = "Equals", ["Value"] = "gold", ["RoleARN"] = editor,
                        }),
                    },
                },
            },
        });
        (string identity, JsonObject logins) = await _app.UserAsync("carl");
        string token = await TokenAsync(identity, logins);
        Assert.Equal((HttpStatusCode.Forbidden, "AccessDenied"), await FailAsync(token, editor));
        Assert.Equal(HttpStatusCode.OK, (await AssumeAsync(token, CognitoApp.AuthenticatedArn)).Status);
    }

    [Fact]
    public async Task A_token_of_a_guest_is_over_once_it_has_a_login_and_every_token_after_ten_minutes()
    {
        string identity = await _app.GuestAsync();
        string token = await TokenAsync(identity, null);
        await _app.UserAsync("bob", identity);
        Assert.Equal((HttpStatusCode.Forbidden, "AccessDenied"), await FailAsync(token, CognitoApp.GuestArn));
        string other = await TokenAsync(await _app.GuestAsync(), null);
        _clock.Advance(TimeSpan.FromMinutes(12));
        Assert.Equal((HttpStatusCode.BadRequest, "InvalidIdentityToken"), await FailAsync(other, CognitoApp.GuestArn));
    }

    [Fact]
    public async Task A_developer_s_token_takes_a_role_only_where_the_pool_allows_the_classic_flow()
    {
        (string identity, JsonObject logins) = await _app.UserAsync("ann");
        string token = logins["cognito-identity.amazonaws.com"]!.GetValue<string>();
        Assert.Equal(HttpStatusCode.OK, (await AssumeAsync(token, CognitoApp.AuthenticatedArn)).Status);
        await UpdateAsync(allowsClassicFlow: false);
        Assert.Equal((HttpStatusCode.Forbidden, "AccessDenied"), await FailAsync(token, CognitoApp.AuthenticatedArn));
        token = (await _app.UserAsync("ann")).Logins["cognito-identity.amazonaws.com"]!.GetValue<string>();
        Assert.Equal((HttpStatusCode.Forbidden, "AccessDenied"), await FailAsync(token, CognitoApp.AuthenticatedArn));

        // The enhanced flow takes it, and the classic one once it is allowed.
        await _app.CredentialsAsync(identity, logins);
        await UpdateAsync(allowsClassicFlow: true);
        Assert.Equal(HttpStatusCode.OK, (await AssumeAsync(token, CognitoApp.AuthenticatedArn)).Status);
    }

    [Theory]
    [InlineData("Action=GetCallerIdentity&Version=2011-06-15", "InvalidAction")]
    [InlineData("", "InvalidAction")]
    [InlineData("Action=AssumeRoleWithWebIdentity", "ValidationError")]
    [InlineData("Action=AssumeRoleWithWebIdentity&RoleArn=a&RoleArn=b", "ValidationError")]
    [InlineData("Action=AssumeRoleWithWebIdentity&RoleArn=a&RoleSessionName=app&WebIdentityToken=x", "InvalidIdentityToken")]
    [InlineData("Action=AssumeRoleWithWebIdentity&RoleArn=a&RoleSessionName=app&WebIdentityToken=x&DurationSeconds=1",
        "ValidationError")]
    [InlineData("Action=AssumeRoleWithWebIdentity&RoleArn=a&RoleSessionName=a%01b&WebIdentityToken=x", "ValidationError")]
    public async Task What_is_wrong_is_told_in_XML(string form, string code)
    {
        (HttpStatusCode status, XElement answer) = await PostAsync(form);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(code, answer.Element(_sts + "Error")!.Element(_sts + "Code")!.Value);
        Assert.NotEmpty(answer.Element(_sts + "RequestId")!.Value);
    }

    private Task<JsonElement> UpdateAsync(bool allowsClassicFlow) => _app.DoAsync("UpdateIdentityPool", new JsonObject
    {
        ["IdentityPoolId"] = _app.Pool, ["IdentityPoolName"] = "Game pool", ["AllowUnauthenticatedIdentities"] = true,
        ["AllowClassicFlow"] = allowsClassicFlow,
    });

    private async Task<string> TokenAsync(string identity, JsonObject? logins) => (await _app.AskAsync(
        "GetOpenIdToken", new JsonObject { ["IdentityId"] = identity, ["Logins"] = logins })).GetProperty("Token").GetString()!;

    private async Task<(HttpStatusCode Status, string Code)> FailAsync(string token, string arn)
    {
        (HttpStatusCode status, XElement answer) = await AssumeAsync(token, arn);
        return (status, answer.Element(_sts + "Error")?.Element(_sts + "Code")?.Value ?? answer.ToString());
    }

    private Task<(HttpStatusCode Status, XElement Answer)> AssumeAsync(string token, string arn) => PostAsync(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=app"
        + $"&RoleArn={Uri.EscapeDataString(arn)}&WebIdentityToken={Uri.EscapeDataString(token)}");

    private async Task<(HttpStatusCode Status, XElement Answer)> PostAsync(string form)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _app.Hub.Address)
        {
            Content = new StringContent(form, System.Text.Encoding.UTF8, "application/x-www-form-urlencoded"),
        };
        Answer answer = await _app.Client.SendAsync(request);
        return (answer.Status, XElement.Parse(answer.Text));
    }
}
