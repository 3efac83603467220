using System.Net.Sockets;

namespace SyncEngine.Sync;

/// <summary>Connects to another process of this machine over a Unix domain socket.</summary>
/// <param name="path">The socket's file.</param>
public sealed class UnixSocketConnector(string path) : ISyncConnector
{
    /// <inheritdoc/>
    public string Name => "unix://" + path;

    /// <inheritdoc/>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    public async ValueTask<ISyncTransport> ConnectAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            using (cancellationToken.Register(socket.Dispose))
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            return new StreamTransport(new NetworkStream(socket, ownsSocket: true));
        }
        catch
        {
            socket.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
    }
}
