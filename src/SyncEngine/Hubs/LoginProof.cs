using System.Text.Json;

namespace SyncEngine.Hubs;

/// <summary>What proves a login to the hub.</summary>
/// <param name="Provider">The provider's name in the pool.</param>
/// <param name="Token">The provider's ID token, or access token where it has none.</param>
/// <param name="AccessToken">An access token beside an ID token, where the provider's kind wants one.</param>
public sealed record LoginProof(string Provider, string Token, string? AccessToken = null)
{
    internal void Write(Utf8JsonWriter json)
    {
        json.WriteString("provider", Provider);
        json.WriteString("token", Token);
        if (AccessToken is not null) json.WriteString("accessToken", AccessToken);
    }

    /// <summary>The provider; the tokens are nobody's to read.</summary>
    public override string ToString() => $"a login of {Provider}";
}
