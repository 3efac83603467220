namespace SyncEngine.Causality;

/// <summary>Names one change: the replica that made it and that replica's own count of changes, from 1.</summary>
/// <param name="Replica">Who made the change.</param>
/// <param name="Counter">Its number among the changes of that replica; 0 only in the default value, which names
/// none.</param>
public readonly record struct Dot(ReplicaId Replica, long Counter)
{
    /// <summary>The replica, a colon and the counter.</summary>
    public override string ToString() => FormattableString.Invariant($"{Replica}:{Counter}");
}
