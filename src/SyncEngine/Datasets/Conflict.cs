using SyncEngine.Cells;

namespace SyncEngine.Datasets;

/// <summary>
/// Concurrent writes of different values to one register or one field of a map. All are kept until somebody writes
/// again.
/// </summary>
/// <param name="Key">The record's key.</param>
/// <param name="Kind">Register or map.</param>
/// <param name="Field">The field of a map; null for a register.</param>
/// <param name="Winner">The write that is shown: the latest by time, then by replica.</param>
/// <param name="Losers">The others, latest first.</param>
public sealed record Conflict(
    string Key, RecordKind Kind, string? Field, CompetingWrite Winner, IReadOnlyList<CompetingWrite> Losers);
