namespace SyncEngine.Hub.Push;

/// <summary>An app's account at the Apple Push Notification service.</summary>
public sealed class ApnsOptions
{
    /// <summary>Where the service is. Default production; https://api.sandbox.push.apple.com for development.</summary>
    public Uri BaseAddress { get; set; } = new("https://api.push.apple.com");

    /// <summary>The signing key's id, 10 characters.</summary>
    public required string KeyId { get; set; }

    /// <summary>The team's id, 10 characters.</summary>
    public required string TeamId { get; set; }

    /// <summary>The app's bundle id.</summary>
    public required string Topic { get; set; }

    /// <summary>The signing key in PEM: the content of the .p8 file.</summary>
    public required string PrivateKeyPem { get; set; }
}
