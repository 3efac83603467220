namespace SyncEngine.Hubs;

/// <summary>What becomes of datasets of one name when a guest joins the identity that it logs in to.</summary>
public enum MergeMode
{
    /// <summary>All writes of both count, and nothing is lost. What both wrote to one register is a conflict, as
    /// always.</summary>
    Union = 1,

    /// <summary>As a union, and then what the account showed is shown, where it was something else.</summary>
    KeepDestination = 2,

    /// <summary>As a union, and then what this device showed is shown.</summary>
    KeepSource = 3,

    /// <summary>This device's datasets stand beside the account's, as <c>name.OLDID</c>, until the app removes them.</summary>
    Manual = 4,
}
