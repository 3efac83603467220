using System.Security.Cryptography;
using System.Text.Json;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Rows;

namespace SyncEngine.Hub.Tests.Pools;

/// <summary>Definitions and registries that tests start from.</summary>
internal static class SamplePools
{
    public static IdentityPool Game => new()
    {
        Name = "game", AllowsGuests = true,
        Providers = [new ProviderDefinition { Name = "google", Kind = ProviderKind.Google, Audiences = ["app-1"] }],
    };

    /// <summary>Facebook with a secret.</summary>
    public static ProviderDefinition Facebook => new()
    {
        Name = "facebook", Kind = ProviderKind.Facebook, AppId = "42", AppSecret = "hush-hush-secret",
    };

    public static IdentityPool WithRoles(params string[] roles) => Game with
    {
        Roles = roles.Append("guest").Append("authenticated").ToDictionary(role => role, _ => Policy, StringComparer.Ordinal),
    };

    public static JsonElement Policy => JsonElement.Parse("""{"version":1,"statements":[]}""");

    public static PoolRegistry Registry(HubRows rows) => new(rows, TimeProvider.System);

    /// <summary>A public key, made for the test.</summary>
    public static string Jwk(bool isPrivate = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        ECParameters parameters = key.ExportParameters(includePrivateParameters: true);
        string d = isPrivate ? $",\"d\":\"{Text(parameters.D!)}\"" : "";
        return $$"""{"kty":"EC","crv":"P-256","x":"{{Text(parameters.Q.X!)}}","y":"{{Text(parameters.Q.Y!)}}"{{d}}}""";

        static string Text(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
    }
}
