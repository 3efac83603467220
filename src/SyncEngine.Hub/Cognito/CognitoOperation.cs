using System.Text.Json.Nodes;

namespace SyncEngine.Hub.Cognito;

/// <summary>Who may call an operation.</summary>
internal enum CognitoAccess
{
    /// <summary>Whoever signed, as developer or as identity.</summary>
    Signed,

    /// <summary>Everybody, without a signature.</summary>
    Anyone,

    /// <summary>Who signed with a developer key.</summary>
    Developer,

    /// <summary>Who signed with an identity's credentials.</summary>
    Identity,
}

/// <summary>One operation of the API. What it throws but <see cref="CognitoException"/> is turned into InternalError.</summary>
/// <param name="Name">The operation's name, unique in both APIs.</param>
/// <param name="Access">Who may call it; checked before it runs.</param>
/// <param name="Answer">Does it. The answer is the body; null for an empty one.</param>
internal sealed record CognitoOperation(
    string Name, CognitoAccess Access, Func<CognitoRequest, CancellationToken, Task<JsonNode?>> Answer)
{
    /// <summary>Largest body, in bytes: ten tokens of 50,000 characters fit.</summary>
    public int BodyBytesMax { get; init; } = 1024 * 1024;
}

/// <summary>Operations that belong together; all registered ones are served.</summary>
internal interface ICognitoOperations
{
    IEnumerable<CognitoOperation> Operations { get; }
}
