using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using SyncEngine.Hub.Push;
using Xunit;

namespace SyncEngine.Hub.Tests.Push;

/// <summary>The senders against servers that behave as the documents of APNs and FCM say.</summary>
public sealed class PushSenderTests : IDisposable
{
    private const string DeviceToken = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";

    private static readonly PushMessage _message = new(DeviceToken, PushFixture.Pool, ["save", "settings"]);

    private readonly ManualTime _time = new();
    private readonly HttpClient _http = OutgoingHttp.CreateClient();
    private readonly ECDsa _apnsKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly RSA _fcmKey = RSA.Create(2048);

    public void Dispose()
    {
        _http.Dispose();
        _apnsKey.Dispose();
        _fcmKey.Dispose();
    }

    [Fact]
    public async Task Apns_gets_a_background_push_over_HTTP_2_with_a_signed_token()
    {
        await using LoopbackServer server = await ApnsAsync((_, _) => Task.CompletedTask);
        using ApnsSender sender = Apns(server);
        Assert.Equal(PushOutcome.Sent, (await sender.SendAsync(_message, default)).Outcome);
        ReceivedRequest received = await server.NextAsync();
        Assert.Equal("HTTP/2", received.Protocol);
        Assert.Equal("/3/device/" + DeviceToken, received.Path);
        Assert.Equal("com.example.game", received.Headers["apns-topic"]);
        Assert.Equal("background", received.Headers["apns-push-type"]);
        Assert.Equal("5", received.Headers["apns-priority"]);
        Assert.Equal("""{"aps":{"content-available":1},"syncengine":{"pool":"game","datasets":["save","settings"]}}""",
            Encoding.UTF8.GetString(received.Body));
        string[] parts = received.Headers["authorization"]["bearer ".Length..].Split('.');
        Assert.True(_apnsKey.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"),
            Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
        Assert.Equal("""{"alg":"ES256","kid":"ABC123DEFG"}""", Text(parts[0]));
        Assert.Equal($$"""{"iss":"DEF123GHIJ","iat":{{_time.GetUtcNow().ToUnixTimeSeconds()}}}""", Text(parts[1]));
    }

    [Fact]
    public async Task Apns_gets_one_token_for_fifty_minutes_and_another_when_it_calls_that_expired()
    {
        await using LoopbackServer server = await ApnsAsync((context, number) => number == 4
            ? RefuseAsync(context, 403, """{"reason":"ExpiredProviderToken"}""") : Task.CompletedTask);
        using ApnsSender sender = Apns(server);
        var tokens = new List<string>();
        foreach (int minutes in (int[])[0, 49, 2, 1])
        {
            _time.Advance(TimeSpan.FromMinutes(minutes));
            Assert.Equal(PushOutcome.Sent, (await sender.SendAsync(_message, default)).Outcome);
        }

        for (int number = 0; number < 5; number++) tokens.Add((await server.NextAsync()).Headers["authorization"]);
        Assert.Equal(tokens[0], tokens[1]);
        Assert.NotEqual(tokens[1], tokens[2]);
        Assert.Equal(tokens[2], tokens[3]);
        Assert.NotEqual(tokens[3], tokens[4]);
    }

    [Theory]
    [InlineData(410, """{"reason":"Unregistered","timestamp":1629}""", PushOutcome.InvalidToken)]
    [InlineData(400, """{"reason":"BadDeviceToken"}""", PushOutcome.InvalidToken)]
    [InlineData(400, """{"reason":"DeviceTokenNotForTopic"}""", PushOutcome.Refused)]
    [InlineData(403, """{"reason":"InvalidProviderToken"}""", PushOutcome.Refused)]
    [InlineData(429, """{"reason":"TooManyRequests"}""", PushOutcome.Retry)]
    [InlineData(503, "not JSON", PushOutcome.Retry)]
    public async Task Answers_of_Apns_are_understood(int status, string body, PushOutcome outcome)
    {
        await using LoopbackServer server = await ApnsAsync((context, _) => RefuseAsync(context, status, body));
        using ApnsSender sender = Apns(server);
        PushResult result = await sender.SendAsync(_message, default);
        Assert.Equal(outcome, result.Outcome);
        Assert.Equal(TimeSpan.FromSeconds(9), result.RetryAfter);
    }

    [Fact]
    public async Task A_token_that_would_steer_the_address_is_never_sent()
    {
        await using LoopbackServer server = await ApnsAsync((_, _) => Task.CompletedTask);
        using ApnsSender sender = Apns(server);
        Assert.Equal(PushOutcome.InvalidToken, (await sender.SendAsync(_message with { Token = "../admin" }, default)).Outcome);
        Assert.Equal(0, server.Count);
    }

    [Fact]
    public async Task A_service_that_is_not_there_is_tried_again()
    {
        LoopbackServer server = await ApnsAsync((_, _) => Task.CompletedTask);
        using ApnsSender sender = Apns(server);
        await server.DisposeAsync();
        Assert.Equal(PushOutcome.Retry, (await sender.SendAsync(_message, default)).Outcome);
    }

    [Fact]
    public async Task Fcm_gets_a_message_with_a_token_that_was_granted_for_a_signed_assertion()
    {
        await using LoopbackServer server = await FcmAsync(200, "{}");
        using FcmSender sender = Fcm(server);
        Assert.Equal(PushOutcome.Sent, (await sender.SendAsync(_message, default)).Outcome);
        ReceivedRequest grant = await server.NextAsync();
        var form = HttpUtility.ParseQueryString(Encoding.UTF8.GetString(grant.Body));
        Assert.Equal("urn:ietf:params:oauth:grant-type:jwt-bearer", form["grant_type"]);
        string[] parts = form["assertion"]!.Split('.'); // Verified next, so it must be there.
        Assert.True(_fcmKey.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"),
            Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        using JsonDocument claims = JsonDocument.Parse(Text(parts[1]));
        long now = _time.GetUtcNow().ToUnixTimeSeconds();
        Assert.Equal("push@example.iam.gserviceaccount.com", claims.RootElement.GetProperty("iss").GetString());
        Assert.Equal(new Uri(server.Address, "/token").AbsoluteUri, claims.RootElement.GetProperty("aud").GetString());
        Assert.Equal("https://www.googleapis.com/auth/firebase.messaging", claims.RootElement.GetProperty("scope").GetString());
        Assert.Equal((now, now + 3600),
            (claims.RootElement.GetProperty("iat").GetInt64(), claims.RootElement.GetProperty("exp").GetInt64()));
        ReceivedRequest sent = await server.NextAsync();
        Assert.Equal("/v1/projects/example/messages:send", sent.Path);
        Assert.Equal("Bearer access1", sent.Headers["authorization"]);
        Assert.Equal("""{"message":{"token":"#","data":{"pool":"game","datasets":"save,settings"}}}"""
            .Replace("#", DeviceToken, StringComparison.Ordinal),
            Encoding.UTF8.GetString(sent.Body));
    }

    [Fact]
    public async Task An_access_token_is_kept_until_a_minute_before_its_end()
    {
        await using LoopbackServer server = await FcmAsync(200, "{}");
        using FcmSender sender = Fcm(server);
        foreach (int minutes in (int[])[0, 58, 2])
        {
            _time.Advance(TimeSpan.FromMinutes(minutes));
            await sender.SendAsync(_message, default);
        }

        var paths = new List<string>();
        for (int number = 0; number < 5; number++) paths.Add((await server.NextAsync()).Path);
        Assert.Equal([true, false, false, true, false], paths.Select(path => path == "/token"));
    }

    [Theory]
    [InlineData(404, """{"error":{"code":404,"details":[{"errorCode":"UNREGISTERED"}]}}""", PushOutcome.InvalidToken)]
    [InlineData(400, """{"error":{"code":400,"details":[{"errorCode":"INVALID_ARGUMENT"}]}}""", PushOutcome.InvalidToken)]
    [InlineData(400, """{"error":{"details":[{"errorCode":"INVALID_ARGUMENT"},{"fieldViolations":[]}]}}""", PushOutcome.Refused)]
    [InlineData(404, """{"error":{"code":404,"status":"NOT_FOUND"}}""", PushOutcome.Refused)]
    [InlineData(403, """{"error":{"details":[{"errorCode":"SENDER_ID_MISMATCH"}]}}""", PushOutcome.Refused)]
    [InlineData(429, """{"error":{"details":[{"errorCode":"QUOTA_EXCEEDED"}]}}""", PushOutcome.Retry)]
    [InlineData(503, "[]", PushOutcome.Retry)]
    public async Task Answers_of_Fcm_are_understood(int status, string body, PushOutcome outcome)
    {
        await using LoopbackServer server = await FcmAsync(status, body);
        using FcmSender sender = Fcm(server);
        PushResult result = await sender.SendAsync(_message, default);
        Assert.Equal(outcome, result.Outcome);
        Assert.Equal(TimeSpan.FromSeconds(9), result.RetryAfter);
    }

    [Fact]
    public async Task A_token_that_Fcm_does_not_take_is_replaced_once()
    {
        await using LoopbackServer server = await FcmAsync(401, "{}");
        using FcmSender sender = Fcm(server);
        Assert.Equal(PushOutcome.Refused, (await sender.SendAsync(_message, default)).Outcome);
        Assert.Equal(4, server.Count);
    }

    [Fact]
    public void A_service_accounts_file_is_read()
    {
        FcmOptions read = FcmOptions.FromServiceAccount("""
            {"type":"service_account","project_id":"p","client_email":"e","private_key":"k","token_uri":"https://t.example/"}
            """);
        Assert.Equal(("p", "e", "k", "https://t.example/"),
            (read.ProjectId, read.ClientEmail, read.PrivateKeyPem, read.TokenAddress.AbsoluteUri));
        Assert.Throws<FormatException>(() => FcmOptions.FromServiceAccount("""{"project_id":"p"}"""));
    }

    private static string Text(string part) => Encoding.UTF8.GetString(Base64Url.DecodeFromChars(part));

    private static async Task RefuseAsync(HttpContext context, int status, string body)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.RetryAfter = "9";
        await context.Response.WriteAsync(body);
    }

    private static Task<LoopbackServer> ApnsAsync(Func<HttpContext, int, Task> answer) =>
        LoopbackServer.StartAsync(answer, HttpProtocols.Http2);

    private static Task<LoopbackServer> FcmAsync(int status, string body)
    {
        int granted = 0;
        return LoopbackServer.StartAsync((context, _) => context.Request.Path == "/token"
            ? context.Response.WriteAsync(
                $$"""{"access_token":"access{{Interlocked.Increment(ref granted)}}","expires_in":3600,"token_type":"Bearer"}""")
            : status == (int)HttpStatusCode.OK ? context.Response.WriteAsync(body) : RefuseAsync(context, status, body));
    }

    private ApnsSender Apns(LoopbackServer server) => new(_http, new ApnsOptions
    {
        BaseAddress = server.Address, KeyId = "ABC123DEFG", TeamId = "DEF123GHIJ", Topic = "com.example.game",
        PrivateKeyPem = _apnsKey.ExportPkcs8PrivateKeyPem(),
    }, _time);

    private FcmSender Fcm(LoopbackServer server) => new(_http, new FcmOptions
    {
        BaseAddress = server.Address, TokenAddress = new Uri(server.Address, "/token"), ProjectId = "example",
        ClientEmail = "push@example.iam.gserviceaccount.com", PrivateKeyPem = _fcmKey.ExportPkcs8PrivateKeyPem(),
    }, _time);
}
