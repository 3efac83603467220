namespace SyncEngine.Wire;

/// <summary>Where a bundle stands among those that one store put into a shared folder.</summary>
/// <param name="Tag">Names the file that the store lives in, as far as it is one.</param>
/// <param name="Chain">Names the chain: a start that holds everything, and what followed. 64 random bits.</param>
/// <param name="Sequence">The place in the chain, from 1.</param>
/// <param name="Time">When it was made, in milliseconds since 1970 UTC; rises within a tag.</param>
internal readonly record struct BundleHeader(ulong Tag, ulong Chain, long Sequence, long Time);
