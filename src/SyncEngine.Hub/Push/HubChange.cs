using SyncEngine.Identities;

namespace SyncEngine.Hub.Push;

/// <summary>One dataset of one identity has advanced, durably.</summary>
/// <param name="Pool">The identity's pool.</param>
/// <param name="IdentityId">The identity.</param>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="Revision">The hub's revision of the dataset, which grows with each change.</param>
/// <param name="DeviceId">The device that sent the change; null if the hub itself wrote it.</param>
/// <param name="UnixMilliseconds">When the hub took it, in milliseconds since 1970.</param>
internal readonly record struct HubChange(
    string Pool, IdentityId IdentityId, string Dataset, long Revision, string? DeviceId, long UnixMilliseconds);
