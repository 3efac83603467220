using System.Text.Json;

namespace SyncEngine.Hub.Cognito;

/// <summary>What an operation gets. The caller is who <see cref="CognitoOperation.Access"/> lets in.</summary>
internal sealed class CognitoRequest
{
    /// <summary>The operation's name, such as <c>UpdateRecords</c>.</summary>
    public required string Operation { get; init; }

    /// <summary>Who signed; null where nobody did.</summary>
    public CognitoCaller? Caller { get; init; }

    /// <summary>The parts of the path, decoded once, under the names of the operation's template: <c>pool</c>, <c>identity</c>,
    /// <c>dataset</c>, <c>device</c>. Empty for the Identity API.</summary>
    public IReadOnlyDictionary<string, string> Path { get; init; } = new Dictionary<string, string>();

    /// <summary>The query's parameters, decoded; a repeated one was refused.</summary>
    public IReadOnlyDictionary<string, string> Query { get; init; } = new Dictionary<string, string>();

    /// <summary>The body: an object, checked for size, depth and repeated members. An empty object where there is none.</summary>
    public JsonElement Body { get; init; }

    /// <summary>The signing caller where the operation lets in none but signed ones.</summary>
    public CognitoCaller Signer => Caller ?? throw new InvalidOperationException($"{Operation} was called unsigned.");
}
