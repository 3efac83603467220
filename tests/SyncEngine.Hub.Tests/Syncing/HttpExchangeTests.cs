using System.Net;
using System.Net.Http.Headers;
using System.Reactive.Linq;
using System.Reactive.Threading.Tasks;
using SyncEngine.Hub.Syncing;
using SyncEngine.Hubs;
using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.Hub.Tests.Syncing;

/// <summary>Sessions over plain requests: the order of their messages, and what they hold in memory.</summary>
public sealed class HttpExchangeTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_request_that_brings_messages_is_answered_with_none_so_that_they_keep_their_order()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore phone = await device.OpenStoreAsync(), laptop = await device.OpenStoreAsync();
        await using SyncLink link = laptop.Connect(device.Connector());
        var watch = new WatchedExchange();
        using var http = new HubHttp(new Uri(hub.Address, "/sync"), watch);
        await using SyncLink plain = phone.Connect(new PlainConnector(() => new HttpExchangeTransport(http, device.AccessToken)));
        for (int i = 0; i < 300; i++)
        {
            await laptop.Identity.Dataset("save").PutAsync("laptop", i);
            await phone.Identity.Dataset("save").PutAsync("phone", i);
        }

        await plain.Status.Select(static _ => 0).Merge(Observable.Interval(TimeSpan.FromMilliseconds(50)).Select(static _ => 0))
            .Where(_ => phone.Identity.Dataset("save")["laptop"] == 299).FirstAsync().ToTask().WaitAsync(_patience);
        Assert.InRange(watch.Brought, 1, int.MaxValue);
        Assert.InRange(watch.BytesFetched, 1, long.MaxValue);
        Assert.Equal(0, watch.BytesAnsweredToBringing);
    }

    [Fact]
    public async Task A_device_that_does_not_fetch_slows_its_session_down()
    {
        await using var transport = new QueueTransport();
        byte[] message = [1];
        int sent = 0;
        ValueTask waiting = default;
        while (sent < 1000 && (waiting = transport.SendAsync(message, default)).IsCompletedSuccessfully) sent++;
        Assert.InRange(sent, 1, 64);
        Assert.True(transport.TryTake(out _));
        await waiting.AsTask().WaitAsync(_patience);
        Assert.True(await transport.TryPutAsync(message, default));
        Task<bool> second = transport.TryPutAsync(message, default).AsTask();
        Assert.False(second.IsCompleted);
        await transport.ReceiveAsync(default);
        Assert.True(await second.WaitAsync(_patience));
    }

    [Fact]
    public async Task Requests_of_one_session_are_read_one_after_another()
    {
        const int bytes = 48 * 1024 * 1024, others = 4;
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        using HttpResponseMessage begun = await SendAsync(hub, device, null, new ByteArrayContent([]), default);
        string session = begun.Headers.GetValues("Syncengine-Session").Single();
        using var ends = new CancellationTokenSource(_patience);
        var first = new Counted(bytes, 1024 * 1024);
        Counted[] late = [.. Enumerable.Range(0, others).Select(static _ => new Counted(bytes, bytes))];
        List<Task> sending = [SendAsync(hub, device, session, first, ends.Token)];
        await first.HasStalled.Task.WaitAsync(_patience);
        sending.AddRange(late.Select(content => SendAsync(hub, device, session, content, ends.Token)));

        // Until no more is taken: what stands in buffers of the system and the server is not the session's.
        for (long before = -1, now = 0; before != now || now == 0; now = late.Sum(static content => content.Sent))
        {
            before = now;
            await Task.Delay(500, ends.Token);
        }

        Assert.All(late, static content => Assert.InRange(content.Sent, 0, bytes / 2));
        await ends.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => Task.WhenAll(sending));
    }

    private static async Task<HttpResponseMessage> SendAsync(
        HubApp hub, RawDevice device, string? session, HttpContent content, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/sync/exchange") { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", device.AccessToken);
        if (session is not null) request.Headers.Add("Syncengine-Session", session);
        return await hub.Http.SendAsync(request, cancellationToken);
    }

    private sealed class PlainConnector(Func<ISyncTransport> connect) : ISyncConnector
    {
        public string Name => "the hub over plain requests";

        public ValueTask<ISyncTransport> ConnectAsync(CancellationToken cancellationToken) => new(connect());
    }

    /// <summary>A body of zeros that stops after some.</summary>
    private sealed class Counted(int bytes, int stopsAfter) : HttpContent
    {
        private long _sent;

        public long Sent => Interlocked.Read(ref _sent);

        public TaskCompletionSource HasStalled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, default);

        protected override async Task SerializeToStreamAsync(
            Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            byte[] piece = new byte[64 * 1024];
            while (Sent < stopsAfter)
            {
                await stream.WriteAsync(piece, cancellationToken);
                Interlocked.Add(ref _sent, piece.Length);
            }

            await stream.FlushAsync(cancellationToken);
            HasStalled.SetResult();
            if (stopsAfter < bytes) await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = bytes;
            return true;
        }
    }

    /// <summary>Counts what comes with the answers of a hub.</summary>
    private sealed class WatchedExchange : DelegatingHandler
    {
        private long _fetched;
        private long _answered;
        private int _brought;

        public WatchedExchange() : base(new SocketsHttpHandler())
        {
        }

        public int Brought => _brought;

        public long BytesFetched => Interlocked.Read(ref _fetched);

        public long BytesAnsweredToBringing => Interlocked.Read(ref _answered);

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            bool brings = request.Content?.Headers.ContentLength > 0;
            HttpResponseMessage answer = await base.SendAsync(request, cancellationToken);
            await answer.Content.LoadIntoBufferAsync(cancellationToken);
            long bytes = answer.IsSuccessStatusCode ? answer.Content.Headers.ContentLength ?? 0 : 0;
            if (brings) Interlocked.Increment(ref _brought);
            Interlocked.Add(ref brings ? ref _answered : ref _fetched, bytes);
            return answer;
        }
    }
}
