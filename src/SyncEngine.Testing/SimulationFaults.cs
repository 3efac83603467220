namespace SyncEngine.Testing;

/// <summary>What may go wrong in a simulation.</summary>
[Flags]
public enum SimulationFaults
{
    /// <summary>Nothing: devices meet and part, and every message arrives.</summary>
    None = 0,

    /// <summary>Messages are lost.</summary>
    Loss = 1 << 0,

    /// <summary>Messages arrive twice.</summary>
    Duplication = 1 << 1,

    /// <summary>Messages overtake each other.</summary>
    Reordering = 1 << 2,

    /// <summary>Connections break, some in the middle of a message.</summary>
    Cuts = 1 << 3,

    /// <summary>The network falls into two parts for a while.</summary>
    Partitions = 1 << 4,

    /// <summary>A peer reads seldom, so that the other must hold back.</summary>
    SlowPeers = 1 << 5,

    /// <summary>Messages are changed on their way, or made up.</summary>
    HostilePeers = 1 << 6,

    /// <summary>Processes die and lose what was not durable.</summary>
    Crashes = 1 << 7,

    /// <summary>A piece of a file cannot be read any more. What was in it alone may be lost, nothing else.</summary>
    TornFiles = 1 << 8,

    /// <summary>Clocks are wrong by up to ten years, jump while running, and leap backwards at a restart.</summary>
    Clocks = 1 << 9,

    /// <summary>A device's file is copied to another device, unnoticed.</summary>
    Copies = 1 << 10,

    /// <summary>An old file is put in the place of a device's file. What was in that one alone is lost, nothing else.</summary>
    Restores = 1 << 11,

    /// <summary>Devices forget deletes that others have not seen yet.</summary>
    ForgottenDeletes = 1 << 12,

    /// <summary>Deltas are mailed: they arrive late, out of order, twice or never.</summary>
    Mail = 1 << 13,

    /// <summary>Everything above.</summary>
    All = (1 << 14) - 1,
}
