namespace SyncEngine.Hub.Logins;

/// <summary>What a client shows to log in: an ID token, an access token or an assertion, as text from outside.</summary>
/// <param name="token">The token; anything over 16 KiB is refused before it is read.</param>
/// <param name="accessToken">
/// The access token that came with an ID token; checked against its <c>at_hash</c> if both exist.
/// </param>
internal sealed class LoginToken(string token, string? accessToken = null)
{
    /// <summary>Most characters of a token.</summary>
    public const int CharactersMax = 16 * 1024;

    public string Token { get; } = token;

    public string? AccessToken { get; } = accessToken;

    public bool IsOversize => Token.Length > CharactersMax || AccessToken?.Length > CharactersMax;
}
