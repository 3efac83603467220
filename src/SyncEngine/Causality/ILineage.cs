namespace SyncEngine.Causality;

/// <summary>
/// Something that has a version vector with lines: the state of a dataset, a frame, or what a peer told. Two of them are
/// compared, and renamed where a copied file wrote on, by reconciliation.
/// </summary>
internal interface ILineage
{
    /// <summary>Replicas by index; one with counter 0 is not known.</summary>
    int ReplicaCount { get; }

    ReplicaId ReplicaAt(int replica);

    long CounterAt(int replica);

    ReadOnlySpan<Opening> LineAt(int replica);

    /// <summary>The index of a replica, or −1.</summary>
    int IndexOf(ReplicaId id);

    /// <summary>The branch of a replica from its opening number <paramref name="opening"/> on becomes a replica of its own,
    /// named after that opening's stamp.</summary>
    void Rename(int replica, int opening);
}
