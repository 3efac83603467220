namespace SyncEngine.Hub;

/// <summary>What the ARN of an OpenID Connect provider stands for in the Cognito-wire-compatible API.</summary>
public sealed class CognitoOpenIdConnectProvider
{
    /// <summary>The issuer of its ID tokens, such as <c>https://login.example.org</c>: an ARN that ends in
    /// <c>:oidc-provider/login.example.org</c> names it.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>The client ids that ID tokens may be for: 1 to 16.</summary>
    public IList<string> ClientIds { get; } = [];
}
