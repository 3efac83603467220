using SyncEngine.Causality;

namespace SyncEngine.Datasets;

/// <summary>What is known of a key, its records of all kinds taken together.</summary>
/// <param name="Key">The key.</param>
/// <param name="Revision">The revision that changed one of them last.</param>
/// <param name="Time">The latest write among what changed.</param>
internal readonly record struct KeyState(string Key, long Revision, HybridTimestamp Time);
