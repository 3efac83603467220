namespace SyncEngine.Wire;

/// <summary>What a frame carries, as its second element says.</summary>
internal enum FrameType : byte
{
    Delta = 1,
    Snapshot = 2,
    Stored = 3,
    Bundle = 4,

    /// <summary>Some cells of a large delta or snapshot: kept aside until a delta completes it.</summary>
    Part = 5,

    /// <summary>A snapshot for a peer whose data differs though it claims to have the same.</summary>
    Heal = 6,
    Hello = 7,
    Proof = 8,
    Have = 9,
    Told = 10,
    Acknowledge = 11,
    Refuse = 12,
    Farewell = 13,

    /// <summary>A hub names the writes that it does not take, and what it shows in their place.</summary>
    Reject = 14,
}
