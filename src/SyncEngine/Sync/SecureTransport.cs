namespace SyncEngine.Sync;

/// <summary>A transport over TLS: knows what binds it to the server's certificate.</summary>
/// <param name="stream">The stream inside.</param>
/// <param name="binding">SHA-256 of the server's certificate.</param>
/// <param name="needsSecret">Whether the certificate alone proves nothing.</param>
internal sealed class SecureTransport(Stream stream, byte[] binding, bool needsSecret) : ISyncTransport
{
    private readonly StreamTransport _inner = new(stream);

    public ReadOnlyMemory<byte> ChannelBinding => binding;

    public bool NeedsSecret => needsSecret;

    public ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        _inner.SendAsync(message, cancellationToken);

    public ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellationToken) =>
        _inner.ReceiveAsync(cancellationToken);

    public ValueTask DisposeAsync() => _inner.DisposeAsync();
}
