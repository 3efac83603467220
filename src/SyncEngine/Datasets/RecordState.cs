namespace SyncEngine.Datasets;

/// <summary>When a record changed last.</summary>
/// <param name="Name">The record.</param>
/// <param name="Revision">The dataset's revision that changed it last.</param>
/// <param name="IsLive">Whether it has something to read; if not, it was deleted.</param>
internal readonly record struct RecordState(RecordName Name, long Revision, bool IsLive);
