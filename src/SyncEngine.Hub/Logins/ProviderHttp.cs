using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace SyncEngine.Hub.Logins;

/// <summary>
/// How the hub calls login providers: https (http on loopback), no redirects, no cookies, answers of bounded size in bounded
/// time. Thread-safe.
/// </summary>
internal sealed class ProviderHttp : IDisposable
{
    /// <summary>Most bytes of an answer.</summary>
    public const int AnswerBytesMax = 256 * 1024;

    private readonly HttpClient _client;

    /// <param name="timeout">How long one call may take, all told; 10 s by default.</param>
    public ProviderHttp(TimeSpan? timeout = null)
    {
        TimeSpan limit = timeout ?? TimeSpan.FromSeconds(10);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = limit,
            MaxConnectionsPerServer = 16,
            MaxResponseHeadersLength = 16,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };
        _client = new HttpClient(handler) { Timeout = limit, MaxResponseContentBufferSize = AnswerBytesMax };
        _client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
    }

    /// <summary>The answer's status and its JSON object; none of it is to be trusted but to come from that address.</summary>
    /// <exception cref="ProviderUnavailableException">
    /// No answer in time, a redirect, 429 or 5xx, too large, or no JSON object.
    /// </exception>
    public async Task<ProviderAnswer> GetAsync(Uri address, string? bearer, CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            if (bearer is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
            using HttpResponseMessage response = await _client.SendAsync(request, cancellationToken).ConfigureAwait(false);
            int status = (int)response.StatusCode;
            if (status is 429 or >= 500)
                throw new ProviderUnavailableException(LoginReason.Unreachable, $"{address.Host} answered {status}.");
            if (status is < 200 or (>= 300 and < 400))
                throw new ProviderUnavailableException(LoginReason.ProviderUnusable, $"{address.Host} answered {status}.");
            byte[] body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            return new ProviderAnswer(status, ObjectOf(body, address));
        }
        catch (HttpRequestException failure)
        {
            LoginReason reason = failure.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded
                ? LoginReason.ProviderUnusable : LoginReason.Unreachable;
            throw new ProviderUnavailableException(
                reason, $"{address.Host} gave no answer: {failure.HttpRequestError}.", failure);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ProviderUnavailableException(LoginReason.Unreachable, $"{address.Host} gave no answer in time.", late);
        }
    }

    public void Dispose() => _client.Dispose();

    private static JsonElement ObjectOf(byte[] body, Uri address)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 16 });
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            // Said below, for anything that is no JSON object.
        }

        throw new ProviderUnavailableException(LoginReason.ProviderUnusable, $"{address.Host} answered with no JSON object.");
    }
}
