namespace SyncEngine.Hub.Logins;

/// <summary>Why a token was not accepted: for logs and metrics, never for whoever sent it.</summary>
internal enum LoginReason
{
    /// <summary>It was accepted.</summary>
    None,

    /// <summary>Empty, or over the limit of size.</summary>
    Size,

    /// <summary>Not a token of this form, or a claim of a wrong type.</summary>
    Malformed,

    /// <summary>A <c>typ</c> of another kind of token.</summary>
    Type,

    /// <summary>An algorithm that is not allowed, such as <c>none</c> or HS256.</summary>
    Algorithm,

    /// <summary>The signature is not of a key of the issuer.</summary>
    Signature,

    /// <summary>Another issuer.</summary>
    Issuer,

    /// <summary>For another app, or for several of which one is not known.</summary>
    Audience,

    /// <summary><c>azp</c> is missing beside several audiences, or names a foreign app.</summary>
    AuthorizedParty,

    /// <summary>No expiry, or no time of issue.</summary>
    NoLifetime,

    /// <summary>Expired.</summary>
    Expired,

    /// <summary>Issued or valid only in the future.</summary>
    NotYetValid,

    /// <summary>Valid for longer than such a token may be.</summary>
    LifetimeTooLong,

    /// <summary>The subject is missing, empty or too long.</summary>
    Subject,

    /// <summary>The nonce is missing, foreign, expired or used.</summary>
    Nonce,

    /// <summary>The token was used before, or has no <c>jti</c> to tell.</summary>
    Replay,

    /// <summary>The access token is not the one that the ID token was issued with.</summary>
    AccessTokenHash,

    /// <summary>The provider itself says that the token is not valid.</summary>
    ProviderSaysNo,

    /// <summary>A kind of token that this provider is not set up for.</summary>
    NotSetUp,

    /// <summary>The provider does not answer, or with an error of its own.</summary>
    Unreachable,

    /// <summary>The provider's answer, or its own set-up, cannot be used.</summary>
    ProviderUnusable,
}
