using System.Globalization;
using SyncEngine.Causality;

namespace SyncEngine.Sync;

/// <summary>How a link to a peer is doing.</summary>
public enum SyncState
{
    /// <summary>Not connected, and nothing is wrong but that; it is tried again by itself.</summary>
    Offline = 1,

    /// <summary>Connecting, or waiting for the peer's hello.</summary>
    Connecting = 2,

    /// <summary>Connected; the first exchange since then is under way.</summary>
    CatchingUp = 3,

    /// <summary>Connected; each change goes to the other side at once.</summary>
    Live = 4,

    /// <summary>The peer belongs to another identity or asks for another secret. Mend that and call
    /// <see cref="SyncLink.RetryNow"/>.</summary>
    NeedsAuth = 5,

    /// <summary>The last attempt failed; it is tried again by itself.</summary>
    Failed = 6,

    /// <summary>The link was disposed, or its store.</summary>
    Closed = 7,
}

/// <summary>How a link to a peer is doing, and why.</summary>
/// <param name="State">The state.</param>
/// <param name="Peer">What the connector calls the peer; null where there is no link.</param>
public sealed record SyncStatus(SyncState State, string? Peer = null)
{
    /// <summary>How much of what the peer has is here, from 0 to 100, while catching up; null where that is
    /// unknown.</summary>
    public double? Percent { get; init; }

    /// <summary>Bytes of messages that came over the connection that is open, or was last.</summary>
    public long BytesReceived { get; init; }

    /// <summary>Bytes of messages that went over the connection that is open, or was last.</summary>
    public long BytesSent { get; init; }

    /// <summary>Changes that are here and that the peer has not acknowledged. Null until the peer was reached once since the
    /// store was opened.</summary>
    public long? PendingChanges { get; init; }

    /// <summary>When both sides last had the same, by this device's clock; remembered in the file.</summary>
    public DateTimeOffset? LastSync { get; init; }

    /// <summary>Why the last attempt failed; null unless it did.</summary>
    public SyncException? Failure { get; init; }

    /// <summary>When it is tried again, by this device's clock; null while connected.</summary>
    public DateTimeOffset? NextRetry { get; init; }

    /// <summary>For each dataset that one side does not take, the reason.</summary>
    public IReadOnlyDictionary<string, SyncException> Refusals { get; init; } = new Dictionary<string, SyncException>();

    /// <summary>In one line, for logs.</summary>
    public override string ToString()
    {
        string words = Peer is null ? $"{State}" : $"{State} with {Peer}";
        if (Percent is { } percent) words += ", " + percent.ToString("F0", CultureInfo.InvariantCulture) + " %";
        if (PendingChanges is > 0) words += $", {PendingChanges} changes to send";
        if (Failure is not null) words += ", " + Failure.Message;
        if (NextRetry is { } retry) words += ", tries again at " + retry.ToString("HH:mm:ss", CultureInfo.InvariantCulture);
        return Refusals.Count == 0 ? words : words + ", refused: " + string.Join(", ", Refusals.Keys);
    }
}
