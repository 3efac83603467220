using System.Security.Cryptography;
using System.Text;
using System.Buffers.Text;

namespace SyncEngine.Hub.Logins;

/// <summary>
/// Checks ID tokens (OpenID Connect Core, section 3.1.3.7): Google's, Apple's, Facebook's Limited Login and any issuer's.
/// A token lives 24 hours at most, the longest that a big provider (Apple) gives.
/// </summary>
internal sealed class OpenIdConnectLogins : ILoginProvider
{
    private static readonly TimeSpan _lifetimeMax = TimeSpan.FromHours(24);

    private readonly LoginSetting _setting;
    private readonly ProviderDefinition _definition;
    private readonly Issuer _issuer;
    private readonly string[] _issuers;
    private readonly HashSet<string> _audiences;
    private readonly HashSet<string> _parties;

    public OpenIdConnectLogins(LoginSetting setting, ProviderDefinition definition, Issuer issuer)
    {
        _setting = setting;
        _definition = definition;
        _issuer = issuer;
        // Google documents that its tokens name it with or without the scheme.
        _issuers = definition is { Kind: ProviderKind.Google, Issuer: null }
            ? [issuer.Name, "accounts.google.com"] : [issuer.Name];
        _audiences = new HashSet<string>(
            definition.Kind == ProviderKind.Facebook ? [definition.AppId!] : definition.ClientIds, StringComparer.Ordinal);
        _parties = new HashSet<string>(_audiences.Concat(definition.AuthorizedParties), StringComparer.Ordinal);
    }

    public string Name => _definition.Name;

    public async Task<LoginResult> ValidateAsync(LoginToken token, CancellationToken cancellationToken)
    {
        if (token.Token.Length == 0 || token.IsOversize) return LoginResult.Refuse(LoginReason.Size);
        if (!SignedToken.HasForm(token.Token)) return LoginResult.Refuse(LoginReason.Malformed);
        try
        {
            (SignedToken? verified, LoginReason reason) =
                await VerifyAsync(token.Token, cancellationToken).ConfigureAwait(false);
            return verified is null
                ? LoginResult.Refuse(reason)
                : await CheckAsync(verified, token.AccessToken, cancellationToken).ConfigureAwait(false);
        }
        catch (ProviderUnavailableException failure)
        {
            return LoginResult.Later(failure);
        }
    }

    private async ValueTask<(SignedToken? Token, LoginReason Reason)> VerifyAsync(
        string text, CancellationToken cancellationToken)
    {
        IssuerKeys keys = await _issuer.KeysAsync(cancellationToken).ConfigureAwait(false);
        (SignedToken? token, LoginReason reason) =
            await SignedToken.VerifyAsync(text, keys, _issuers, AcceptsType).ConfigureAwait(false);
        if (reason != LoginReason.Signature) return (token, reason);

        // The issuer may have changed its keys: once more with new ones, if they may be fetched.
        IssuerKeys? newer = await _issuer.NewerKeysAsync(keys, cancellationToken).ConfigureAwait(false);
        return newer is null
            ? (null, reason)
            : await SignedToken.VerifyAsync(text, newer, _issuers, AcceptsType).ConfigureAwait(false);
    }

    private async ValueTask<LoginResult> CheckAsync(
        SignedToken token, string? accessToken, CancellationToken cancellationToken)
    {
        LoginReason reason = CheckParties(token);
        if (reason != LoginReason.None) return LoginResult.Refuse(reason);
        reason = token.CheckLifetime(_setting.Time.GetUtcNow(), _lifetimeMax, out DateTimeOffset expires);
        if (reason == LoginReason.None) reason = token.CheckSubject();
        if (reason == LoginReason.None) reason = CheckAccessToken(token, accessToken);
        // Last, so that a token which is refused for anything else uses nothing up.
        if (reason == LoginReason.None) reason = await UseAsync(token, expires, cancellationToken).ConfigureAwait(false);
        if (reason != LoginReason.None) return LoginResult.Refuse(reason);
        return LoginResult.Accept(new VerifiedLogin(
            Name,
            token.Subject!, // Checked above.
            CarriedClaims.Of(token.Claims, _definition.Claims),
            expires,
            _definition.RequiresNonce ? token.StringOf("nonce") : null));
    }

    private LoginReason CheckParties(SignedToken token)
    {
        IReadOnlyList<string> audiences = token.Audiences();
        if (audiences.Count == 0 || !audiences.All(_audiences.Contains)) return LoginReason.Audience;
        if (!token.Has("azp")) return audiences.Count == 1 ? LoginReason.None : LoginReason.AuthorizedParty;
        return token.StringOf("azp") is { } party && _parties.Contains(party) ? LoginReason.None : LoginReason.AuthorizedParty;
    }

    private static LoginReason CheckAccessToken(SignedToken token, string? accessToken)
    {
        if (accessToken is null || !token.Has("at_hash")) return LoginReason.None;
        byte[] bytes = Encoding.UTF8.GetBytes(accessToken);
        byte[] hash = token.Algorithm[^3..] switch
        {
            "256" => SHA256.HashData(bytes),
            "384" => SHA384.HashData(bytes),
            _ => SHA512.HashData(bytes),
        };
        string expected = Base64Url.EncodeToString(hash.AsSpan(0, hash.Length / 2));
        return token.StringOf("at_hash") == expected ? LoginReason.None : LoginReason.AccessTokenHash;
    }

    private async ValueTask<LoginReason> UseAsync(
        SignedToken token, DateTimeOffset expires, CancellationToken cancellationToken)
    {
        if (!_definition.RequiresNonce)
        {
            // The signature is left out of what is marked: ECDSA lets anybody write a second one for the same token.
            string signed = token.Text[..token.Text.LastIndexOf('.')];
            return await _setting.UseOnceAsync(Name, signed, expires, cancellationToken).ConfigureAwait(false)
                ? LoginReason.None : LoginReason.Replay;
        }

        return token.StringOf("nonce") is { Length: >= 1 and <= 255 } nonce
            && await _setting.Nonces.TryUseAsync(_setting.Pool, nonce, cancellationToken).ConfigureAwait(false)
            ? LoginReason.None : LoginReason.Nonce;
    }

    /// <summary>None, or JWT: every other name is of another kind of token, such as an access token's at+jwt.</summary>
    private static bool AcceptsType(string? type) =>
        type is null || string.Equals(type, "JWT", StringComparison.OrdinalIgnoreCase);
}
