namespace SyncEngine.Hub.Push;

/// <summary>A piece of a pool's feed.</summary>
/// <param name="Outcome">What became of the read; anything but <see cref="FeedOutcome.Read"/> has no entries.</param>
/// <param name="Entries">The entries after the cursor, in order.</param>
/// <param name="Cursor">Where the next read goes on; "start" where nothing was read.</param>
/// <param name="HasMore">Whether more can be read at once.</param>
internal sealed record FeedPage(FeedOutcome Outcome, IReadOnlyList<FeedEntry> Entries, string Cursor, bool HasMore);
