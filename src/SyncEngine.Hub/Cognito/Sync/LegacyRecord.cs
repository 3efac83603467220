namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>A record as a legacy client sees it.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The text; null where the record was deleted.</param>
/// <param name="SyncCount">The count of the call, or of the native change, that wrote it last.</param>
/// <param name="ModifiedMilliseconds">When it was written, in milliseconds since 1970.</param>
/// <param name="DeviceMilliseconds">When it was written by the clock of the device that wrote it.</param>
internal readonly record struct LegacyRecord(
    string Key, string? Value, long SyncCount, long ModifiedMilliseconds, long DeviceMilliseconds);

/// <summary>One record of a call that writes.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The new text; null removes the record.</param>
/// <param name="SyncCount">The record's count as the client last saw it; 0 for a new one.</param>
/// <param name="DeviceMilliseconds">When it was written by the device's clock; null where the client does not say.</param>
internal readonly record struct LegacyPatch(string Key, string? Value, long SyncCount, long? DeviceMilliseconds);

/// <summary>Where a listing goes on: after a record, in order of counts and then keys.</summary>
/// <param name="SyncCount">The record's count.</param>
/// <param name="Key">Its key; null for the end of that count.</param>
internal readonly record struct LegacyPlace(long SyncCount, string? Key);

/// <summary>A page of what changed in a dataset.</summary>
/// <param name="Records">The records, in order of counts and then keys.</param>
/// <param name="SyncCount">The dataset's count up to which the listing goes.</param>
/// <param name="Exists">Whether the dataset is there, as legacy clients understand it.</param>
/// <param name="IsDeletedSince">Whether the client must begin anew: the dataset was deleted, or deletes were forgotten.</param>
/// <param name="Next">Where the next page begins; null after the last.</param>
internal sealed record LegacyChanges(
    IReadOnlyList<LegacyRecord> Records, long SyncCount, bool Exists, bool IsDeletedSince, LegacyPlace? Next);

/// <summary>What became of a dataset of another service.</summary>
internal enum LegacyImportOutcome
{
    /// <summary>It was written.</summary>
    Imported,

    /// <summary>It is here already.</summary>
    Same,

    /// <summary>It was written to here, and stays as it is.</summary>
    ChangedHere,
}

/// <summary>What is told of a dataset as a whole.</summary>
/// <param name="Name">Its name on the hub.</param>
/// <param name="CreatedMilliseconds">When its oldest record was written, in milliseconds since 1970.</param>
/// <param name="ModifiedMilliseconds">When its newest record was written.</param>
/// <param name="Bytes">UTF-8 bytes of its keys and texts.</param>
/// <param name="Count">How many keys have a text.</param>
internal sealed record LegacySummary(
    string Name, long CreatedMilliseconds, long ModifiedMilliseconds, long Bytes, int Count);
