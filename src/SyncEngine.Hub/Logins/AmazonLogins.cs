using System.Text.Json;

namespace SyncEngine.Hub.Logins;

/// <summary>
/// Checks Login with Amazon's access tokens by asking Amazon whom they were issued for (<c>tokeninfo</c>: aud must be one of the
/// client ids) and whose they are (<c>profile</c>: user_id). They have no nonce and serve until they expire, an hour at most.
/// </summary>
internal sealed class AmazonLogins(LoginSetting setting, ProviderDefinition definition, ProviderHttp http) : ILoginProvider
{
    private const int LifetimeSecondsMax = 24 * 60 * 60;
    private readonly Uri _base = DefinitionRules.BaseAddressOf(definition);

    public string Name => definition.Name;

    public async Task<LoginResult> ValidateAsync(LoginToken token, CancellationToken cancellationToken)
    {
        if (token.Token.Length == 0 || token.IsOversize) return LoginResult.Refuse(LoginReason.Size);
        if (!OpaqueToken.HasForm(token.Token)) return LoginResult.Refuse(LoginReason.Malformed);
        try
        {
            return await AskAsync(token.Token, cancellationToken).ConfigureAwait(false);
        }
        catch (ProviderUnavailableException failure)
        {
            return LoginResult.Later(failure);
        }
    }

    private async ValueTask<LoginResult> AskAsync(string token, CancellationToken cancellationToken)
    {
        var address = new Uri(_base, $"auth/o2/tokeninfo?access_token={Uri.EscapeDataString(token)}");
        ProviderAnswer about = await http.GetAsync(address, null, cancellationToken).ConfigureAwait(false);
        if (!about.IsSuccess) return SaysNo(about, "tokeninfo");
        if (ProviderAnswer.Text(about.Root, "aud") is not { } audience || !definition.ClientIds.Contains(audience))
            return LoginResult.Refuse(LoginReason.Audience);
        // Here, unlike in a JWT, exp is how many seconds are left.
        if (ProviderAnswer.Number(about.Root, "exp") is not { } left) return LoginResult.Refuse(LoginReason.NoLifetime);
        if (left <= 0) return LoginResult.Refuse(LoginReason.Expired);
        if (left > LifetimeSecondsMax) return LoginResult.Refuse(LoginReason.LifetimeTooLong);

        ProviderAnswer person = await http.GetAsync(new Uri(_base, "user/profile"), token, cancellationToken)
            .ConfigureAwait(false);
        if (!person.IsSuccess) return SaysNo(person, "profile");
        string? subject = ProviderAnswer.Text(person.Root, "user_id");
        if (!SignedToken.IsSubject(subject) || ProviderAnswer.Text(about.Root, "user_id") is { } other && other != subject)
            return LoginResult.Refuse(LoginReason.Subject);
        IReadOnlyDictionary<string, string> claims = CarriedClaims.Of(person.Root, definition.Claims);
        return LoginResult.Accept(new VerifiedLogin(
            Name, subject!, claims, setting.Time.GetUtcNow().AddSeconds(left), Nonce: null)); // Not null: checked above.
    }

    private static LoginResult SaysNo(ProviderAnswer answer, string what)
    {
        // The profile writes its error's code where tokeninfo writes the error.
        string? error = ProviderAnswer.Text(answer.Root, "error");
        if (error is null && answer.Root.TryGetProperty("error", out JsonElement nested))
            error = ProviderAnswer.Text(nested, "code");
        return error is "invalid_token" or "invalid_request" or "insufficient_scope" or "invalidToken"
            ? LoginResult.Refuse(LoginReason.ProviderSaysNo)
            : throw new ProviderUnavailableException(
                LoginReason.ProviderUnusable, $"Amazon's {what} answered {answer.Status} for no reason of the token.");
    }
}
