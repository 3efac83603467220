namespace SyncEngine.LiteDB;

/// <summary>
/// Bugs that tests switch on to see the crash tests catch them: each disables one of the rules that durability rests
/// on.
/// </summary>
internal sealed class PlantedFaults
{
    /// <summary>A commit returns without waiting for the page that confirms it to be synced.</summary>
    public bool SkipConfirmationSync { get; init; }

    /// <summary>Recovery takes frames whose hash is wrong.</summary>
    public bool SkipLogHash { get; init; }

    /// <summary>A checkpoint writes the data file without syncing the log first.</summary>
    public bool DataBeforeLog { get; init; }
}
