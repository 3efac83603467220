using SyncEngine.Identities;

namespace SyncEngine.Hub.Push;

/// <summary>Changes of one dataset that a device sent and that the hub has not accepted yet. Immutable.</summary>
/// <param name="Pool">The identity's pool.</param>
/// <param name="IdentityId">The identity.</param>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="DeviceId">The device that sent them: 32 hexadecimal digits.</param>
/// <param name="Changes">What would change.</param>
public sealed record ProposedChanges(
    string Pool, IdentityId IdentityId, string Dataset, string DeviceId, IReadOnlyList<ProposedChange> Changes);
