using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Merging;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Accounts;

/// <summary>What a login would do.</summary>
internal enum LoginOutcome
{
    /// <summary>It is linked to this identity already.</summary>
    AlreadyLinked,

    /// <summary>It becomes a login of this identity, whose id and data stay.</summary>
    Links,

    /// <summary>This identity, a guest, joins the one that the login belongs to.</summary>
    Merges,

    /// <summary>Both have logins of their own: only two fresh proofs, or the developer, may merge them.</summary>
    Conflict,
}

/// <summary>A login that was proved, and what committing it would do.</summary>
internal sealed record LoginPlan
{
    public required string Id { get; init; }

    public required string Pool { get; init; }

    /// <summary>Whose credential planned it.</summary>
    public required IdentityId Caller { get; init; }

    public required string Device { get; init; }

    public required LoginRow Login { get; init; }

    public required LoginOutcome Outcome { get; init; }

    /// <summary>The identity that it will be.</summary>
    public required IdentityId Destination { get; init; }

    /// <summary>Whether identities that both have logins may be merged: both were proved, or the developer says so.</summary>
    public bool MayMergeLogins { get; init; }

    public required DateTimeOffset Expires { get; init; }

    public IReadOnlyList<DatasetPreview> Datasets { get; init; } = [];
}
