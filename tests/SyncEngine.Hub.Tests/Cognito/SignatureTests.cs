using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Hub.Cognito.Signing;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito;

/// <summary>Who is let in by Signature Version 4, and how everybody else is refused.</summary>
public sealed class SignatureTests : IAsyncLifetime
{
    private readonly HubClock _clock = new();
    private CognitoApp _app = null!;

    public async Task InitializeAsync() => _app = await CognitoApp.WithPoolAsync(_clock);

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public void The_published_example_has_the_published_signature()
    {
        // The example "IAM ListUsers" of AWS's documentation of Signature Version 4.
        string canonical = CanonicalRequest.Of("GET", "/", "Action=ListUsers&Version=2010-05-08",
        [
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"), ("host", "iam.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
        ], CanonicalRequest.HashOf([]));
        Assert.Equal("f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59",
            CanonicalRequest.HashOf(System.Text.Encoding.UTF8.GetBytes(canonical)));
        Assert.Equal("5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7", CanonicalRequest.Sign(
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830", "us-east-1", "iam", CanonicalRequest.TextToSign(
                "20150830T123600Z", "20150830/us-east-1/iam/aws4_request", canonical)));
    }

    [Theory]
    [InlineData("/", "/")]
    [InlineData("/a//b/./c", "/a/b/c")]
    [InlineData("/a/../b/", "/b/")]
    [InlineData("/us-east-1%3Aid", "/us-east-1%253Aid")]
    [InlineData("/a~b_c-d.e", "/a~b_c-d.e")]
    public void A_path_is_encoded_once_more_than_on_the_wire(string path, string canonical) => Assert.Equal(canonical,
        CanonicalRequest.Of("GET", path, "", [("host", "h")], "").Split('\n')[1]);

    [Theory]
    [InlineData("b=2&a=1&a=0", "a=0&a=1&b=2")]
    [InlineData("k=%2f+&e", "e=&k=%2F%2B")]
    public void A_query_is_sorted_and_encoded(string query, string canonical) => Assert.Equal(canonical,
        CanonicalRequest.Of("GET", "/", query, [("host", "h")], "").Split('\n')[2]);

    [Fact]
    public async Task A_developer_key_and_issued_credentials_are_let_in()
    {
        Assert.Equal(HttpStatusCode.OK, (await ListAsync(Signer.Developer)).Status);
        Signer guest = await _app.CredentialsAsync(await _app.GuestAsync());
        Assert.StartsWith("ASIA", guest.KeyId, StringComparison.Ordinal);

        // Let in, and told that this is not for it.
        Answer answer = await ListAsync(guest);
        Assert.Equal("AccessDeniedException", answer.Error);
        Assert.Contains("is not authorized to perform: cognito-identity:ListIdentityPools", answer.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_does_not_sign_is_refused()
    {
        Answer answer = await _app.Client.IdentityAsync("ListIdentityPools", new JsonObject { ["MaxResults"] = 1 });
        Assert.Equal((HttpStatusCode.BadRequest, "MissingAuthenticationTokenException"), (answer.Status, answer.Error));
    }

    [Fact]
    public async Task A_wrong_secret_or_body_is_refused()
    {
        Assert.Equal("InvalidSignatureException", (await ListAsync(new Twist { Secret = "another secret" })).Error);
        Assert.Equal("InvalidSignatureException", (await ListAsync(new Twist { OtherBody = """{"MaxResults":2}""" })).Error);
        Answer answer = await ListAsync(new Twist { Secret = "another secret" });
        Assert.Contains("does not match the signature you provided", answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_older_than_five_minutes_is_refused()
    {
        DateTimeOffset now = _clock.GetUtcNow();
        Assert.Equal(HttpStatusCode.OK, (await ListAsync(new Twist { At = now.AddMinutes(-5) })).Status);
        Answer old = await ListAsync(new Twist { At = now.AddMinutes(-5).AddSeconds(-1) });
        Assert.Equal("InvalidSignatureException", old.Error);
        Assert.StartsWith("Signature expired:", old.Message, StringComparison.Ordinal);
        Answer early = await ListAsync(new Twist { At = now.AddMinutes(5).AddSeconds(1) });
        Assert.StartsWith("Signature not yet current:", early.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_region_or_service_is_refused()
    {
        Answer region = await ListAsync(new Twist { Region = "eu-west-1" });
        Assert.Equal(("InvalidSignatureException", "Credential should be scoped to a valid region."),
            (region.Error, region.Message));
        Answer service = await ListAsync(new Twist { Service = "cognito-sync" });
        Assert.Equal(("InvalidSignatureException", "Credential should be scoped to correct service: 'cognito-identity'."),
            (service.Error, service.Message));
    }

    [Theory]
    [InlineData("AWS4-HMAC-SHA256 Credential=a/20261126/us-east-1/cognito-identity/aws4_request, SignedHeaders=host")]
    [InlineData("AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=00")]
    [InlineData("AWS4-HMAC-SHA256 Credential=a/20261126/us-east-1/cognito-identity/aws4_request, SignedHeaders=x;a, Signature=0")]
    [InlineData("AWS4-HMAC-SHA256 Signature=0, Signature=0")]
    [InlineData("Bearer abc")]
    public async Task An_incomplete_header_is_refused(string header)
    {
        Answer answer = await ListAsync(new Twist { Authorization = header });
        Assert.Equal((HttpStatusCode.BadRequest, "IncompleteSignatureException"), (answer.Status, answer.Error));
    }

    [Fact]
    public async Task The_operation_and_the_time_must_be_signed()
    {
        Assert.Equal("InvalidSignatureException", (await ListAsync(new Twist { Unsigned = ["x-amz-target"] })).Error);
        Assert.Equal("InvalidSignatureException", (await ListAsync(new Twist { Unsigned = ["x-amz-date"] })).Error);
        Assert.Equal("InvalidSignatureException", (await ListAsync(new Twist { Unsigned = ["host"] })).Error);
    }

    [Fact]
    public async Task Unknown_keys_and_foreign_tokens_are_refused()
    {
        Assert.Equal("UnrecognizedClientException", (await ListAsync(Signer.Developer with { KeyId = "AKIDNOBODY00000" })).Error);
        Signer one = await _app.CredentialsAsync(await _app.GuestAsync());
        Signer other = await _app.CredentialsAsync(await _app.GuestAsync());
        Assert.Equal("UnrecognizedClientException", (await ListAsync(one with { Token = other.Token })).Error);
        Assert.Equal("UnrecognizedClientException", (await ListAsync(one with { Token = null })).Error);
        Assert.Equal("UnrecognizedClientException", (await ListAsync(one with { Token = "AQ==" })).Error);
        byte[] token = Convert.FromBase64String(one.Token!);
        for (int i = 0; i < token.Length; i++)
        {
            byte[] changed = [.. token];
            changed[i] ^= 1;
            Answer answer = await ListAsync(one with { Token = Convert.ToBase64String(changed) });
            Assert.Equal("UnrecognizedClientException", answer.Error);
        }
    }

    [Fact]
    public async Task Credentials_end_after_an_hour()
    {
        Signer guest = await _app.CredentialsAsync(await _app.GuestAsync());
        _clock.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal("AccessDeniedException", (await ListAsync(guest)).Error);
        _clock.Advance(TimeSpan.FromMinutes(1));
        Answer over = await ListAsync(guest);
        Assert.Equal(("ExpiredTokenException", "The security token included in the request is expired"),
            (over.Error, over.Message));
    }

    [Fact]
    public async Task Rotating_the_secret_keeps_what_was_issued_until_it_has_expired()
    {
        var secrets = _app.Hub.Services.GetRequiredService<CognitoSecrets>();
        string identity = await _app.GuestAsync();
        Signer before = await _app.CredentialsAsync(identity);
        await secrets.RotateAsync();
        Signer after = await _app.CredentialsAsync(identity);
        Assert.Equal("AccessDeniedException", (await ListAsync(before)).Error);
        Assert.Equal("AccessDeniedException", (await ListAsync(after)).Error);
        _clock.Advance(TimeSpan.FromHours(2));
        await secrets.RunAsync(default);
        Assert.Equal("UnrecognizedClientException", (await ListAsync(before)).Error);
        Assert.Equal("ExpiredTokenException", (await ListAsync(after)).Error);
    }

    private Task<Answer> ListAsync(Signer signer) =>
        _app.Client.IdentityAsync("ListIdentityPools", new JsonObject { ["MaxResults"] = 1 }, signer);

    private Task<Answer> ListAsync(Twist twist) =>
        _app.Client.IdentityAsync("ListIdentityPools", new JsonObject { ["MaxResults"] = 1 }, Signer.Developer, twist);
}
