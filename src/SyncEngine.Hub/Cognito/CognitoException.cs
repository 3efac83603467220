namespace SyncEngine.Hub.Cognito;

/// <summary>
/// A call that is refused in the shape that the service's clients know: <c>x-amzn-errortype</c>, <c>__type</c> and
/// <c>message</c>. Nothing has changed.
/// </summary>
/// <param name="type">The error's name, such as <c>ResourceNotFoundException</c>.</param>
/// <param name="status">The HTTP status.</param>
/// <param name="message">What clients show, and in some cases match.</param>
internal sealed class CognitoException(string type, int status, string message) : Exception(message)
{
    public string Type => type;

    public int Status => status;

    public static CognitoException InvalidParameter(string message) => new("InvalidParameterException", 400, message);

    /// <summary>The Sync API answers with the status 404, the Identity API with 400: the wire layer chooses it.</summary>
    public static CognitoException ResourceNotFound(string message) => new("ResourceNotFoundException", 404, message);

    /// <summary>The Sync API answers with the status 403, the Identity API with 400: the wire layer chooses it.</summary>
    public static CognitoException NotAuthorized(string message) => new("NotAuthorizedException", 403, message);

    public static CognitoException ResourceConflict(string message) => new("ResourceConflictException", 409, message);

    public static CognitoException ConcurrentModification(string message) =>
        new("ConcurrentModificationException", 400, message);

    public static CognitoException LimitExceeded(string message) => new("LimitExceededException", 400, message);

    public static CognitoException TooManyRequests(string message) => new("TooManyRequestsException", 429, message);

    public static CognitoException InternalError(string message) => new("InternalErrorException", 500, message);

    public static CognitoException ExternalService(string message) => new("ExternalServiceException", 400, message);

    public static CognitoException DeveloperUserAlreadyRegistered(string message) =>
        new("DeveloperUserAlreadyRegisteredException", 400, message);

    public static CognitoException InvalidPoolConfiguration(string message) =>
        new("InvalidIdentityPoolConfigurationException", 400, message);

    public static CognitoException InvalidConfiguration(string message) => new("InvalidConfigurationException", 400, message);

    public static CognitoException DuplicateRequest(string message) => new("DuplicateRequestException", 400, message);

    public static CognitoException AlreadyStreamed(string message) => new("AlreadyStreamedException", 400, message);

    public static CognitoException LambdaThrottled(string message) => new("LambdaThrottledException", 429, message);

    public static CognitoException InvalidLambdaFunctionOutput(string message) =>
        new("InvalidLambdaFunctionOutputException", 400, message);

    public static CognitoException AccessDenied(string message) => new("AccessDeniedException", 403, message);

    public static CognitoException Serialization(string message) => new("SerializationException", 400, message);

    public static CognitoException UnknownOperation(string message) => new("UnknownOperationException", 404, message);

    /// <summary>An identity that is not the caller's, is shut out, or was merged. Clients match the text's begin.</summary>
    public static CognitoException IdentityForbidden(string identity) =>
        NotAuthorized($"Access to Identity '{identity}' is forbidden.");

    /// <summary>Clients match this text.</summary>
    public static CognitoException IdentityNotFound(string identity) => ResourceNotFound($"Identity '{identity}' not found.");

    public static CognitoException PoolNotFound(string pool) => ResourceNotFound($"IdentityPool '{pool}' not found.");
}
