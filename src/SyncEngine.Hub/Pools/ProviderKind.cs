using System.Text.Json.Serialization;

namespace SyncEngine.Hub.Pools;

/// <summary>How a provider proves who somebody is.</summary>
[JsonConverter(typeof(CamelCaseNames<ProviderKind>))]
public enum ProviderKind
{
    /// <summary>ID tokens of any OpenID Connect issuer.</summary>
    [JsonStringEnumMemberName("openid-connect")]
    OpenIdConnect = 1,

    /// <summary>ID tokens of Google.</summary>
    Google = 2,

    /// <summary>ID tokens of Apple.</summary>
    Apple = 3,

    /// <summary>Facebook: ID tokens of Limited Login, or classic access tokens.</summary>
    Facebook = 4,

    /// <summary>Access tokens of Login with Amazon.</summary>
    Amazon = 5,

    /// <summary>Assertions that the app's own backend signed.</summary>
    Developer = 6,
}
