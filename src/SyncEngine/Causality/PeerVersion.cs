namespace SyncEngine.Causality;

/// <summary>What a peer told of a dataset, perhaps long ago: its vector with lines, its frontier, its digest.</summary>
internal sealed class PeerVersion
{
    public List<PeerReplica> Replicas { get; } = [];

    /// <summary>Digest of the peer's state at exactly this vector; null where it had changes beyond it.</summary>
    public ulong? Digest { get; set; }

    public PeerReplica? Find(ReplicaId id) => Replicas.Find(replica => replica.Id == id);

    public VersionVector ToVector() =>
        new(Replicas.Where(static r => r.Counter > 0).Select(static r => new Dot(r.Id, r.Counter)));
}

/// <summary>One component of a <see cref="PeerVersion"/>.</summary>
internal sealed class PeerReplica(ReplicaId id, long counter)
{
    public ReplicaId Id { get; set; } = id;

    public long Counter { get; set; } = counter;

    public long Collected { get; set; }

    /// <summary>The whole line or, where <see cref="IsWhole"/> is false, only its last opening.</summary>
    public Opening[] Line { get; set; } = [];

    public bool IsWhole { get; set; } = true;
}
