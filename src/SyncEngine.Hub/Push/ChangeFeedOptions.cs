namespace SyncEngine.Hub.Push;

/// <summary>How the feeds of pools are kept.</summary>
public sealed class ChangeFeedOptions
{
    /// <summary>Most entries that a pool's feed keeps: 1,000 to 1,000,000,000. Default 1,000,000, about 150 MB.</summary>
    public long EntriesMax { get; set; } = 1_000_000;

    /// <summary>How long an entry is kept: a minute to 3,660 days. Default 7 days.</summary>
    public TimeSpan Age { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How often old entries are removed. Default 10 minutes.</summary>
    internal TimeSpan SweepInterval { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Most (identity, dataset) pairs of one pool that wait to be written; beyond, the feed notes an interruption.
    /// 1,000 to 10,000,000, of about 200 bytes each. Default 100,000.</summary>
    public int WaitingMax { get; set; } = 100_000;

    /// <summary>Pause before a failed write is tried again. Default 1 s.</summary>
    internal TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(1);
}
