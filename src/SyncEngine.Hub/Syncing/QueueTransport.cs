using System.Threading.Channels;
using SyncEngine.Causality;
using SyncEngine.Sync;

namespace SyncEngine.Hub.Syncing;

/// <summary>A session's messages between requests of a device that holds no socket. Bounded: a device that does not fetch
/// slows its session down.</summary>
internal sealed class QueueTransport : ISyncTransport
{
    private const int MessagesMax = 64;

    // A message may be large, and holds on to the request that brought it.
    private readonly Channel<ReadOnlyMemory<byte>> _incoming = Channel.CreateBounded<ReadOnlyMemory<byte>>(1);
    private readonly Channel<ReadOnlyMemory<byte>> _outgoing = Channel.CreateBounded<ReadOnlyMemory<byte>>(MessagesMax);

    public ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        _outgoing.Writer.WriteAsync(message.ToArray(), cancellationToken);

    public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (await _incoming.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            if (_incoming.Reader.TryRead(out ReadOnlyMemory<byte> message)) return message;
        return default;
    }

    public ValueTask DisposeAsync()
    {
        _incoming.Writer.TryComplete();
        _outgoing.Writer.TryComplete();
        return default;
    }

    /// <summary>Gives the session a message of the device; waits while another waits.</summary>
    /// <returns>False where the session has ended.</returns>
    public async ValueTask<bool> TryPutAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        try
        {
            await _incoming.Writer.WriteAsync(message, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (ChannelClosedException)
        {
            return false;
        }
    }

    /// <summary>Waits for a message to the device.</summary>
    /// <returns>False once the session has ended and all was fetched.</returns>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) =>
        _outgoing.Reader.WaitToReadAsync(cancellationToken);

    public static SyncException Ended() => new(SyncErrorCode.ConnectionFailed, "The session has ended: begin a new one.");

    public bool TryTake(out ReadOnlyMemory<byte> message) => _outgoing.Reader.TryRead(out message);
}
