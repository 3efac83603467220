using System.Net;
using System.Net.Sockets;
using SyncEngine.Sync;

namespace SyncEngine.Benchmarks.Syncing;

/// <summary>A TCP connection of this process with itself.</summary>
internal static class Loopback
{
    public static async Task<(ISyncTransport Opener, ISyncTransport Accepted)> ConnectAsync()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        try
        {
            Task<TcpClient> accepting = listener.AcceptTcpClientAsync();
            var connector = new TcpConnector("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port);
            ISyncTransport opener = await connector.ConnectAsync(CancellationToken.None);
            TcpClient accepted = await accepting;
            accepted.NoDelay = true;
            return (opener, new StreamTransport(accepted.GetStream()));
        }
        finally
        {
            listener.Stop();
        }
    }
}
