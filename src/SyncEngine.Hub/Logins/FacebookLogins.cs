using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace SyncEngine.Hub.Logins;

/// <summary>
/// Checks Facebook's tokens: those of Limited Login as ID tokens, classic access tokens by asking Facebook about them
/// (<c>debug_token</c> with the app's own token) and for whose they are (<c>me</c>).
/// </summary>
/// <remarks>
/// A classic token has no nonce and serves many times, until Facebook ends it: whoever steals one can log in with it. Limited
/// Login has neither weakness; leave <see cref="ProviderDefinition.AppSecret"/> out to take nothing else.
/// </remarks>
internal sealed class FacebookLogins(
    LoginSetting setting, ProviderDefinition definition, OpenIdConnectLogins limited, ProviderHttp http) : ILoginProvider
{
    private const int InvalidToken = 190;
    private readonly Uri _base = DefinitionRules.BaseAddressOf(definition);

    public string Name => definition.Name;

    public async Task<LoginResult> ValidateAsync(LoginToken token, CancellationToken cancellationToken)
    {
        if (token.Token.Length == 0 || token.IsOversize) return LoginResult.Refuse(LoginReason.Size);
        // A classic token is letters and digits; only a signed one has dots.
        if (token.Token.Contains('.')) return await limited.ValidateAsync(token, cancellationToken).ConfigureAwait(false);
        if (definition.AppSecret is not { } secret) return LoginResult.Refuse(LoginReason.NotSetUp);
        if (!OpaqueToken.HasForm(token.Token)) return LoginResult.Refuse(LoginReason.Malformed);
        try
        {
            return await AskAsync(token.Token, secret, cancellationToken).ConfigureAwait(false);
        }
        catch (ProviderUnavailableException failure)
        {
            return LoginResult.Later(failure);
        }
    }

    private async ValueTask<LoginResult> AskAsync(string token, string secret, CancellationToken cancellationToken)
    {
        string escaped = Uri.EscapeDataString(token);
        string appToken = Uri.EscapeDataString($"{definition.AppId}|{secret}");
        ProviderAnswer about = await http.GetAsync(
            new Uri(_base, $"debug_token?input_token={escaped}&access_token={appToken}"), null, cancellationToken)
            .ConfigureAwait(false);
        // An error here is about the app's token, not the person's: that one is described in "data", however wrong it is.
        if (!about.IsSuccess || !about.Root.TryGetProperty("data", out JsonElement data)
            || data.ValueKind != JsonValueKind.Object)
            throw Unusable($"Facebook does not describe tokens to this app ({about.Status}): check appId and appSecret.");
        LoginReason reason = Check(data, out DateTimeOffset expires);
        if (reason != LoginReason.None) return LoginResult.Refuse(reason);

        string fields = Uri.EscapeDataString(string.Join(',', definition.Claims.Where(IsField).Prepend("id").Distinct()));
        string proof = Convert.ToHexStringLower(
            HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(token)));
        ProviderAnswer person = await http.GetAsync(
            new Uri(_base, $"me?fields={fields}&access_token={escaped}&appsecret_proof={proof}"), null, cancellationToken)
            .ConfigureAwait(false);
        if (!person.IsSuccess)
        {
            return person.Root.TryGetProperty("error", out JsonElement error)
                && ProviderAnswer.Number(error, "code") == InvalidToken
                ? LoginResult.Refuse(LoginReason.ProviderSaysNo)
                : throw Unusable($"Facebook does not tell whose a token is ({person.Status}).");
        }

        string? subject = ProviderAnswer.Text(person.Root, "id");
        if (!SignedToken.IsSubject(subject) || subject != ProviderAnswer.Text(data, "user_id"))
            return LoginResult.Refuse(LoginReason.Subject);
        return LoginResult.Accept(new VerifiedLogin(
            Name, subject!, CarriedClaims.Of(person.Root, definition.Claims), expires, Nonce: null)); // Not null: checked above.
    }

    private LoginReason Check(JsonElement data, out DateTimeOffset expires)
    {
        expires = default;
        if (!data.TryGetProperty("is_valid", out JsonElement valid) || valid.ValueKind != JsonValueKind.True)
            return LoginReason.ProviderSaysNo;
        if (ProviderAnswer.Text(data, "app_id") != definition.AppId) return LoginReason.Audience;
        // Tokens of pages and apps are valid too, and are nobody's.
        if (ProviderAnswer.Text(data, "type") != "USER") return LoginReason.Type;
        // 0 stands for a token without end; then access to the person's data still ends.
        long? seconds = ProviderAnswer.Number(data, "expires_at") is > 0 and { } at
            ? at : ProviderAnswer.Number(data, "data_access_expires_at");
        if (seconds is not (> 0 and < 253_402_300_800)) return LoginReason.NoLifetime;
        expires = DateTimeOffset.FromUnixTimeSeconds(seconds.Value);
        return expires <= setting.Time.GetUtcNow() ? LoginReason.Expired : LoginReason.None;
    }

    private static bool IsField(string name) => name.All(static letter => char.IsAsciiLetterLower(letter) || letter == '_');

    private static ProviderUnavailableException Unusable(string message) => new(LoginReason.ProviderUnusable, message);
}
