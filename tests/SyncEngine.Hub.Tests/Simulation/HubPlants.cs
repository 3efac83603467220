using SyncEngine.Hub.Syncing;

namespace SyncEngine.Hub.Tests.Simulation;

/// <summary>Faults put into the hub, to show that a broken one is caught.</summary>
internal sealed record HubPlants
{
    /// <summary>What a session may do in place of what it should.</summary>
    public Func<SessionAccess, SessionAccess> Weaken { get; init; } = static access => access;

    /// <summary>Whether the hub's disk says that a commit is durable and forgets it in a crash.</summary>
    public bool ForgetsCommits { get; init; }

    /// <summary>Whether a merge adds the source's counters once more.</summary>
    public bool CountsTwice { get; init; }

    /// <summary>Whether a merge hands the source's data to whoever comes first instead.</summary>
    public bool MixesIdentities { get; init; }

    /// <summary>Whether counters are held against the log also where a device of the identity was revoked.</summary>
    public bool CountsBesideFences { get; init; }
}
