using SyncEngine.Causality;
using SyncEngine.Sync;

namespace SyncEngine;

public sealed partial class SyncStore
{
    /// <summary>
    /// Connects to a peer, brings both sides to the same state, and disconnects. A failed or cancelled exchange leaves what
    /// was merged and nothing locked; the next one goes on from there.
    /// </summary>
    /// <exception cref="SyncException">Nobody answers, the connection broke, or one side cut the other off.</exception>
    public async ValueTask<SyncResult> SynchronizeAsync(
        ISyncConnector peer, SyncOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(peer);
        ISyncTransport transport;
        try
        {
            transport = await peer.ConnectAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not (OperationCanceledException or SyncException))
        {
            throw new SyncException(SyncErrorCode.ConnectionFailed, $"{peer.Name} could not be reached: {e.Message} Nothing "
                + "is lost; try again when it can be reached.", innerException: e);
        }

        return await SynchronizeAsync(transport, options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As above, over a connection that this side opened; it is closed at the end.</summary>
    public async ValueTask<SyncResult> SynchronizeAsync(
        ISyncTransport transport, SyncOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        using var run = new SessionRun(Identity, transport, options ?? new SyncOptions(), isInitiator: true, true);
        return await run.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Answers a peer over a connection that the peer opened, and pushes what is new on either side until the peer goes;
    /// then the connection is closed.
    /// </summary>
    /// <exception cref="SyncException">The connection broke before a round was complete, or one side cut the other
    /// off.</exception>
    public async ValueTask<SyncResult> ServeAsync(
        ISyncTransport transport, SyncOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        using var run = new SessionRun(Identity, transport, options ?? new SyncOptions(), isInitiator: false, false);
        return await run.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Stays connected: both sides push what is new until the peer goes, the connection breaks or the token is cancelled.
    /// </summary>
    /// <exception cref="SyncException">The connection broke before a round was complete, or one side cut the other
    /// off.</exception>
    public async ValueTask<SyncResult> ExchangeAsync(
        ISyncTransport transport, SyncOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        using var run = new SessionRun(Identity, transport, options ?? new SyncOptions(), isInitiator: true, false);
        return await run.RunAsync(cancellationToken).ConfigureAwait(false);
    }
}
