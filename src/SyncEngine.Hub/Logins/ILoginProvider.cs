namespace SyncEngine.Hub.Logins;

/// <summary>Checks the tokens of one login provider of one pool. Thread-safe.</summary>
internal interface ILoginProvider
{
    /// <summary>The provider's name in its pool.</summary>
    string Name { get; }

    /// <summary>
    /// Tells who a token is about. Whatever is wrong with the token is a refusal, never an exception. A token that is accepted
    /// may have been used up by it (nonce, jti): ask once.
    /// </summary>
    Task<LoginResult> ValidateAsync(LoginToken token, CancellationToken cancellationToken);
}
