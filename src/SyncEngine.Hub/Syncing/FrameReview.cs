using SyncEngine.Datasets;

namespace SyncEngine.Hub.Syncing;

/// <summary>Looks at what a device's frame would change before it is taken.</summary>
internal abstract class FrameReview
{
    /// <summary>Whether anybody wants to look at the changes of a pool.</summary>
    public abstract bool IsWanted(string pool);

    /// <summary>Decides; may take its time.</summary>
    public abstract ValueTask<ReviewVerdict> DecideAsync(
        SyncCaller caller, string dataset, IReadOnlyList<RecordChange> changes, CancellationToken cancellationToken);
}

/// <summary>What became of a review.</summary>
/// <param name="Refusal">Why the changes are not taken; null if they are.</param>
/// <param name="IsTemporary">Whether that may be otherwise soon: the device keeps its changes and sends them again.</param>
/// <param name="Records">The records of which that holds alone; none or null for all.</param>
/// <param name="Addition">What the hub writes of its own besides; null for nothing.</param>
internal readonly record struct ReviewVerdict(string? Refusal, bool IsTemporary, IReadOnlySet<RecordName>? Records,
    Action<Transaction>? Addition);
