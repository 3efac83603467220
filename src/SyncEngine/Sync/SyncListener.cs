using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using SyncEngine.Causality;

namespace SyncEngine.Sync;

/// <summary>
/// Listens for peers over TCP, with or without TLS, or on a Unix domain socket. A slow or hostile connection holds up no
/// other: at most 64 are between connecting and being accepted, each for at most ten seconds. Dispose it to stop.
/// </summary>
public sealed class SyncListener : IAsyncDisposable
{
    private const int HandshakesMax = 64;
    private static readonly TimeSpan _handshakeMax = TimeSpan.FromSeconds(10);

    private readonly Socket _socket;
    private readonly X509Certificate2? _certificate;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _handshakes = new(HandshakesMax, HandshakesMax);
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly Queue<(ISyncTransport Transport, string Name)> _ready = new();
    private readonly Task _accepting;

    /// <summary>Begins to listen.</summary>
    /// <param name="endPoint">Where: an <see cref="IPEndPoint"/> (port 0 for any free one), or a
    /// <see cref="UnixDomainSocketEndPoint"/>.</param>
    /// <param name="certificate">Turns on TLS; with its private key. <see cref="PeerCertificate.CreateSelfSigned"/> makes
    /// one.</param>
    /// <exception cref="SyncException">The address is taken, or none of this machine's (ConnectionFailed).</exception>
    public SyncListener(EndPoint endPoint, X509Certificate2? certificate = null)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        _certificate = certificate;
        _socket = new Socket(endPoint.AddressFamily, SocketType.Stream,
            endPoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        try
        {
            _socket.Bind(endPoint);
            _socket.Listen(512);
        }
        catch (SocketException e)
        {
            _socket.Dispose();
            throw new SyncException(SyncErrorCode.ConnectionFailed, $"Cannot listen on {endPoint}: {e.Message}. Choose another "
                + "address or port.", innerException: e);
        }

        EndPoint = _socket.LocalEndPoint ?? endPoint;
        _accepting = Task.Run(AcceptAllAsync);
    }

    /// <summary>Where it listens.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>The next peer that connected, ready to be served by a store.</summary>
    /// <exception cref="OperationCanceledException">The wait was cancelled, or the listener disposed.</exception>
    public async ValueTask<ISyncTransport> AcceptAsync(CancellationToken cancellationToken = default) =>
        (await AcceptNamedAsync(cancellationToken).ConfigureAwait(false)).Transport;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _stopping.Cancel();
        _socket.Dispose();
        await _accepting.ConfigureAwait(false);
        while (TryTake(out (ISyncTransport Transport, string Name) left))
            await left.Transport.DisposeAsync().ConfigureAwait(false);
    }

    internal async Task<(ISyncTransport Transport, string Name)> AcceptNamedAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
        while (true)
        {
            await _arrived.WaitAsync(either.Token).ConfigureAwait(false);
            if (TryTake(out (ISyncTransport Transport, string Name) next)) return next;
        }
    }

    private bool TryTake(out (ISyncTransport Transport, string Name) next)
    {
        lock (_ready) return _ready.TryDequeue(out next);
    }

    private async Task AcceptAllAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await _handshakes.WaitAsync(_stopping.Token).ConfigureAwait(false);
                Socket accepted = await _socket.AcceptAsync().ConfigureAwait(false);
                _ = GreetAsync(accepted);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                // A connection that was gone before it was accepted, or the end.
                if (!_stopping.IsCancellationRequested) _handshakes.Release();
            }
        }
    }

    private async Task GreetAsync(Socket socket)
    {
        Stream? stream = null;
        try
        {
            if (socket.AddressFamily != AddressFamily.Unix) socket.NoDelay = true;
            string name = socket.RemoteEndPoint?.ToString() ?? "";
            stream = new NetworkStream(socket, ownsSocket: true);
            ISyncTransport transport;
            if (_certificate is null)
            {
                transport = new StreamTransport(stream);
            }
            else
            {
                var secured = new SslStream(stream, leaveInnerStreamOpen: false);
                stream = secured;
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
                limit.CancelAfter(_handshakeMax);
                await secured.AuthenticateAsServerAsync(
                    new SslServerAuthenticationOptions { ServerCertificate = _certificate }, limit.Token).ConfigureAwait(false);
                transport = new SecureTransport(secured, TlsConnector.HashOf(_certificate), needsSecret: false);
            }

            lock (_ready) _ready.Enqueue((transport, name));
            _arrived.Release();
        }
        catch (Exception)
        {
            // Whoever cannot even shake hands is nobody's peer.
            if (stream is not null) await stream.DisposeAsync().ConfigureAwait(false);
            else socket.Dispose();
        }
        finally
        {
            _handshakes.Release();
        }
    }
}
