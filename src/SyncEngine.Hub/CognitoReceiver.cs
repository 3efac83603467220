namespace SyncEngine.Hub;

/// <summary>Where a function or a stream of the Cognito-wire-compatible API is: an address that takes signed HTTP
/// posts.</summary>
public sealed class CognitoReceiver
{
    /// <summary>The address: https, or http on loopback.</summary>
    public Uri? Url { get; set; }

    /// <summary>The secret that posts are signed with, as Standard Webhooks has it: <c>whsec_</c> and 24 to 64 random bytes in
    /// base64.</summary>
    public string Secret { get; set; } = "";

    /// <summary>The address; never the secret.</summary>
    public override string ToString() => Url?.ToString() ?? "";
}
