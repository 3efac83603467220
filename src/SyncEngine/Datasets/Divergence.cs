using SyncEngine.Causality;

namespace SyncEngine.Datasets;

/// <summary>
/// Two devices had different data though each had seen all writes of the other: a running process was cloned with its
/// memory, or a file is damaged. Nothing was dropped: what only one of them had is now on both, as conflicts where it
/// contradicts. Keep it for whoever looks for the cause.
/// </summary>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="Version">The version that both told.</param>
/// <param name="Here">What was here before, as a frame of docs/FORMAT.md.</param>
/// <param name="There">What the peer had, as such a frame.</param>
public sealed record Divergence(
    string Dataset, VersionVector Version, ReadOnlyMemory<byte> Here, ReadOnlyMemory<byte> There);
