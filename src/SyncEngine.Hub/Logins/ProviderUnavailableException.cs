namespace SyncEngine.Hub.Logins;

/// <summary>A provider cannot be asked; says nothing about the token in hand.</summary>
internal sealed class ProviderUnavailableException(LoginReason reason, string message, Exception? inner = null)
    : Exception(message, inner)
{
    public LoginReason Reason { get; } = reason;
}
