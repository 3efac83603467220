using SyncEngine.Causality;

namespace SyncEngine.Sync;

/// <summary>A peer that came to a listener, or went.</summary>
/// <param name="Name">Its address as the system tells it.</param>
/// <param name="IsConnected">Whether it came.</param>
/// <param name="Result">What was exchanged, once it went.</param>
/// <param name="Failure">Why it went, where something was wrong.</param>
public sealed record ServedPeer(
    string Name, bool IsConnected, SyncResult? Result = null, SyncException? Failure = null);
