using System.Collections.Concurrent;
using System.IO.Pipes;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Reactive.Linq;
using System.Reactive.Threading.Tasks;
using System.Security.Cryptography;
using SyncEngine.Causality;
using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.Tests.Sync;

/// <summary>Two stores live over each transport, and connections that nobody should trust.</summary>
public sealed class TransportTests
{
    private static readonly byte[] _secret = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    private static CancellationToken Soon => new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token;

    [Theory]
    [InlineData("tcp")]
    [InlineData("tls pinned")]
    [InlineData("tls secret")]
    [InlineData("unix")]
    [InlineData("pipe")]
    [InlineData("websocket")]
    public async Task Two_stores_stay_in_sync_over_every_transport(string kind)
    {
        await using SyncStore left = SyncStore.OpenInMemory(), right = SyncStore.OpenInMemory();
        await left.AdoptIdentityAsync(right.Identity.Id);
        left.Identity.Dataset("save")["l"] = new string('x', 3_000_000);
        SyncOptions options = kind == "tls secret" ? new SyncOptions { Secret = _secret } : new SyncOptions();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Soon);
        (ISyncConnector connector, Task serving) = Serve(kind, right, options, stop.Token);
        await using (SyncLink link = left.Connect(connector, options))
        {
            SyncStatus status = await link.Status.FirstAsync(s => s.State is SyncState.Live or SyncState.Failed).ToTask(Soon);
            Assert.True(status.State == SyncState.Live, status.Failure?.ToString());
            for (int i = 0; i < 10; i++)
            {
                left.Identity.Dataset("save")["x"] = i;
                right.Identity.Dataset("save")["y"] = i;
                while (right.Identity.Dataset("save")["x"] != i || left.Identity.Dataset("save")["y"] != i)
                    await Task.Delay(1, stop.Token);
            }
        }

        stop.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => serving);
    }

    [Fact]
    public async Task A_certificate_that_nobody_vouches_for_is_refused_unless_a_secret_is_shared()
    {
        await using var listener = new SyncListener(Loopback, PeerCertificate.CreateSelfSigned());
        using SyncStore store = SyncStore.OpenInMemory();
        int port = ((IPEndPoint)listener.EndPoint).Port;
        await Refused(new TlsConnector("localhost", port));
        await Refused(new TlsConnector("localhost", port) { PinnedCertificate = new byte[32] });
        await Refused(new TlsConnector("localhost", port) { TrustsAnyCertificate = true });

        async Task Refused(TlsConnector connector) => Assert.Equal(SyncErrorCode.Unauthorized,
            (await Assert.ThrowsAsync<SyncException>(() => store.SynchronizeAsync(connector, null, null, Soon).AsTask())).Code);
    }

    /// <summary>Somebody who ends TLS on both sides passes every message on, but not the proof.</summary>
    [Fact]
    public async Task A_man_in_the_middle_is_found_by_both_sides()
    {
        await using SyncStore left = SyncStore.OpenInMemory(), right = SyncStore.OpenInMemory();
        await left.AdoptIdentityAsync(right.Identity.Id);
        left.Identity.Dataset("save")["x"] = 1;
        var options = new SyncOptions { Secret = _secret };
        await using var honest = new SyncListener(Loopback, PeerCertificate.CreateSelfSigned());
        await using var middle = new SyncListener(Loopback, PeerCertificate.CreateSelfSigned());
        Task relaying = Task.Run(async () =>
        {
            await using ISyncTransport near = await middle.AcceptAsync(Soon);
            await using ISyncTransport far = await Trusting(honest).ConnectAsync(Soon);
            await Task.WhenAny(Copy(near, far), Copy(far, near));

            // What either side still has to say is passed on.
            await Task.Delay(300);
        });
        Task<SyncResult> serving = Task.Run(async () => await right.ServeAsync(await honest.AcceptAsync(Soon), options, Soon));
        SyncException mine = await Assert.ThrowsAsync<SyncException>(
            () => left.SynchronizeAsync(Trusting(middle), options, null, Soon).AsTask());
        SyncException theirs = await Assert.ThrowsAsync<SyncException>(() => serving);
        Assert.Equal((SyncErrorCode.Unauthorized, SyncErrorCode.Unauthorized), (mine.Code, theirs.Code));
        Assert.Empty(right.Identity.DatasetNames);
        await relaying;
    }

    [Fact]
    public async Task Slow_and_hostile_connections_hold_up_nobody()
    {
        await using SyncStore left = SyncStore.OpenInMemory(), right = SyncStore.OpenInMemory();
        await left.AdoptIdentityAsync(right.Identity.Id);
        var options = new SyncOptions { Secret = _secret };
        await using var listener = new SyncListener(Loopback, PeerCertificate.CreateSelfSigned());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Soon);
        var told = new ConcurrentQueue<ServedPeer>();
        Task serving = right.ServeAsync(listener, options, told.Enqueue, cancellationToken: stop.Token);
        var silent = new List<TcpClient>();
        for (int i = 0; i < 40; i++)
        {
            silent.Add(new TcpClient());
            await silent[i].ConnectAsync(IPAddress.Loopback, ((IPEndPoint)listener.EndPoint).Port);
            if (i % 2 == 0) await silent[i].GetStream().WriteAsync(RandomNumberGenerator.GetBytes(100), Soon);
        }

        SyncOptions wrong = options with { Secret = new byte[16] };
        await Assert.ThrowsAsync<SyncException>(() => left.SynchronizeAsync(Trusting(listener), wrong, null, Soon).AsTask());
        Assert.True((await left.SynchronizeAsync(Trusting(listener), options, null, Soon)).IsComplete);
        while (told.Count(peer => !peer.IsConnected) < 2) await Task.Delay(1, stop.Token);
        silent.ForEach(client => client.Dispose());
        stop.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => serving);
        Assert.Contains(told, peer => peer.Failure?.Code == SyncErrorCode.Unauthorized);
        Assert.Contains(told, peer => peer.Result is { IsComplete: true });
        Assert.Equal(told.Count(peer => peer.IsConnected), told.Count(peer => !peer.IsConnected));
    }

    private static IPEndPoint Loopback => new(IPAddress.Loopback, 0);

    private static TlsConnector Trusting(SyncListener listener) =>
        new("127.0.0.1", ((IPEndPoint)listener.EndPoint).Port) { TrustsAnyCertificate = true };

    private static async Task Copy(ISyncTransport from, ISyncTransport to)
    {
        try
        {
            while (await from.ReceiveAsync(Soon) is { IsEmpty: false } message) await to.SendAsync(message, Soon);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException)
        {
        }
    }

    private static (ISyncConnector Connector, Task Serving) Serve(
        string kind, SyncStore store, SyncOptions options, CancellationToken stop)
    {
        if (kind == "pipe")
        {
            string name = "sync-" + Guid.NewGuid().ToString("n")[..12];
            return (new PipeConnector(name), Task.Run(async () =>
            {
                var pipe = new NamedPipeServerStream(
                    name, PipeDirection.InOut, 1, PipeTransmissionMode.Byte, PipeOptions.Asynchronous);
                await pipe.WaitForConnectionAsync(stop);
                await store.ServeAsync(new StreamTransport(pipe), options, stop);
                throw new OperationCanceledException();
            }, stop));
        }

        if (kind == "websocket")
        {
            var probe = new TcpListener(IPAddress.Loopback, 0);
            probe.Start();
            int free = ((IPEndPoint)probe.LocalEndpoint).Port;
            probe.Stop();
            var http = new HttpListener();
            http.Prefixes.Add($"http://127.0.0.1:{free}/");
            http.Start();
            return (new WebSocketConnector(new Uri($"ws://127.0.0.1:{free}/sync")), Task.Run(async () =>
            {
                HttpListenerContext context = await http.GetContextAsync();
                HttpListenerWebSocketContext accepted = await context.AcceptWebSocketAsync(null);
                WebSocket socket = accepted.WebSocket;
                await store.ServeAsync(new WebSocketTransport(socket), options, stop);
                http.Close();
                throw new OperationCanceledException();
            }, stop));
        }

        EndPoint endPoint = kind == "unix"
            ? new UnixDomainSocketEndPoint(Path.Combine(Path.GetTempPath(), $"s{Guid.NewGuid():n}"[..16])) : Loopback;
        var certificate = kind.StartsWith("tls", StringComparison.Ordinal) ? PeerCertificate.CreateSelfSigned() : null;
        byte[] pin = certificate is null ? [] : SHA256.HashData(certificate.RawData);
        var listener = new SyncListener(endPoint, certificate);
        int port = listener.EndPoint is IPEndPoint ip ? ip.Port : 0;
        ISyncConnector connector = kind switch
        {
            "tcp" => new TcpConnector("127.0.0.1", port),
            "tls pinned" => new TlsConnector("127.0.0.1", port) { PinnedCertificate = pin },
            "tls secret" => Trusting(listener),
            _ => new UnixSocketConnector(listener.EndPoint.ToString()!),
        };
        return (connector, ServeAll(listener, store, options, stop));
    }

    private static async Task ServeAll(SyncListener listener, SyncStore store, SyncOptions options, CancellationToken stop)
    {
        await using (listener) await store.ServeAsync(listener, options, cancellationToken: stop);
    }
}
