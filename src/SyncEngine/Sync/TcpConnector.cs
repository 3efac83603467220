using System.Net.Sockets;

namespace SyncEngine.Sync;

/// <summary>Connects over plain TCP: for the loopback, or a network that is trusted.</summary>
/// <param name="host">A name or an address.</param>
/// <param name="port">1 to 65,535.</param>
public sealed class TcpConnector(string host, int port) : ISyncConnector
{
    /// <inheritdoc/>
    public string Name => $"tcp://{host}:{port}";

    /// <inheritdoc/>
    /// <exception cref="SocketException">Nobody answers there.</exception>
    public async ValueTask<ISyncTransport> ConnectAsync(CancellationToken cancellationToken) =>
        new StreamTransport(await OpenAsync(host, port, cancellationToken).ConfigureAwait(false));

    internal static async Task<Stream> OpenAsync(string host, int port, CancellationToken cancellationToken)
    {
        var client = new TcpClient { NoDelay = true };
        try
        {
            using (cancellationToken.Register(client.Dispose))
                await client.ConnectAsync(host, port).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            return client.GetStream();
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            client.Dispose();
            throw new OperationCanceledException(cancellationToken);
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }
}
