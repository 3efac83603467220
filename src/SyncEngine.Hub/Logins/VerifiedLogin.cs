namespace SyncEngine.Hub.Logins;

/// <summary>Who a token is about, after every check.</summary>
/// <param name="Provider">The provider's name in its pool.</param>
/// <param name="Subject">The person's id at the provider: 1 to 255 characters, compared ordinally.</param>
/// <param name="Claims">The claims that the definition names and the token has.</param>
/// <param name="Expires">When the token ends.</param>
/// <param name="Nonce">The hub's nonce that the token used up; null if none was needed.</param>
internal sealed record VerifiedLogin(
    string Provider, string Subject, IReadOnlyDictionary<string, string> Claims, DateTimeOffset Expires, string? Nonce)
{
    /// <summary>The id of the identity that the app's backend lets this login's identity take in; null where it says
    /// nothing.</summary>
    public string? MergesFrom { get; init; }
}
