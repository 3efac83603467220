namespace SyncEngine.Cells;

/// <summary>What became of a delta or snapshot that was given to a dataset.</summary>
public enum JoinOutcome
{
    /// <summary>It was merged.</summary>
    Joined = 1,

    /// <summary>The dataset had all of it already.</summary>
    AlreadyKnown = 2,

    /// <summary>It builds on changes that are missing here, and was refused whole: ask again from the own
    /// vector.</summary>
    Gap = 3,

    /// <summary>Whoever was asked refused it, and nothing of it was merged.</summary>
    Refused = 4,
}
