using SyncEngine.Causality;
using SyncEngine.Datasets;

namespace SyncEngine.Sync;

/// <summary>What the session knows of one dataset.</summary>
internal sealed class SessionChannel(Dataset dataset)
{
    public Dataset Dataset => dataset;

    /// <summary>What the peer has for sure.</summary>
    public VersionVector Peer { get; set; } = VersionVector.Empty;

    /// <summary>What the peer has if nothing that was sent is lost.</summary>
    public VersionVector Sent { get; set; } = VersionVector.Empty;

    public VersionVector Told { get; set; } = VersionVector.Empty;

    /// <summary>What either side must get for the round to be complete.</summary>
    public VersionVector Target { get; set; } = VersionVector.Empty;

    public VersionVector? PeerTarget { get; set; }

    /// <summary>The renames of branches that the peer was told of.</summary>
    public long ToldRenames { get; set; }

    public bool IsPeerKnown { get; set; }

    public bool IsActive { get; set; }

    public bool IsRefused { get; set; }

    public bool OwesAcknowledgement { get; set; }

    public long Expected { get; set; }

    public byte[]? Held { get; set; }

    public long HeldRevision;

    public VersionVector HeldTo = VersionVector.Empty;

    public bool IsSettled => !OwesAcknowledgement && !Dataset.HasRenamesBeyond(ToldRenames) && Dataset.Version.Equals(Peer);

    public bool IsRoundDone => !OwesAcknowledgement && !Dataset.HasRenamesBeyond(ToldRenames) && Target.IsAtMost(Peer)
        && (PeerTarget ?? Peer).IsAtMost(Dataset.Version);
}
