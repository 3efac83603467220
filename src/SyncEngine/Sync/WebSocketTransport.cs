using System.Net.WebSockets;
using SyncEngine.Causality;

namespace SyncEngine.Sync;

/// <summary>Messages over a WebSocket, each one binary message. Disposing it disposes the socket.</summary>
/// <param name="socket">The open socket, of either side.</param>
/// <param name="messageBytesMax">Longest message taken, in bytes. Default 256 MiB.</param>
public sealed class WebSocketTransport(WebSocket socket, int messageBytesMax = 256 * 1024 * 1024) : ISyncTransport
{
    private const int FirstBytes = 4096;
    private const int GrowthBytes = 64 * 1024;
    private static readonly TimeSpan _closeMax = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public bool TellsTime { get; init; }

    /// <inheritdoc/>
    public ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="SyncException">The message is longer than allowed, or is no binary message.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellationToken)
    {
        // A new array each time, because frames are views into it; made once something comes, so that a connection on which
        // nothing happens holds none, and grown as bytes come.
        byte[] buffer = [];
        int length = 0;
        while (true)
        {
            if (length == buffer.Length && length > 0)
            {
                if (length >= messageBytesMax)
                    throw new SyncException(SyncErrorCode.LimitExceeded, $"The peer sends a message of more than the "
                        + $"{messageBytesMax:N0} bytes allowed. The connection is closed.");
                Array.Resize(ref buffer, (int)Math.Min(messageBytesMax, Math.Max(GrowthBytes, length * 2L)));
            }

            ValueWebSocketReceiveResult part;
            try
            {
                part = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            }
            catch (WebSocketException) when (!cancellationToken.IsCancellationRequested)
            {
                // The connection ended without a word; the session tells whether that matters.
                return default;
            }

            if (part.MessageType == WebSocketMessageType.Close) return default;
            if (part.MessageType != WebSocketMessageType.Binary)
                throw new SyncException(SyncErrorCode.Malformed, "The peer sent text over the WebSocket; messages are "
                    + "binary.", 0);
            if (buffer.Length == 0) buffer = new byte[FirstBytes];
            length += part.Count;
            if (part.EndOfMessage && length > 0) return buffer.AsMemory(0, length);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            using var soon = new CancellationTokenSource(_closeMax);
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, soon.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException
            or InvalidOperationException)
        {
            // It is closed anyhow.
        }

        socket.Dispose();
    }
}

/// <summary>Connects to a server over a WebSocket.</summary>
/// <param name="address">A ws or wss address.</param>
/// <param name="configure">Sets headers, proxies or certificates of the connection.</param>
public sealed class WebSocketConnector(Uri address, Action<ClientWebSocketOptions>? configure = null) : ISyncConnector
{
    /// <inheritdoc/>
    public string Name => address.GetLeftPart(UriPartial.Path);

    /// <summary>Whether a hub is there whose time is to be trusted; see <see cref="ISyncTransport.TellsTime"/>. Default
    /// no.</summary>
    public bool TellsTime { get; init; }

    /// <inheritdoc/>
    public async ValueTask<ISyncTransport> ConnectAsync(CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        try
        {
            configure?.Invoke(socket.Options);
            await socket.ConnectAsync(address, cancellationToken).ConfigureAwait(false);
            return new WebSocketTransport(socket) { TellsTime = TellsTime };
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
