using SyncEngine.Identities;

namespace SyncEngine.Hub.Push;

/// <summary>One entry of a pool's feed.</summary>
/// <param name="Sequence">Its number in the pool: 1, 2, 3, with none missing.</param>
/// <param name="Type">What it tells; an interruption has no identity, dataset or revision.</param>
/// <param name="IdentityId">Whose dataset changed.</param>
/// <param name="Dataset">The dataset.</param>
/// <param name="Revision">The dataset's revision; changes that came together show only the last one.</param>
/// <param name="Time">When the hub took the change.</param>
internal readonly record struct FeedEntry(
    long Sequence, FeedEntryType Type, IdentityId IdentityId, string Dataset, long Revision, DateTimeOffset Time);
