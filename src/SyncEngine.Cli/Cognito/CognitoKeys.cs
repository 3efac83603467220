namespace SyncEngine.Cli.Cognito;

/// <summary>What requests are signed with; the session token only for an identity's temporary credentials.</summary>
internal sealed record CognitoKeys(string AccessKeyId, string Secret, string? SessionToken = null)
{
    /// <summary>The key's id; never the secret.</summary>
    public override string ToString() => AccessKeyId;
}
