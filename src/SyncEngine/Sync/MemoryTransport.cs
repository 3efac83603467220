using System.Collections.Concurrent;

namespace SyncEngine.Sync;

/// <summary>Two ends of a connection inside one process; a sender waits while 16 messages are not received yet.</summary>
public sealed class MemoryTransport : ISyncTransport
{
    private readonly Pipe _out;
    private readonly Pipe _in;

    private MemoryTransport(Pipe outgoing, Pipe incoming) => (_out, _in) = (outgoing, incoming);

    /// <summary>Makes the two ends.</summary>
    public static (MemoryTransport Left, MemoryTransport Right) CreatePair()
    {
        Pipe there = new(), back = new();
        return (new MemoryTransport(there, back), new MemoryTransport(back, there));
    }

    /// <inheritdoc/>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        await _out.Room.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (_out.IsClosed) throw new IOException("The peer closed the connection.");
        _out.Messages.Enqueue(message);
        _out.Waiting.Release();
    }

    /// <inheritdoc/>
    public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellationToken)
    {
        await _in.Waiting.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (_in.Messages.TryDequeue(out ReadOnlyMemory<byte> message))
        {
            _in.Room.Release();
            return message;
        }

        _in.Waiting.Release();
        return default;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _out.Close();
        _in.Close();
        return default;
    }

    private sealed class Pipe
    {
        public ConcurrentQueue<ReadOnlyMemory<byte>> Messages { get; } = new();

        public SemaphoreSlim Room { get; } = new(16);

        public SemaphoreSlim Waiting { get; } = new(0);

        public bool IsClosed { get; private set; }

        /// <summary>What was sent before is still received; whoever waits goes on.</summary>
        public void Close()
        {
            IsClosed = true;
            Waiting.Release();
            Room.Release();
        }
    }
}
