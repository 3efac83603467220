namespace SyncEngine.Hub.Push;

/// <summary>What an entry of a pool's feed tells.</summary>
internal enum FeedEntryType
{
    /// <summary>A dataset of an identity advanced.</summary>
    Change = 1,

    /// <summary>The hub stopped without being told to, or had more to tell than it could hold: compare everything.</summary>
    Interrupted = 2,
}
