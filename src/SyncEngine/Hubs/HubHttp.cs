using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using SyncEngine.Causality;

namespace SyncEngine.Hubs;

/// <summary>Requests to a hub. A refusal is a <see cref="SyncException"/> with what the hub says to do.</summary>
internal sealed class HubHttp(Uri hub, HttpMessageHandler? handler) : IDisposable
{
    private const string RefusesCredentialKey = "SyncEngine.HubRefusesCredential";
    private const string RefusedLogin = "urn:syncengine:login-not-accepted";
    private const int AnswerBytesMax = 4 * 1024 * 1024;
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(30);
    private readonly HttpClient _client = handler is null ? new HttpClient() { Timeout = _timeout }
        : new HttpClient(handler) { Timeout = _timeout };

    public Uri Address(string path) => new(hub.AbsoluteUri.TrimEnd('/') + path);

    /// <summary>Writes the members of a JSON object.</summary>
    public static byte[] Write(Action<Utf8JsonWriter> members)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>Sends a request and reads the answer's JSON; an empty answer is an undefined element.</summary>
    /// <exception cref="SyncException">The hub cannot be reached (ConnectionFailed), or refuses (Unauthorized).</exception>
    public async Task<JsonElement> SendAsync(
        HttpMethod method, string path, byte[]? body, string? token, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, Address(path));
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        (HttpStatusCode status, byte[] answer) = await ExchangeAsync(request, cancellationToken).ConfigureAwait(false);
        if ((int)status >= 400) throw FailureOf(status, answer);
        try
        {
            if (answer.Length == 0) return default;
            using JsonDocument document = JsonDocument.Parse(answer);
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new SyncException(SyncErrorCode.ConnectionFailed, $"{hub} answers something that is no hub's answer: check the "
                + "address, which ends in the hub's base path, such as /sync.", innerException: e);
        }
    }

    /// <summary>Reads an answer.</summary>
    /// <exception cref="SyncException">It lacks something, or is of another form.</exception>
    public static T Read<T>(JsonElement answer, Func<JsonElement, T> read)
    {
        try
        {
            return read(answer);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException
            or ArgumentNullException)
        {
            throw new SyncException(SyncErrorCode.UnsupportedVersion, "The hub's answer is not as this version of the library "
                + "expects it: bring hub and app to versions that fit.", innerException: e);
        }
    }

    /// <summary>Sends bytes and gets bytes, for messages of a session.</summary>
    public async Task<(HttpStatusCode Status, byte[] Answer)> ExchangeAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            using HttpResponseMessage response = await _client.SendAsync(
                request, HttpCompletionOption.ResponseContentRead, cancellationToken).ConfigureAwait(false);
            byte[] answer = await response.Content.ReadBytesAsync(cancellationToken).ConfigureAwait(false);
            if (request.Headers.TryGetValues(HttpExchangeTransport.SessionHeader, out _)
                || response.Headers.TryGetValues(HttpExchangeTransport.SessionHeader, out _)) Session = SessionOf(response)
                    ?? Session;
            return (response.StatusCode, answer);
        }
        catch (HttpRequestException e)
        {
            throw new SyncException(SyncErrorCode.ConnectionFailed,
                $"{hub} could not be reached: {e.Message} Nothing is lost; it is tried again.", innerException: e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new SyncException(SyncErrorCode.ConnectionFailed, $"{hub} did not answer in time.", innerException: e);
        }
    }

    /// <summary>The session that the hub named last.</summary>
    public string? Session { get; set; }

    public static SyncException FailureOf(HttpStatusCode status, byte[] answer)
    {
        (string detail, string? type) = ($"The hub answers {(int)status}.", null);
        try
        {
            if (answer.Length is > 0 and < AnswerBytesMax)
            {
                using JsonDocument problem = JsonDocument.Parse(answer);
                if (problem.RootElement.TryGetProperty("detail", out JsonElement said)) detail = "The hub says: "
                    + said.GetString();
                if (problem.RootElement.TryGetProperty("type", out JsonElement kind)) type = kind.GetString();
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Something in between answered; the status has to do.
        }

        bool isTemporary = (int)status is 408 or 429 or >= 500;
        return new SyncException(isTemporary ? SyncErrorCode.ConnectionFailed : SyncErrorCode.Unauthorized, detail)
        {
            Data = { [RefusesCredentialKey] = status == HttpStatusCode.Unauthorized && type != RefusedLogin },
        };
    }

    /// <summary>Whether a failure says that the credential is not taken.</summary>
    public static bool IsUnauthenticated(SyncException failure) => failure.Data[RefusesCredentialKey] is true;

    public void Dispose() => _client.Dispose();

    private static string? SessionOf(HttpResponseMessage response) =>
        response.Headers.TryGetValues(HttpExchangeTransport.SessionHeader, out IEnumerable<string>? values)
            ? values.FirstOrDefault() : null;
}
