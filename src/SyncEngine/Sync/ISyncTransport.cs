namespace SyncEngine.Sync;

/// <summary>
/// One open connection that carries whole messages both ways, in order: what an app implements to sync over anything that
/// carries bytes. Losing, repeating or reordering messages costs time, never data. A link sends from one task and receives
/// from another, each one call at a time.
/// </summary>
public interface ISyncTransport : IAsyncDisposable
{
    /// <summary>Sends one message; completes when the transport has taken it, so that a slow peer slows the
    /// sender.</summary>
    ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken);

    /// <summary>The next message, valid until the next call; empty once the peer has closed the connection.</summary>
    ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellationToken);

    /// <summary>
    /// What both ends of a secured connection see alike and nobody in between can choose, such as the SHA-256 of the server's
    /// certificate: a shared secret is proved together with it. Empty where the transport secures nothing.
    /// </summary>
    ReadOnlyMemory<byte> ChannelBinding => default;

    /// <summary>
    /// Whether the peer is a hub whose time is to be trusted: where this device's clock differs by more than five minutes,
    /// writes are stamped by the hub's, also those that it made before and that nobody has got. Default no.
    /// </summary>
    bool TellsTime => false;
}
