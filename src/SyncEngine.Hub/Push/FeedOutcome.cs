namespace SyncEngine.Hub.Push;

/// <summary>What became of a read of a pool's feed.</summary>
internal enum FeedOutcome
{
    /// <summary>Entries follow; none if there is nothing new.</summary>
    Read = 1,

    /// <summary>The feed does not reach back, or on, to the cursor: take that of "latest", fetch everything, then read on from
    /// it. As HTTP 410.</summary>
    Gone = 2,

    /// <summary>The cursor is none of this pool. As HTTP 400.</summary>
    Malformed = 3,
}
