using SyncEngine.Causality;

namespace SyncEngine.Wire;

/// <summary>What a stored frame carries beside its cells: the replica's own state that no peer needs.</summary>
internal sealed class StoredHeader
{
    /// <summary>The dataset's revision that the frame makes durable.</summary>
    public long Revision { get; set; }

    /// <summary>The own replica; none until the first write.</summary>
    public ReplicaId Own { get; set; }

    /// <summary>The claim of the file under which the own replica was drawn; another claim means a copied
    /// file.</summary>
    public ulong Claim { get; set; }

    /// <summary>The latest time handed out or taken over.</summary>
    public ulong Clock { get; set; }

    /// <summary>Changes at or before this revision cannot be listed one by one.</summary>
    public long ForgottenRevision { get; set; }

    /// <summary>The openings of the file whose revisions a feed may resume from: first revision and random
    /// epoch.</summary>
    public IReadOnlyList<(long FirstRevision, ulong Epoch)> Epochs { get; set; } = [];

    /// <summary>Replicas whose counter and frontier the frame sets, though they stood higher: a branch was renamed.</summary>
    public IReadOnlyList<ReplicaId> Lowered { get; set; } = [];
}
