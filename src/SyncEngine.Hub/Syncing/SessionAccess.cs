using SyncEngine.Causality;

namespace SyncEngine.Hub.Syncing;

/// <summary>What one device may do in one session: its role's policy, the pool's limits, what was revoked.</summary>
internal sealed record SessionAccess
{
    /// <summary>Whether the policy allows an action, such as dataset:write, on a dataset.</summary>
    public required Func<string, string, bool> Allows { get; init; }

    /// <summary>Whether the pool is still as it was when this was asked.</summary>
    public Func<bool> IsCurrent { get; init; } = static () => true;

    public SessionLimits Limits { get; init; } = new();

    /// <summary>For replicas of revoked devices the last counter that was accepted.</summary>
    public Func<ReplicaId, long?> Fence { get; init; } = static _ => null;

    /// <summary>Replicas that another device than this one has declared as its own.</summary>
    public Func<ReplicaId, bool> IsForeign { get; init; } = static _ => false;

    /// <summary>Whether the device that has declared a foreign replica may write a dataset.</summary>
    public Func<ReplicaId, string, bool> ForeignMayWrite { get; init; } = static (_, _) => false;

    /// <summary>Whether it may hand on what other devices wrote, where it may write itself.</summary>
    public bool TakesRelays { get; init; } = true;

    /// <summary>Replicas that it has declared as its own.</summary>
    public Func<ReplicaId, bool> IsOwn { get; init; } = static _ => false;

    /// <summary>Keeps what it attests of a replica of its own in a dataset.</summary>
    public Action<string, ReplicaId, Attestation> Attest { get; init; } = static (_, _, _) => { };

    /// <summary>What the device of a replica last attested in a dataset.</summary>
    public Func<string, ReplicaId, Attestation?> Attested { get; init; } = static (_, _) => null;
}

/// <summary>Limits of a pool that a session enforces; null for none.</summary>
internal sealed record SessionLimits
{
    public int? DatasetsMax { get; init; }

    public int? RecordsMax { get; init; }

    public long? DatasetBytesMax { get; init; }

    public int? KeyBytesMax { get; init; }

    public int? ValueBytesMax { get; init; }

    public int? ReplicasMax { get; init; }
}
