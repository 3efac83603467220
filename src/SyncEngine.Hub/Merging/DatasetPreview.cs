namespace SyncEngine.Hub.Merging;

/// <summary>What a merge would make of the datasets of one name.</summary>
/// <param name="Name">The name, afterwards.</param>
/// <param name="SourceRecords">Records that the source shows.</param>
/// <param name="DestinationRecords">Records that the destination shows.</param>
/// <param name="TogetherRecords">Records that both together would show.</param>
/// <param name="Conflicts">Records or fields for which both have a value, of which one would be shown.</param>
/// <param name="ExceedsLimit">Whether they would be more than the pool allows: all is kept, but new keys are refused.</param>
internal sealed record DatasetPreview(
    string Name, int SourceRecords, int DestinationRecords, int TogetherRecords, int Conflicts, bool ExceedsLimit);
