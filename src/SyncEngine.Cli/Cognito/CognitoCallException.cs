namespace SyncEngine.Cli.Cognito;

/// <summary>A call that the service refused.</summary>
internal sealed class CognitoCallException(string type, int status, string message) : Exception(message)
{
    /// <summary>The error's name, such as <c>ResourceNotFoundException</c>.</summary>
    public string Type => type;

    /// <summary>The HTTP status.</summary>
    public int Status => status;
}
