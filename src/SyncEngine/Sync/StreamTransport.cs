using System.Buffers.Binary;
using SyncEngine.Causality;

namespace SyncEngine.Sync;

/// <summary>
/// Messages over any duplex stream: a TCP connection, TLS, a named pipe, a Unix socket. Each message is its length, four
/// bytes big-endian, and its bytes. Disposing it disposes the stream.
/// </summary>
/// <param name="stream">The open stream.</param>
/// <param name="messageBytesMax">Longest message taken, in bytes. Default 256 MiB.</param>
public sealed class StreamTransport(Stream stream, int messageBytesMax = 256 * 1024 * 1024) : ISyncTransport
{
    private const int GrowthBytes = 64 * 1024;
    private readonly byte[] _sentHeader = new byte[4];
    private readonly byte[] _receivedHeader = new byte[4];
    private byte[] _buffer = [];

    /// <inheritdoc/>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        BinaryPrimitives.WriteInt32BigEndian(_sentHeader, message.Length);
        await stream.WriteAsync(_sentHeader, cancellationToken).ConfigureAwait(false);
        await stream.WriteAsync(message, cancellationToken).ConfigureAwait(false);
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <exception cref="SyncException">The message is longer than allowed, or empty.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellationToken)
    {
        if (!await FillAsync(_receivedHeader, cancellationToken).ConfigureAwait(false)) return default;
        int length = BinaryPrimitives.ReadInt32BigEndian(_receivedHeader);
        if (length <= 0 || length > messageBytesMax)
            throw new SyncException(SyncErrorCode.LimitExceeded, $"The peer announced a message of {(uint)length:N0} bytes; 1 "
                + $"to {messageBytesMax:N0} are allowed. The connection is closed.");

        // A new array each time, because frames are views into it; grown as bytes come, so that a false length asks for nothing.
        _buffer = new byte[Math.Min(length, GrowthBytes)];
        for (int at = 0; at < length; at = _buffer.Length)
        {
            if (at > 0) Array.Resize(ref _buffer, (int)Math.Min(length, at * 2L));
            if (!await FillAsync(_buffer.AsMemory(at), cancellationToken).ConfigureAwait(false)) return default;
        }

        return _buffer;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => stream.DisposeAsync();

    private async ValueTask<bool> FillAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!buffer.IsEmpty)
        {
            int read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (read == 0) return false;
            buffer = buffer[read..];
        }

        return true;
    }
}
