using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;

namespace SyncEngine.Hub.Push;

/// <summary>
/// Wakes apps over Firebase Cloud Messaging, API version 1. The access token is granted for an assertion signed with the service
/// account's key (RFC 7523) and kept until shortly before it expires. Thread-safe.
/// </summary>
internal sealed class FcmSender : IPushSender, IDisposable
{
    private const int AnswerBytesMax = 64 * 1024;
    private const string Scope = "https://www.googleapis.com/auth/firebase.messaging";

    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan _renewal = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _granting = new(1, 1);
    private readonly RSA _key = RSA.Create();
    private readonly HttpClient _http;
    private readonly FcmOptions _options;
    private readonly TimeProvider _time;
    private string? _token;
    private DateTimeOffset _tokenEnds;

    /// <summary>Reads the key.</summary>
    /// <exception cref="ArgumentException">The key is none of RSA in PEM.</exception>
    public FcmSender(HttpClient http, FcmOptions options, TimeProvider time)
    {
        (_http, _options, _time) = (http, options, time);
        _key.ImportFromPem(options.PrivateKeyPem);
    }

    public string Platform => "fcm";

    public async ValueTask<PushResult> SendAsync(PushMessage message, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            (string? token, PushResult failure) = await TokenAsync(null, either.Token).ConfigureAwait(false);
            if (token is null) return failure;
            (PushResult result, bool isExpired) = await SendAsync(message, token, either.Token).ConfigureAwait(false);
            if (!isExpired) return result;
            (token, failure) = await TokenAsync(token, either.Token).ConfigureAwait(false);
            return token is null ? failure : (await SendAsync(message, token, either.Token).ConfigureAwait(false)).Result;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new PushResult(PushOutcome.Retry, "no answer in time");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new PushResult(PushOutcome.Retry, e.Message);
        }
    }

    public void Dispose()
    {
        _key.Dispose();
        _granting.Dispose();
    }

    private static bool IsBusy(HttpStatusCode status) =>
        status is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError;

    /// <summary>What the service says in its own words: the error's code, and whether a member of the message is at
    /// fault.</summary>
    private static (string? Code, bool IsMessage) Details(byte[]? body)
    {
        if (body is null) return (null, false);
        try
        {
            using var json = JsonDocument.Parse(body);
            string? code = null;
            bool isMessage = false;
            foreach (JsonElement detail in json.RootElement.GetProperty("error").GetProperty("details").EnumerateArray())
            {
                if (detail.TryGetProperty("errorCode", out JsonElement found)) code = found.GetString();
                isMessage |= detail.TryGetProperty("fieldViolations", out _);
            }

            return (code, isMessage);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return (null, false);
        }
    }

    private async Task<(PushResult Result, bool IsExpired)> SendAsync(
        PushMessage message, string token, CancellationToken cancellationToken)
    {
        var data = new Dictionary<string, string> { ["pool"] = message.Pool };
        if (PushAnswer.Shown(message.Datasets) is { } datasets) data["datasets"] = string.Join(',', datasets);
        if (message.Data is { } told) data = new Dictionary<string, string>(told);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(
            _options.BaseAddress, $"/v1/projects/{Uri.EscapeDataString(_options.ProjectId)}/messages:send"));
        request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(
            new FcmPayload(new FcmMessage(message.Token, data)), PushJson.Default.FcmPayload));
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using HttpResponseMessage response = await _http
            .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode) return (PushResult.Sent, false);
        byte[]? body = await OutgoingHttp.ReadBodyAsync(response, AnswerBytesMax, cancellationToken).ConfigureAwait(false);
        (string? code, bool isMessage) = Details(body);
        PushOutcome outcome = PushOutcome.Refused;
        if (code == "UNREGISTERED" || (code == "INVALID_ARGUMENT" && !isMessage)) outcome = PushOutcome.InvalidToken;
        else if (IsBusy(response.StatusCode)) outcome = PushOutcome.Retry;
        return (new PushResult(outcome, code ?? PushAnswer.Text(body, "error", "status") ?? $"status {(int)response.StatusCode}",
            OutgoingHttp.RetryAfter(response, _time)), response.StatusCode == HttpStatusCode.Unauthorized);
    }

    /// <summary>The token in use, or a new one if it ends or is the one that the service did not take.</summary>
    private async Task<(string? Token, PushResult Failure)> TokenAsync(string? refused, CancellationToken cancellationToken)
    {
        await _granting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            DateTimeOffset now = _time.GetUtcNow();
            if (_token is not null && _token != refused && now < _tokenEnds - _renewal) return (_token, default);
            using HttpRequestMessage request = GrantRequest(now);
            using HttpResponseMessage response = await _http
                .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            byte[]? body = await OutgoingHttp.ReadBodyAsync(response, AnswerBytesMax, cancellationToken).ConfigureAwait(false);
            GrantedToken? granted = response.IsSuccessStatusCode ? ReadGrant(body) : null;
            if (granted?.AccessToken is not { Length: > 0 } token)
            {
                return (null, new PushResult(
                    response.IsSuccessStatusCode || IsBusy(response.StatusCode) ? PushOutcome.Retry : PushOutcome.Refused,
                    $"no access token: {PushAnswer.Text(body, "error") ?? $"status {(int)response.StatusCode}"}",
                    OutgoingHttp.RetryAfter(response, _time)));
            }

            (_token, _tokenEnds) = (token, now + TimeSpan.FromSeconds(Math.Clamp(granted.ExpiresIn, 0, 86_400)));
            return (token, default);
        }
        finally
        {
            _granting.Release();
        }
    }

    private static GrantedToken? ReadGrant(byte[]? body)
    {
        try
        {
            return body is null ? null : JsonSerializer.Deserialize(body, PushJson.Default.GrantedToken);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private HttpRequestMessage GrantRequest(DateTimeOffset now)
    {
        long seconds = now.ToUnixTimeSeconds();
        string assertion = SignedToken.Create("""{"alg":"RS256","typ":"JWT"}""", string.Create(CultureInfo.InvariantCulture,
            $$"""
            {"iss":"{{JsonEncodedText.Encode(_options.ClientEmail)}}","scope":"{{Scope}}",
            "aud":"{{JsonEncodedText.Encode(_options.TokenAddress.AbsoluteUri)}}","iat":{{seconds}},"exp":{{seconds + 3600}}}
            """), content => _key.SignData(content, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        return new HttpRequestMessage(HttpMethod.Post, _options.TokenAddress)
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "urn:ietf:params:oauth:grant-type:jwt-bearer", ["assertion"] = assertion,
            }),
        };
    }
}
