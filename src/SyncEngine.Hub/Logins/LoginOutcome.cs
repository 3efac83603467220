namespace SyncEngine.Hub.Logins;

/// <summary>What came of checking a token.</summary>
internal enum LoginOutcome
{
    /// <summary>The token is right; <see cref="LoginResult.Login"/> tells whose it is.</summary>
    Accepted,

    /// <summary>The token is not accepted, for a reason that only the log is told (HTTP 401).</summary>
    Refused,

    /// <summary>The provider cannot be asked, so that nothing is known about the token (HTTP 503).</summary>
    Unavailable,
}
