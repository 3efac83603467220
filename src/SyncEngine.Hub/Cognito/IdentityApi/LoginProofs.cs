using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using SyncEngine.Hub.Accounts;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Pools;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Cognito.IdentityApi;

/// <summary>A login that was proved.</summary>
/// <param name="Name">The provider as clients name it.</param>
/// <param name="Login">The login.</param>
/// <param name="Token">The token's claims; null if it is none that carries them.</param>
internal sealed record ProvenLogin(string Name, LoginRow Login, JsonWebToken? Token);

/// <summary>What the logins of one call prove.</summary>
/// <param name="Logins">Proved with providers, in the order of the call.</param>
/// <param name="Self">The identity that a token of this API names; null if there was none.</param>
internal sealed record ProvenLogins(IReadOnlyList<ProvenLogin> Logins, IdentityId? Self)
{
    public static ProvenLogins None { get; } = new([], null);
}

/// <summary>Proves the logins of a call: all of them, or the call is refused.</summary>
internal sealed class LoginProofs(LoginEntry logins, OpenIdTokens tokens, CognitoIds ids)
{
    public const int LoginsMax = 10;
    private const int NameMax = 128;
    private const int TokenMax = 50_000;

    /// <summary>Reads the member <c>Logins</c>.</summary>
    public static IReadOnlyDictionary<string, string> Read(JsonElement body) =>
        body.Map("Logins", LoginsMax, NameMax, TokenMax, CognitoPatterns.ProviderName());

    /// <exception cref="CognitoException">A token is not accepted, or the pool has no such provider.</exception>
    public async Task<ProvenLogins> ProveAsync(
        CognitoPool pool, IReadOnlyDictionary<string, string> shown, CancellationToken cancellationToken)
    {
        var proven = new List<ProvenLogin>();
        IdentityId? self = null;
        foreach ((string name, string token) in shown)
        {
            if (name == ProviderNames.Own)
            {
                self = await ProveOwnAsync(pool, token, cancellationToken).ConfigureAwait(false);
                continue;
            }

            ProviderDefinition provider = ProviderNames.Find(pool.Definition, name) ?? throw CognitoException.NotAuthorized(
                "Token is not from a supported provider of this identity pool.");
            LoginRow login = await ProveAsync(pool, provider, token, cancellationToken).ConfigureAwait(false);
            proven.Add(new ProvenLogin(name, login, ClaimsOf(token)));
        }

        return new ProvenLogins(proven, self);
    }

    private async Task<LoginRow> ProveAsync(
        CognitoPool pool, ProviderDefinition provider, string token, CancellationToken cancellationToken)
    {
        try
        {
            return await logins.ProveBearerAsync(pool.Definition, provider, token, cancellationToken).ConfigureAwait(false);
        }
        catch (EntryException e) when (e.Fault == EntryFault.NotAccepted)
        {
            throw CognitoException.NotAuthorized("Invalid login token. " + e.Message);
        }
    }

    private async Task<IdentityId> ProveOwnAsync(CognitoPool pool, string token, CancellationToken cancellationToken)
    {
        OpenIdClaims? claims = await tokens.ValidateAsync(token, cancellationToken).ConfigureAwait(false);
        if (claims is { IsAuthenticated: true } && claims.PoolId == pool.Id
            && ids.TryParse(claims.IdentityId, out _, out Guid id)) return CognitoIds.IdentityOf(id);
        throw CognitoException.NotAuthorized("Invalid login token. Get a new OpenID token for this pool, and try again.");
    }

    // The token was proved, so what it says may be read.
    private static JsonWebToken? ClaimsOf(string token)
    {
        try
        {
            return new JsonWebToken(token);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
