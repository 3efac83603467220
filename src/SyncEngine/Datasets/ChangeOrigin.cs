using SyncEngine.Causality;

namespace SyncEngine.Datasets;

/// <summary>Where a change set came from.</summary>
/// <param name="IsRemote">Whether it was merged from another replica; otherwise it was written here.</param>
/// <param name="Replica">The replica whose changes it brought; none if there were several.</param>
public readonly record struct ChangeOrigin(bool IsRemote, ReplicaId Replica);
