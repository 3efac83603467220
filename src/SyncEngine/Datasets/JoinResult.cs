using SyncEngine.Cells;

namespace SyncEngine.Datasets;

/// <summary>What a merge did.</summary>
/// <param name="Outcome">Merged, already known, or refused for a gap.</param>
/// <param name="Revision">The dataset's revision after it.</param>
public readonly record struct JoinResult(JoinOutcome Outcome, long Revision);
