namespace SyncEngine.Hub.Push;

/// <summary>What a subscriber of an identity hears.</summary>
/// <param name="IsResync">Notices were dropped: anything of the identity may have changed. Has no dataset.</param>
/// <param name="Dataset">The dataset that changed.</param>
/// <param name="Revision">Its revision.</param>
/// <param name="FeedSequence">
/// All that the pool's feed holds up to here was told to this subscriber before; −1 where no feed is kept.
/// </param>
internal readonly record struct ChangeNotice(bool IsResync, string Dataset, long Revision, long FeedSequence)
{
    public static ChangeNotice Resync => new(true, string.Empty, 0, -1);
}
