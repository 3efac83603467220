using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using SyncEngine.Sync;

namespace SyncEngine.Hubs;

/// <summary>A session over plain requests: some bring messages, one at a time fetches those that wait, so that they keep their
/// order.</summary>
internal sealed class HttpExchangeTransport(HubHttp http, string token) : ISyncTransport
{
    public const string SessionHeader = "Syncengine-Session";
    private const string Fetching = "?wait=20";
    private readonly Queue<byte[]> _received = new();
    private readonly SemaphoreSlim _beginning = new(1, 1);
    private readonly CancellationTokenSource _ended = new();
    private string? _session;
    private bool _isOver;

    public bool TellsTime => true;

    public async ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        byte[] body = new byte[4 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(body, message.Length);
        message.CopyTo(body.AsMemory(4));
        await ExchangeAsync(body, "", cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            lock (_received)
            {
                if (_received.Count > 0) return _received.Dequeue();
                if (_isOver) return default;
            }

            await ExchangeAsync([], Fetching, cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_ended.IsCancellationRequested) return;
        _ended.Cancel();
        if (_session is null) return;
        try
        {
            using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            using HttpRequestMessage request = Request(HttpMethod.Delete, "/exchange", []);
            await http.ExchangeAsync(request, soon.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is Causality.SyncException or OperationCanceledException)
        {
            // The hub ends it when nothing is heard of it.
        }
    }

    private async Task ExchangeAsync(byte[] body, string query, CancellationToken cancellationToken)
    {
        bool begins = _session is null;
        if (begins) await _beginning.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_session is not null && begins)
            {
                _beginning.Release();
                begins = false;
            }

            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ended.Token);
            using HttpRequestMessage request = Request(HttpMethod.Post, "/exchange" + (begins ? "" : query), body);
            (HttpStatusCode status, byte[] answer) = await http.ExchangeAsync(request, either.Token).ConfigureAwait(false);
            if (status == HttpStatusCode.NotFound && _session is not null)
            {
                lock (_received) _isOver = true;
                return;
            }

            if ((int)status >= 400) throw HubHttp.FailureOf(status, answer);
            _session ??= http.Session;
            Take(answer);
        }
        finally
        {
            if (begins) _beginning.Release();
        }
    }

    private HttpRequestMessage Request(HttpMethod method, string path, byte[] body)
    {
        var request = new HttpRequestMessage(method, http.Address(path)) { Content = new ByteArrayContent(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (_session is not null) request.Headers.Add(SessionHeader, _session);
        return request;
    }

    private void Take(byte[] answer)
    {
        lock (_received)
        {
            for (int at = 0; at + 4 <= answer.Length;)
            {
                int length = BinaryPrimitives.ReadInt32BigEndian(answer.AsSpan(at));
                if (length <= 0 || length > answer.Length - at - 4) break;
                _received.Enqueue(answer[(at + 4)..(at + 4 + length)]);
                at += 4 + length;
            }
        }
    }
}
