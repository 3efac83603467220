using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;

namespace SyncEngine.Hub.Push;

/// <summary>
/// Wakes apps on Apple's systems with background pushes, over HTTP/2 and with a provider token (ES256), as "Sending notification
/// requests to APNs" says. Thread-safe.
/// </summary>
internal sealed class ApnsSender : IPushSender, IDisposable
{
    private const int AnswerBytesMax = 4096;
    private const int TokenLengthMax = 256;

    /// <summary>The service takes a token for 20 to 60 minutes.</summary>
    private static readonly TimeSpan _tokenAge = TimeSpan.FromMinutes(50);
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(15);

    private readonly object _gate = new();
    private readonly ECDsa _key = ECDsa.Create();
    private readonly HttpClient _http;
    private readonly ApnsOptions _options;
    private readonly TimeProvider _time;
    private string? _token;
    private DateTimeOffset _tokenMade;

    /// <summary>Reads the key.</summary>
    /// <exception cref="ArgumentException">The key is none of P-256 in PEM.</exception>
    public ApnsSender(HttpClient http, ApnsOptions options, TimeProvider time)
    {
        (_http, _options, _time) = (http, options, time);
        _key.ImportFromPem(options.PrivateKeyPem);
        if (_key.KeySize != 256) throw new ArgumentException("APNs takes a P-256 key: the content of the .p8 file.");
    }

    public string Platform => "apns";

    public async ValueTask<PushResult> SendAsync(PushMessage message, CancellationToken cancellationToken)
    {
        // The token becomes part of the address.
        if (message.Token.Length > TokenLengthMax || !message.Token.All(char.IsAsciiHexDigit))
            return new PushResult(PushOutcome.InvalidToken, "the token is not hexadecimal");
        using var limit = new CancellationTokenSource(_timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            string token = ProviderToken(null);
            (PushResult result, bool isExpired) = await SendAsync(message, token, either.Token).ConfigureAwait(false);
            if (!isExpired) return result;
            return (await SendAsync(message, ProviderToken(token), either.Token).ConfigureAwait(false)).Result;
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

    public void Dispose() => _key.Dispose();

    private async Task<(PushResult Result, bool IsExpired)> SendAsync(
        PushMessage message, string token, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = Request(message, token);
        using HttpResponseMessage response = await _http
            .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.OK) return (PushResult.Sent, false);
        byte[]? body = await OutgoingHttp.ReadBodyAsync(response, AnswerBytesMax, cancellationToken).ConfigureAwait(false);
        string reason = PushAnswer.Text(body, "reason") ?? $"status {(int)response.StatusCode}";
        PushOutcome outcome = response.StatusCode switch
        {
            HttpStatusCode.Gone => PushOutcome.InvalidToken,
            HttpStatusCode.BadRequest when reason is "BadDeviceToken" => PushOutcome.InvalidToken,
            HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError => PushOutcome.Retry,
            _ => PushOutcome.Refused,
        };
        return (new PushResult(outcome, reason, OutgoingHttp.RetryAfter(response, _time)), reason is "ExpiredProviderToken");
    }

    private HttpRequestMessage Request(PushMessage message, string token)
    {
        byte[] payload = JsonSerializer.SerializeToUtf8Bytes(
            message.Data is { } data ? new ApnsPayload(new ApnsBody(1), null, data)
                : new ApnsPayload(new ApnsBody(1), new PushNews(message.Pool, PushAnswer.Shown(message.Datasets))),
            PushJson.Default.ApnsPayload);
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_options.BaseAddress, $"/3/device/{message.Token}"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(payload),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Authorization = new AuthenticationHeaderValue("bearer", token);
        request.Headers.Add("apns-topic", _options.Topic);
        request.Headers.Add("apns-push-type", "background");
        request.Headers.Add("apns-priority", "5"); // The service refuses any other for background pushes.
        return request;
    }

    /// <summary>The token in use, or a new one if it is old or the one that the service called expired.</summary>
    private string ProviderToken(string? expired)
    {
        lock (_gate)
        {
            DateTimeOffset now = _time.GetUtcNow();
            if (_token is not null && _token != expired && now - _tokenMade < _tokenAge) return _token;
            _token = SignedToken.Create(
                $$"""{"alg":"ES256","kid":"{{JsonEncodedText.Encode(_options.KeyId)}}"}""",
                string.Create(CultureInfo.InvariantCulture,
                    $$"""{"iss":"{{JsonEncodedText.Encode(_options.TeamId)}}","iat":{{now.ToUnixTimeSeconds()}}}"""),
                content => _key.SignData(content, HashAlgorithmName.SHA256));
            _tokenMade = now;
            return _token;
        }
    }
}
