namespace SyncEngine.Hub.Logins;

/// <summary>
/// What came of checking a token. Refusals look alike from outside: <see cref="PublicText"/> is the same for each, and
/// <see cref="Reason"/> and <see cref="Detail"/> are for the operator only.
/// </summary>
internal sealed class LoginResult
{
    private LoginResult(LoginOutcome outcome, LoginReason reason, VerifiedLogin? login, string? detail)
    {
        Outcome = outcome;
        Reason = reason;
        Login = login;
        Detail = detail;
    }

    public LoginOutcome Outcome { get; }

    /// <summary>Why it was not accepted.</summary>
    public LoginReason Reason { get; }

    /// <summary>Whose token it is; null unless accepted.</summary>
    public VerifiedLogin? Login { get; }

    /// <summary>More for the log, without any part of the token; null if there is no more to say.</summary>
    public string? Detail { get; }

    /// <summary>What whoever sent the token may read; null if accepted.</summary>
    public string? PublicText => Outcome switch
    {
        LoginOutcome.Refused => "This token is not accepted: get a new one and try again.",
        LoginOutcome.Unavailable => "The login provider cannot be asked now: try again later.",
        _ => null,
    };

    public static LoginResult Accept(VerifiedLogin login) => new(LoginOutcome.Accepted, LoginReason.None, login, null);

    public static LoginResult Refuse(LoginReason reason) => new(LoginOutcome.Refused, reason, null, null);

    public static LoginResult Later(ProviderUnavailableException failure) =>
        new(LoginOutcome.Unavailable, failure.Reason, null, failure.Message);
}
