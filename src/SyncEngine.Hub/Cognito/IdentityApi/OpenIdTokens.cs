using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using SyncEngine.Hub.Tokens;

namespace SyncEngine.Hub.Cognito.IdentityApi;

/// <summary>What a token of this API says.</summary>
/// <param name="PoolId">The pool, as clients write it.</param>
/// <param name="IdentityId">The identity, as clients write it.</param>
/// <param name="IsAuthenticated">Whether it was proved by a login.</param>
internal sealed record OpenIdClaims(string PoolId, string IdentityId, bool IsAuthenticated);

/// <summary>OpenID tokens that say who an identity is: signed with the hub's keys, for STS and for this API itself.</summary>
internal sealed class OpenIdTokens(
    SigningKeys keys, HubAddress address, CognitoPools pools, CognitoIds ids, Revocations revocations, TimeProvider time)
{
    private const string Type = "JWT";
    private const string Guest = "unauthenticated";
    private const string Authenticated = "authenticated";
    private const int CharactersMax = 8192;
    private static readonly TimeSpan _skew = TimeSpan.FromSeconds(60);
    private readonly JsonWebTokenHandler _handler = new() { SetDefaultTimesOnTokenCreation = false, MapInboundClaims = false };

    /// <summary>Issues a token.</summary>
    /// <param name="pool">The pool: whom the token is for.</param>
    /// <param name="identityId">The identity, as clients write it.</param>
    /// <param name="providers">The providers that proved it, as clients name them; empty for a guest.</param>
    /// <param name="life">How long it holds.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<string> IssueAsync(
        CognitoPool pool, string identityId, IReadOnlyList<string> providers, TimeSpan life, CancellationToken cancellationToken)
    {
        DateTime now = time.GetUtcNow().UtcDateTime;
        return _handler.CreateToken(new SecurityTokenDescriptor
        {
            TokenType = Type, Issuer = address.Issuer, Audience = pool.Id, IssuedAt = now, Expires = now + life,
            SigningCredentials = new SigningCredentials(
                await keys.CurrentAsync(cancellationToken).ConfigureAwait(false), SecurityAlgorithms.EcdsaSha256),
            Claims = new Dictionary<string, object>
            {
                ["sub"] = identityId,
                ["amr"] = providers.Count == 0 ? new[] { Guest } : [Authenticated, .. providers],
            },
        });
    }

    /// <summary>What a token says; null if it is none of this hub's, has expired, or was revoked with its identity.</summary>
    public async ValueTask<OpenIdClaims?> ValidateAsync(string token, CancellationToken cancellationToken)
    {
        if (token.Length > CharactersMax) return null;
        TokenValidationResult result = await _handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256], ValidTypes = [Type], ValidIssuer = address.Issuer,
            ValidateAudience = false, IssuerSigningKeys = await keys.AllAsync(cancellationToken).ConfigureAwait(false),
            RequireExpirationTime = true, RequireSignedTokens = true,
            LifetimeValidator = (_, to, _, _) => to is { } until && until + _skew > time.GetUtcNow().UtcDateTime,
        }).ConfigureAwait(false);
        if (!result.IsValid || result.SecurityToken is not JsonWebToken jwt
            || jwt.Audiences.ToList() is not [{ } pool] || !ids.TryParse(jwt.Subject, out _, out Guid id)
            || await pools.FindAsync(pool, cancellationToken).ConfigureAwait(false) is not { } known
            || await revocations.IsRevokedAsync(known.Name, CognitoIds.IdentityOf(id), jwt.IssuedAt, cancellationToken)
                .ConfigureAwait(false)) return null;
        return new OpenIdClaims(pool, jwt.Subject,
            jwt.TryGetPayloadValue("amr", out List<string>? methods) && methods!.Contains(Authenticated));
    }
}
