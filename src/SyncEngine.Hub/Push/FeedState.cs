namespace SyncEngine.Hub.Push;

/// <summary>What a pool's feed knows of itself; written together with the entries.</summary>
/// <param name="Epoch">16 hexadecimal digits, new for each feed.</param>
/// <param name="First">The oldest entry kept.</param>
/// <param name="Next">The number of the next entry.</param>
/// <param name="Open">Whether a hub uses it; if so at its next opening, that hub did not stop in order.</param>
internal sealed record FeedState(string Epoch, long First, long Next, bool Open);
