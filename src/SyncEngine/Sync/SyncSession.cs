using SyncEngine.Causality;
using SyncEngine.Identities;

namespace SyncEngine.Sync;

/// <summary>
/// The protocol's state machine between one identity here and one peer: messages in, messages out; no socket, no timer and
/// no clock of its own. Its owner calls it from one thread at a time; only <see cref="Woken"/> comes from any thread.
/// </summary>
internal sealed class SyncSession : IDisposable
{
    public SyncSession(Identity identity, SessionOptions options) => _ = (identity, options);

    /// <summary>Called on any thread, maybe under a lock, when <see cref="TryTake"/> may have more: only signal in it.</summary>
    public Action? Woken { get; set; }

    /// <summary>Where the session stands.</summary>
    public SessionProgress Progress { get; } = new();

    /// <summary>Takes a message of the peer. Nothing of a bad message is applied.</summary>
    /// <exception cref="SyncException">The peer must be cut off: send what <see cref="TryTake"/> still has (the reason, for
    /// the peer's log) and close.</exception>
    public void Receive(ReadOnlyMemory<byte> message) => throw new NotImplementedException();

    /// <summary>The next message to send, if there is one now. Ask again after each message received or sent and after
    /// <see cref="Woken"/>.</summary>
    public bool TryTake(out ReadOnlyMemory<byte> message) => throw new NotImplementedException();

    /// <summary>Assumes that what was sent and not acknowledged is lost: tells the own versions again and sends anew what
    /// the peer lacks. The owner's timer calls it where acknowledgements stay out.</summary>
    public void Resend() => throw new NotImplementedException();

    /// <summary>Queues a farewell; after it is sent, close the connection.</summary>
    public void Close(SyncException? reason = null) => throw new NotImplementedException();

    public void Dispose()
    {
    }
}

/// <summary>How a session behaves.</summary>
internal sealed record SessionOptions
{
    /// <summary>Whether this side opened the connection. Exactly one side did.</summary>
    public bool IsInitiator { get; init; }

    /// <summary>Whether a guest here that was never paired takes the peer's identity.</summary>
    public bool Adopts { get; init; }

    /// <summary>Shared with the peer beforehand; both prove that they know it. Empty: no proof is asked.</summary>
    public ReadOnlyMemory<byte> Secret { get; init; }

    /// <summary>What both ends of the secured connection see alike, bound into the proof; empty without TLS.</summary>
    public ReadOnlyMemory<byte> ChannelBinding { get; init; }

    /// <summary>Names, or prefixes that end in an asterisk, of the datasets wanted; null for all.</summary>
    public IReadOnlyList<string>? Datasets { get; init; }

    /// <summary>Most bytes of parts sent and not yet acknowledged, and the size of one part.</summary>
    public int WindowBytes { get; init; } = 1 << 20;

    public int PartBytes { get; init; } = 256 * 1024;
}

/// <summary>Where a session stands; read it between calls.</summary>
internal sealed class SessionProgress
{
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

    /// <summary>The peer's wall clock minus ours at the handshake.</summary>
    public TimeSpan? PeerClockAhead { get; set; }

    /// <summary>Whether the peer said farewell, and why; a peer that cut us off tells its reason.</summary>
    public bool IsPeerGone { get; set; }

    public SyncException? PeerReason { get; set; }

    /// <summary>By dataset why one side would not take the other's changes.</summary>
    public Dictionary<string, SyncException> Refusals { get; } = [];
}
