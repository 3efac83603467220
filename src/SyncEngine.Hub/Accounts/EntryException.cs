namespace SyncEngine.Hub.Accounts;

/// <summary>Why somebody is not let in.</summary>
internal enum EntryFault
{
    /// <summary>The request is not as it must be.</summary>
    BadRequest,

    /// <summary>A proof, handle or credential is not accepted; which part of it is wrong is told to nobody but the log.</summary>
    NotAccepted,

    /// <summary>It is accepted, but the pool gives it no role.</summary>
    NoRole,

    /// <summary>A login's provider cannot be asked now.</summary>
    ProviderUnavailable,
}

/// <summary>Somebody is not let in; nothing has changed.</summary>
internal sealed class EntryException(EntryFault fault, string code, string message) : Exception(message)
{
    public EntryFault Fault => fault;

    public string Code => code;
}
