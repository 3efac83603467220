using System.Text.Json.Serialization;

namespace SyncEngine.Hub.Logins;

/// <summary>What a login provider is, which decides how its tokens are checked.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ProviderKind>))]
internal enum ProviderKind
{
    /// <summary>Any issuer of OpenID Connect with a discovery document.</summary>
    [JsonStringEnumMemberName("openid-connect")]
    OpenIdConnect,

    /// <summary>Google: OpenID Connect with the issuer https://accounts.google.com.</summary>
    [JsonStringEnumMemberName("google")]
    Google,

    /// <summary>Apple: OpenID Connect with the issuer https://appleid.apple.com.</summary>
    [JsonStringEnumMemberName("apple")]
    Apple,

    /// <summary>Facebook: Limited Login (OpenID Connect) and, where an app secret is given, classic access tokens.</summary>
    [JsonStringEnumMemberName("facebook")]
    Facebook,

    /// <summary>Login with Amazon: opaque access tokens that Amazon is asked about.</summary>
    [JsonStringEnumMemberName("amazon")]
    Amazon,

    /// <summary>The app's own backend, which signs assertions with a registered key.</summary>
    [JsonStringEnumMemberName("developer")]
    Developer,
}
