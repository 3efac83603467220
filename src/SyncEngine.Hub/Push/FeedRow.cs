namespace SyncEngine.Hub.Push;

/// <summary>An entry of a feed as stored; without an identity it is an interruption.</summary>
/// <param name="Identity">32 hexadecimal digits.</param>
/// <param name="Dataset">The dataset.</param>
/// <param name="Revision">Its revision.</param>
/// <param name="Time">Milliseconds since 1970.</param>
internal sealed record FeedRow(string? Identity, string? Dataset, long Revision, long Time);
