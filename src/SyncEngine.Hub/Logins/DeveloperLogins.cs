using Microsoft.IdentityModel.Tokens;

namespace SyncEngine.Hub.Logins;

/// <summary>
/// Checks assertions of an app's own backend: a JWT with <c>alg</c> ES256 and <c>typ</c> dev+jwt, signed with a registered key.
/// Claims: <c>iss</c> (the definition's issuer, by default its name), <c>aud</c> (the hub's issuer, "/pools/" and the pool),
/// <c>sub</c> (the backend's id of the person), <c>iat</c>, <c>exp</c> at most 5 minutes later, <c>jti</c> (1 to 255 characters,
/// taken once). <c>kid</c> is needed where several keys are registered. <c>merge_from</c>, the id of an identity that has logins
/// of its own, says that it is to become one with the person's.
/// </summary>
/// <remarks>
/// The type is required, so that no other token which the backend signs with that key can pass for an assertion (RFC 8725,
/// section 3.11).
/// </remarks>
internal sealed class DeveloperLogins : ILoginProvider
{
    private const string Type = "dev+jwt";
    private const string MergesFromClaim = "merge_from";
    private static readonly TimeSpan _lifetimeMax = TimeSpan.FromMinutes(5);

    private readonly LoginSetting _setting;
    private readonly ProviderDefinition _definition;
    private readonly IssuerKeys _keys;
    private readonly string[] _issuers;
    private readonly string _audience;

    public DeveloperLogins(LoginSetting setting, ProviderDefinition definition)
    {
        _setting = setting;
        _definition = definition;
        _issuers = [DefinitionRules.IssuerOf(definition)];
        _audience = AudienceOf(setting.HubIssuer, setting.Pool);
        _keys = new IssuerKeys([.. definition.Keys.Select(KeyOf)], [SecurityAlgorithms.EcdsaSha256]);
    }

    public string Name => _definition.Name;

    /// <summary>The audience that assertions for a pool must have.</summary>
    public static string AudienceOf(string hubIssuer, string pool) => $"{hubIssuer.TrimEnd('/')}/pools/{pool}";

    public async Task<LoginResult> ValidateAsync(LoginToken token, CancellationToken cancellationToken)
    {
        if (token.Token.Length == 0 || token.IsOversize) return LoginResult.Refuse(LoginReason.Size);
        (SignedToken? verified, LoginReason reason) = await SignedToken.VerifyAsync(
            token.Token, _keys, _issuers, static type => string.Equals(type, Type, StringComparison.OrdinalIgnoreCase),
            triesAllKeys: _keys.Keys.Count == 1).ConfigureAwait(false);
        if (verified is null) return LoginResult.Refuse(reason);

        if (verified.Audiences() is not [{ } audience] || audience != _audience) return LoginResult.Refuse(LoginReason.Audience);
        reason = verified.CheckLifetime(_setting.Time.GetUtcNow(), _lifetimeMax, out DateTimeOffset expires);
        if (reason == LoginReason.None) reason = verified.CheckSubject();
        if (reason != LoginReason.None) return LoginResult.Refuse(reason);
        if (verified.StringOf("jti") is not { Length: >= 1 and <= 255 } id
            || !await _setting.UseOnceAsync(Name, id, expires, cancellationToken).ConfigureAwait(false))
            return LoginResult.Refuse(LoginReason.Replay);
        return LoginResult.Accept(new VerifiedLogin(
            Name,
            verified.Subject!, // Checked above.
            CarriedClaims.Of(verified.Claims, _definition.Claims),
            expires,
            Nonce: null)
        {
            MergesFrom = verified.StringOf(MergesFromClaim),
        });
    }

    private static JsonWebKey KeyOf(DeveloperKey key) => new()
    {
        Kid = key.Kid,
        Kty = key.Kty,
        Crv = key.Crv,
        X = key.X,
        Y = key.Y,
    };
}
