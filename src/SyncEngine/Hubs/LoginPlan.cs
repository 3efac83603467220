namespace SyncEngine.Hubs;

/// <summary>What committing a login would do.</summary>
public enum LoginOutcome
{
    /// <summary>Nothing: it is linked to this identity already.</summary>
    AlreadyLinked = 1,

    /// <summary>This identity gets the login; its id and data stay.</summary>
    Links = 2,

    /// <summary>This guest joins the identity that the login belongs to; see <see cref="LoginPlan.Datasets"/>.</summary>
    Merges = 3,

    /// <summary>It cannot be committed: the login belongs to another identity, and this one has logins of its own. Log out
    /// first.</summary>
    Conflict = 4,
}

/// <summary>What a login would do, before it is done.</summary>
/// <param name="PlanId">Names the plan at the hub.</param>
/// <param name="Outcome">What would happen.</param>
/// <param name="IdentityId">The identity that this device would have.</param>
/// <param name="Expires">Until when it can be committed, by the hub's clock.</param>
/// <param name="Datasets">For a merge, what becomes of each dataset in the mode that was asked for.</param>
public sealed record LoginPlan(
    string PlanId, LoginOutcome Outcome, Identities.IdentityId IdentityId, DateTimeOffset Expires,
    IReadOnlyList<DatasetPreview> Datasets);

/// <summary>What a merge would make of the datasets of one name.</summary>
/// <param name="Name">The dataset's name.</param>
/// <param name="RecordsHere">Records of this device's identity.</param>
/// <param name="RecordsThere">Records of the identity that the login belongs to.</param>
/// <param name="RecordsTogether">Records of both together.</param>
/// <param name="Conflicts">Values of which both have one and one would be shown; in <see cref="MergeMode.Union"/> the other
/// stays as a conflict.</param>
/// <param name="ExceedsLimit">Whether that is more than the hub allows: all is kept, but new keys are refused.</param>
public sealed record DatasetPreview(
    string Name, int RecordsHere, int RecordsThere, int RecordsTogether, int Conflicts, bool ExceedsLimit);

/// <summary>A device of the identity.</summary>
/// <param name="DeviceId">Its id.</param>
/// <param name="Name">What its app calls it.</param>
/// <param name="LastSeen">When it last got a credential, to half a day.</param>
/// <param name="IsRevoked">Whether it is shut out.</param>
/// <param name="IsThis">Whether it is this one.</param>
public sealed record HubDevice(string DeviceId, string? Name, DateTimeOffset LastSeen, bool IsRevoked, bool IsThis);
