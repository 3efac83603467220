using System.Net;

namespace SyncEngine.Hub.Push;

/// <summary>
/// Connections to addresses that operators configure. No redirect is followed, no cookie kept, and what comes back is bounded.
/// Private addresses are allowed: only operators name addresses, and theirs are often private.
/// </summary>
internal static class OutgoingHttp
{
    /// <summary>A client for all of the hub's outgoing requests; each caller sets its own time limit.</summary>
    public static HttpClient CreateClient() => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = TimeSpan.FromSeconds(10),
        MaxResponseHeadersLength = 16,
        MaxResponseDrainSize = 64 * 1024,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        EnableMultipleHttp2Connections = true,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>Reads a body up to a bound; null if it is longer.</summary>
    public static async ValueTask<byte[]?> ReadBodyAsync(
        HttpResponseMessage response, int bytesMax, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > bytesMax) return null;
        Stream body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            using var read = new MemoryStream();
            byte[] piece = new byte[4096];
            while (true)
            {
                int count = await body.ReadAsync(piece, cancellationToken).ConfigureAwait(false);
                if (count == 0) return read.ToArray();
                if (read.Length + count > bytesMax) return null;
                read.Write(piece, 0, count);
            }
        }
    }

    /// <summary>How long an answer asks to wait; null if it does not say, never negative.</summary>
    public static TimeSpan? RetryAfter(HttpResponseMessage response, TimeProvider time)
    {
        TimeSpan? asked = response.Headers.RetryAfter?.Delta ?? response.Headers.RetryAfter?.Date - time.GetUtcNow();
        return asked < TimeSpan.Zero ? TimeSpan.Zero : asked;
    }
}
