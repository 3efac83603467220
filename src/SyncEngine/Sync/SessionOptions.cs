namespace SyncEngine.Sync;

/// <summary>How a session behaves.</summary>
internal sealed record SessionOptions
{
    /// <summary>Whether this side opened the connection. Exactly one side did.</summary>
    public bool IsInitiator { get; init; }

    /// <summary>Whether a guest here that was never paired takes the peer's identity.</summary>
    public bool Adopts { get; init; }

    /// <summary>Shared with the peer beforehand; both prove that they know it. Empty: no proof is asked.</summary>
    public ReadOnlyMemory<byte> Secret { get; init; }

    /// <summary>What both ends of a secured connection see alike, bound into the proof; empty without TLS.</summary>
    public ReadOnlyMemory<byte> ChannelBinding { get; init; }

    /// <summary>Names, or prefixes that end in an asterisk, of the datasets wanted; null for all.</summary>
    public IReadOnlyList<string>? Datasets { get; init; }

    /// <summary>What this side, a hub, allows the peer; null where peers trust each other.</summary>
    public SessionGuard? Guard { get; init; }

    /// <summary>Whether the peer is a hub, by whose time this side's writes are stamped.</summary>
    public bool TellsTime { get; init; }

    /// <summary>About how many bytes a part of a large delta or snapshot takes; what is less than four of them goes
    /// whole.</summary>
    public int PartBytes { get; init; } = 256 * 1024;
}
