using SyncEngine.Cells;

namespace SyncEngine;

/// <summary>What became of the frames of one exported bundle.</summary>
/// <param name="Outcomes">The outcome of each dataset by name.</param>
public sealed record ApplyResult(IReadOnlyDictionary<string, JoinOutcome> Outcomes)
{
    /// <summary>Whether everything in the bundle is here now.</summary>
    public bool IsComplete => Outcomes.Values.All(static outcome => outcome != JoinOutcome.Gap);
}
