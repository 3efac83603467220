using System.Net.Sockets;

namespace SyncEngine.Sync;

/// <summary>Connects over plain TCP: for the loopback, or a network that is trusted.</summary>
/// <param name="host">A name or an address.</param>
/// <param name="port">1 to 65,535.</param>
public sealed class TcpConnector(string host, int port) : ISyncConnector
{
    private readonly (string Host, int Port) _address = Checked(host, port);

    /// <inheritdoc/>
    public string Name => $"tcp://{_address.Host}:{_address.Port}";

    /// <inheritdoc/>
    /// <exception cref="SocketException">Nobody answers there.</exception>
    public async ValueTask<ISyncTransport> ConnectAsync(CancellationToken cancellationToken) =>
        new StreamTransport(await OpenAsync(_address.Host, _address.Port, cancellationToken).ConfigureAwait(false));

    internal static (string Host, int Port) Checked(string host, int port)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (host.Length == 0) throw new ArgumentException("Name a host or an address.", nameof(host));
        if (port is < 1 or > 65_535) throw new ArgumentOutOfRangeException(nameof(port), port, "A port is from 1 to 65,535.");
        return (host, port);
    }

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
