namespace SyncEngine.Cli.Cognito;

/// <summary>A record as an old client kept it on its device.</summary>
/// <param name="Identity">The identity as that client wrote it; null before it had one.</param>
/// <param name="Dataset">The dataset.</param>
/// <param name="Key">The key.</param>
/// <param name="Value">The value; null where the record was removed.</param>
/// <param name="Modified">When the device wrote it, by its clock.</param>
/// <param name="IsUnsynced">Whether the service never got it.</param>
internal sealed record OldRecord(
    string? Identity, string Dataset, string Key, string? Value, DateTimeOffset Modified, bool IsUnsynced);
