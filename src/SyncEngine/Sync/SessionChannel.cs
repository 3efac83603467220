using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Wire;

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

    /// <summary>The parts of a transfer to here that the peer was told of.</summary>
    public long ToldParts { get; set; }

    /// <summary>Another session brings a transfer: the peer is told when it is done.</summary>
    public bool IsKeptWaiting { get; set; }

    /// <summary>A large delta or snapshot on its way to the peer.</summary>
    public OutgoingTransfer? Transfer { get; set; }

    /// <summary>Which part the held frame is, if it is one.</summary>
    public PartHeader? HeldPart { get; set; }

    /// <summary>The peer told the same version and lines with another digest.</summary>
    public bool ExpectsHealing { get; set; }

    public bool IsPeerKnown { get; set; }

    /// <summary>What a wrong clock had written here was put right.</summary>
    public bool IsRestamped { get; set; }

    public bool IsActive { get; set; }

    public bool IsRefused { get; set; }

    /// <summary>A damaged file misses changes here, so that nothing can be given until a peer has brought them.</summary>
    public bool MissesChanges { get; set; }

    /// <summary>The same of the peer.</summary>
    public bool PeerMissesChanges { get; set; }

    public bool OwesAcknowledgement { get; set; }

    /// <summary>Refusals of single writes since the peer last took something.</summary>
    public int Rejections { get; set; }

    public bool IsExpected { get; set; }

    public byte[]? Held { get; set; }

    public long HeldRevision;

    public VersionVector HeldTo = VersionVector.Empty;

    public bool IsSettled => !OwesAcknowledgement && !Dataset.HasRenamesBeyond(ToldRenames)
        && (MissesChanges || Dataset.Version.IsAtMost(Peer)) && (PeerMissesChanges || Peer.IsAtMost(Dataset.Version));

    public bool IsRoundDone => !OwesAcknowledgement && !Dataset.HasRenamesBeyond(ToldRenames)
        && (MissesChanges || Target.IsAtMost(Peer)) && (PeerMissesChanges || (PeerTarget ?? Peer).IsAtMost(Dataset.Version));

    public void DropHeld() => (Held, HeldPart) = (null, null);

    /// <summary>Forgets the transfer to the peer.</summary>
    public void Drop()
    {
        Transfer = null;
        DropHeld();
    }
}
