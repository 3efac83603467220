using System.Text.Json.Serialization;

namespace SyncEngine.Hub.Push;

/// <summary>What a push tells the app.</summary>
/// <param name="Pool">The pool.</param>
/// <param name="Datasets">What changed; absent for anything.</param>
internal sealed record PushNews(string Pool, IReadOnlyList<string>? Datasets);

/// <summary>A push in the form of APNs: the hub's own words or, in their place, data.</summary>
internal sealed record ApnsPayload(
    ApnsBody Aps, [property: JsonPropertyName("syncengine")] PushNews? News, IReadOnlyDictionary<string, string>? Data = null);

/// <summary>Apple's part of it.</summary>
internal sealed record ApnsBody([property: JsonPropertyName("content-available")] int ContentAvailable);

/// <summary>A push in the form of FCM.</summary>
internal sealed record FcmPayload(FcmMessage Message);

/// <summary>Its message; data are texts.</summary>
internal sealed record FcmMessage(string Token, IReadOnlyDictionary<string, string> Data);

/// <summary>An access token as an OAuth 2.0 server grants it.</summary>
internal sealed record GrantedToken(
    [property: JsonPropertyName("access_token")] string? AccessToken,
    [property: JsonPropertyName("expires_in")] int ExpiresIn);
