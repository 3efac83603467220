namespace SyncEngine.Sync;

/// <summary>Opens connections to one peer: what a link needs to connect again.</summary>
public interface ISyncConnector
{
    /// <summary>What status and messages call the peer, such as <c>tcp://host:port</c>.</summary>
    string Name { get; }

    /// <summary>Opens a connection.</summary>
    ValueTask<ISyncTransport> ConnectAsync(CancellationToken cancellationToken);
}
