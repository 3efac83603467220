namespace SyncEngine.Hub.Identities;

/// <summary>Why a change of identities is not made.</summary>
internal enum DirectoryFault
{
    NotFound,
    Disabled,
    DeviceRevoked,
    TooManyDevices,
    TooManyLogins,

    /// <summary>The login belongs to another identity that has logins of its own.</summary>
    Conflict,

    /// <summary>The plan is over, or things have changed since.</summary>
    PlanOver,
    LastLogin,
    NotUndoable,
    ModeNotAllowed,
}

/// <summary>A change of identities that is not made; nothing has changed.</summary>
internal sealed class DirectoryException(DirectoryFault fault, string message) : Exception(message)
{
    public DirectoryFault Fault => fault;
}
