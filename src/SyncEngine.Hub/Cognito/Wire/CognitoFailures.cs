using SyncEngine.Causality;
using SyncEngine.Hub.Accounts;
using SyncEngine.Hub.Identities;

namespace SyncEngine.Hub.Cognito.Wire;

/// <summary>What the hub's own failures are called in this API.</summary>
internal static class CognitoFailures
{
    /// <summary>The failure in this API's words; null if it is none that is expected.</summary>
    public static CognitoException? Of(Exception failure) => failure switch
    {
        CognitoException known => known,
        DirectoryException e => e.Fault switch
        {
            DirectoryFault.NotFound => CognitoException.ResourceNotFound(e.Message),
            DirectoryFault.Disabled or DirectoryFault.DeviceRevoked => CognitoException.NotAuthorized(e.Message),
            DirectoryFault.TooManyDevices or DirectoryFault.TooManyLogins => CognitoException.LimitExceeded(e.Message),
            _ => CognitoException.ResourceConflict(e.Message),
        },
        EntryException e => e.Fault switch
        {
            EntryFault.BadRequest => CognitoException.InvalidParameter(e.Message),
            EntryFault.ProviderUnavailable => CognitoException.ExternalService(e.Message),
            _ => CognitoException.NotAuthorized(e.Message),
        },
        SyncException { Code: SyncErrorCode.LimitExceeded } e => CognitoException.LimitExceeded(e.Message),
        SyncException { Code: SyncErrorCode.StorageFailed or SyncErrorCode.StorageFull } => CognitoException.InternalError(
            "The hub could not make this durable. Try again later; its operator finds the reason in its log."),
        _ => null,
    };
}
