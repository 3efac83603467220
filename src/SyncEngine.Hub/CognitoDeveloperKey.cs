namespace SyncEngine.Hub;

/// <summary>A key that signs as a developer, who may do everything in every pool.</summary>
public sealed class CognitoDeveloperKey
{
    /// <summary>The key's name: 16 to 128 letters and digits, and it may not begin with <c>ASIA</c>.</summary>
    public string AccessKeyId { get; set; } = "";

    /// <summary>The secret: 20 to 128 visible ASCII characters.</summary>
    public string SecretAccessKey { get; set; } = "";

    /// <summary>The key's name; never the secret.</summary>
    public override string ToString() => AccessKeyId;
}
