using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using SyncEngine.Causality;

namespace SyncEngine.Hub.Syncing;

/// <summary>
/// Sessions over plain requests: a request brings messages, fetches those that wait, or both, each message as four bytes of
/// length, big-endian, and its bytes. Who fetches by two requests at once gets the messages in no order. A session is named by a
/// header, belongs to the device that began it, and ends when nothing was heard of it for a minute.
/// </summary>
internal sealed class HttpExchange(SyncServing serving, TimeProvider time)
{
    public const string SessionHeader = "Syncengine-Session";

    private const int BodyBytesMax = 64 * 1024 * 1024 + 4096;
    private const int ResponseBytesSoftMax = 1024 * 1024;
    private const int SessionsMax = 10_000;
    private static readonly TimeSpan _silenceMax = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _waitMax = TimeSpan.FromSeconds(25);
    private readonly ConcurrentDictionary<string, Exchange> _exchanges = new(StringComparer.Ordinal);

    /// <summary>How many sessions there are, with those that have just ended.</summary>
    public int Count => _exchanges.Count;

    /// <summary>Serves one request of a device.</summary>
    /// <param name="http">The request: its body holds messages. It fetches if the body is empty, or if its query has <c>wait</c>,
    /// the seconds to wait where nothing is there to fetch.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="stopping">Ends all sessions.</param>
    public async Task<IResult> RunAsync(HttpContext http, SyncCaller caller, CancellationToken stopping)
    {
        string? name = http.Request.Headers[SessionHeader];
        bool begins = name is null;
        Exchange? exchange;
        if (name is null) (name, exchange) = await BeginAsync(caller, stopping).ConfigureAwait(false);
        else exchange = Find(name, caller);
        if (exchange is null && begins)
        {
            http.Response.Headers.RetryAfter = "30";
            return Results.Problem("Too many sessions are open: end some, or try again when they have fallen silent.",
                statusCode: 503, title: "No room for another session.", type: "urn:syncengine:busy");
        }

        if (exchange is null)
            return Results.Problem("Begin a new session: send no session header.", statusCode: 404,
                title: "There is no such session.", type: "urn:syncengine:no-session");
        http.Response.Headers[SessionHeader] = name;
        exchange.Touch();
        if (HttpMethods.IsDelete(http.Request.Method))
        {
            await exchange.Transport.DisposeAsync().ConfigureAwait(false);
            return Results.NoContent();
        }

        double.TryParse(http.Request.Query["wait"], System.Globalization.CultureInfo.InvariantCulture, out double seconds);
        TimeSpan wait = TimeSpan.FromSeconds(Math.Clamp(double.IsFinite(seconds) ? seconds : 0, 0, _waitMax.TotalSeconds));
        try
        {
            // Whoever only fetches never waits for whoever sends. Why a session has ended is still to be fetched.
            bool isTaken = http.Request.ContentLength == 0
                || await exchange.TryPutAsync(http.Request, http.RequestAborted).ConfigureAwait(false);
            bool fetches = http.Request.ContentLength == 0 || http.Request.Query.ContainsKey("wait");
            byte[] answer = fetches
                ? await FetchAsync(exchange.Transport, wait, http.RequestAborted).ConfigureAwait(false) : [];
            if (!isTaken && answer.Length == 0) throw QueueTransport.Ended();
            return Results.Bytes(answer, "application/octet-stream");
        }
        catch (SyncException e) when (e.Code is SyncErrorCode.Malformed or SyncErrorCode.LimitExceeded)
        {
            if (begins) await exchange.Transport.DisposeAsync().ConfigureAwait(false);
            return Results.Problem(e.Message, statusCode: e.Code == SyncErrorCode.LimitExceeded ? 413 : 400,
                title: "The request is no sequence of messages.", type: "urn:syncengine:bad-exchange");
        }
        catch (SyncException e)
        {
            return Results.Problem(e.Message, statusCode: 404, title: "The session has ended.",
                type: "urn:syncengine:no-session");
        }
    }

    private Exchange? Find(string name, SyncCaller caller) =>
        _exchanges.TryGetValue(name, out Exchange? exchange) && exchange.Caller.Pool == caller.Pool
        && exchange.Caller.Id == caller.Id && exchange.Caller.Device == caller.Device ? exchange : null;

    private async Task<(string Name, Exchange? Exchange)> BeginAsync(SyncCaller caller, CancellationToken stopping)
    {
        string name = WebEncoders.Base64UrlEncode(RandomNumberGenerator.GetBytes(16));
        if (_exchanges.Count >= SessionsMax || !serving.HasRoom(caller)) return (name, null);
        OpenSession session = await serving.BeginAsync(caller, stopping).ConfigureAwait(false);
        var exchange = new Exchange(caller, time, _silenceMax);
        _exchanges[name] = exchange;
        _ = Task.Run(async () =>
        {
            try
            {
                using (exchange)
                using (exchange.Silent.Register(() => _ = session.CutAsync()))
                    await serving.RunAsync(caller, session, exchange.Transport).ConfigureAwait(false);

                // What is left may still be fetched for a moment.
                await Task.Delay(TimeSpan.FromSeconds(5), time, CancellationToken.None).ConfigureAwait(false);
            }
            finally
            {
                _exchanges.TryRemove(name, out _);
            }
        }, CancellationToken.None);
        return (name, exchange);
    }

    private static async Task<byte[]> FetchAsync(QueueTransport transport, TimeSpan wait, CancellationToken cancellationToken)
    {
        var answer = new MemoryStream();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(wait);
        bool goesOn = true;
        try
        {
            if (wait > TimeSpan.Zero) goesOn = await transport.WaitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Nothing came: an empty answer.
        }

        byte[] header = new byte[4];
        while (answer.Length < ResponseBytesSoftMax && transport.TryTake(out ReadOnlyMemory<byte> message))
        {
            BinaryPrimitives.WriteInt32BigEndian(header, message.Length);
            answer.Write(header);
            answer.Write(message.Span);
        }

        if (!goesOn && answer.Length == 0) throw QueueTransport.Ended();
        return answer.ToArray();
    }

    private static async Task<List<ReadOnlyMemory<byte>>> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > BodyBytesMax) throw TooLarge();
        var body = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        for (int read; (read = await request.Body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
        {
            if (body.Length + read > BodyBytesMax) throw TooLarge();
            body.Write(buffer, 0, read);
        }

        var messages = new List<ReadOnlyMemory<byte>>();
        ReadOnlyMemory<byte> rest = body.GetBuffer().AsMemory(0, (int)body.Length);
        while (!rest.IsEmpty)
        {
            int length = rest.Length < 4 ? 0 : BinaryPrimitives.ReadInt32BigEndian(rest.Span);
            if (length <= 0 || length > rest.Length - 4)
                throw new SyncException(SyncErrorCode.Malformed, "A message's length is wrong: each message is four bytes of "
                    + "length, big-endian, and its bytes.", 0);
            messages.Add(rest.Slice(4, length));
            rest = rest[(4 + length)..];
        }

        return messages;
    }

    private static SyncException TooLarge() => new(SyncErrorCode.LimitExceeded,
        $"The request has more than the {BodyBytesMax:N0} bytes allowed. Send fewer messages at once.");

    private sealed class Exchange(SyncCaller caller, TimeProvider time, TimeSpan silenceMax) : IDisposable
    {
        private readonly CancellationTokenSource _silent = new(silenceMax, time);

        // Not disposed, since requests may wait for it when the session ends; it holds nothing.
        private readonly SemaphoreSlim _putting = new(1, 1);

        public SyncCaller Caller => caller;

        public QueueTransport Transport { get; } = new();

        /// <summary>Gives the session the messages of a request; one request at a time, so that a device holds no more memory
        /// than that, however many it sends.</summary>
        /// <returns>False where the session has ended.</returns>
        /// <exception cref="SyncException">They are malformed or too large.</exception>
        public async Task<bool> TryPutAsync(HttpRequest request, CancellationToken cancellationToken)
        {
            await _putting.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                foreach (ReadOnlyMemory<byte> message in await ReadAsync(request, cancellationToken).ConfigureAwait(false))
                    if (!await Transport.TryPutAsync(message, cancellationToken).ConfigureAwait(false)) return false;
                return true;
            }
            finally
            {
                _putting.Release();
            }
        }

        public CancellationToken Silent => _silent.Token;

        public void Touch()
        {
            try
            {
                _silent.CancelAfter(silenceMax);
            }
            catch (ObjectDisposedException)
            {
                // It has ended; what is left may still be fetched.
            }
        }

        public void Dispose() => _silent.Dispose();
    }
}
