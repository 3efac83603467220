namespace SyncEngine.Hub.Pools;

/// <summary>What is wrong with a definition: where, as a JSON path, and what to do about it.</summary>
internal sealed record PoolFault(string Path, string Advice);
