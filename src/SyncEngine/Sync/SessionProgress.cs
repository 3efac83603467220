using SyncEngine.Causality;

namespace SyncEngine.Sync;

/// <summary>Where a session stands; read it between calls.</summary>
internal sealed class SessionProgress
{
    /// <summary>Both sides know who the other is.</summary>
    public bool IsOpen;

    /// <summary>Both sides have told all versions, what was here at that time is durable there, and the other way round,
    /// but for what was refused. Stays true.</summary>
    public bool IsRoundComplete { get; set; }

    /// <summary>Nothing is missing on either side as far as known.</summary>
    public bool IsLive { get; set; }

    /// <summary>Something was sent that the peer has not acknowledged.</summary>
    public bool AwaitsAcknowledgement { get; set; }

    /// <summary>Changes (dots) expected from the peer and got so far, while it catches this side up.</summary>
    public long ChangesExpected { get; set; }

    public long ChangesReceived { get; set; }

    public long ChangesSent { get; set; }

    public long BytesReceived { get; set; }

    public long BytesSent { get; set; }

    /// <summary>Whether the peer said farewell, and why; a peer that cut us off tells its reason.</summary>
    public bool IsPeerGone { get; set; }

    public SyncException? PeerReason { get; set; }

    /// <summary>By dataset why one side would not take the other's changes.</summary>
    public Dictionary<string, SyncException> Refusals { get; } = [];
}
