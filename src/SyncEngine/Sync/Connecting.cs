using SyncEngine.Causality;

namespace SyncEngine.Sync;

/// <summary>Opens a connection, with one kind of failure.</summary>
internal static class Connecting
{
    /// <exception cref="SyncException">The peer cannot be reached.</exception>
    public static async Task<ISyncTransport> OpenAsync(ISyncConnector peer, CancellationToken cancellationToken)
    {
        try
        {
            return await peer.ConnectAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not (OperationCanceledException or SyncException))
        {
            throw new SyncException(SyncErrorCode.ConnectionFailed, $"{peer.Name} could not be reached: {e.Message} Nothing "
                + "is lost; try again when it can be reached.", innerException: e);
        }
    }
}
