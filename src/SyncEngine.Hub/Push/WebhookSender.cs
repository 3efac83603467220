using System.Globalization;
using System.Net.Http.Headers;

namespace SyncEngine.Hub.Push;

/// <summary>Sends one signed payload. Thread-safe.</summary>
internal sealed class WebhookSender(HttpClient http, TimeProvider time)
{
    /// <summary>Sends and waits for the answer; fails only by cancellation.</summary>
    /// <param name="hook">Where to, and the secrets.</param>
    /// <param name="messageId">The same for each attempt of one payload, so that receivers can tell repetitions.</param>
    /// <param name="payload">JSON.</param>
    /// <param name="answerBytesMax">Most bytes taken of the answer.</param>
    /// <param name="timeout">How long all may take.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    public async ValueTask<WebhookAnswer> SendAsync(WebhookDefinition hook, string messageId, byte[] payload,
        int answerBytesMax, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using HttpRequestMessage request = Request(hook, messageId, payload);
            using HttpResponseMessage response = await http
                .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token).ConfigureAwait(false);
            int status = (int)response.StatusCode;
            TimeSpan? wait = OutgoingHttp.RetryAfter(response, time);
            if (!response.IsSuccessStatusCode)
                return new WebhookAnswer(status, null, wait, $"it answered with status {status}");
            byte[]? body = await OutgoingHttp.ReadBodyAsync(response, answerBytesMax, either.Token).ConfigureAwait(false);
            return new WebhookAnswer(status, body, wait, null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new WebhookAnswer(0, null, null, $"no answer within {timeout.TotalSeconds:0} s");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new WebhookAnswer(0, null, null, e.Message);
        }
    }

    private HttpRequestMessage Request(WebhookDefinition hook, string messageId, byte[] payload)
    {
        DateTimeOffset now = time.GetUtcNow();
        var request = new HttpRequestMessage(HttpMethod.Post, hook.Url) { Content = new ByteArrayContent(payload) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("SyncEngine-Hub", "1"));
        request.Headers.Add("webhook-id", messageId);
        request.Headers.Add("webhook-timestamp", now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", WebhookSignature.Sign(hook.Secrets, messageId, now, payload));
        return request;
    }
}
