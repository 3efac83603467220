using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace SyncEngine.Tests.Policies;

/// <summary>Signs credentials as a hub does, and as one never would.</summary>
internal sealed class CredentialMint : IDisposable
{
    public const string Issuer = "https://hub.example";
    public const string Audience = "orders";
    public static readonly DateTimeOffset Now = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    public ECDsa Key { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public string KeyId { get; init; } = "key-1";

    public string KeySet => KeySetOf(KeyJson());

    public static string KeySetOf(params JsonObject[] keys) =>
        new JsonObject { ["keys"] = new JsonArray([.. keys.Select(static key => (JsonNode)key)]) }.ToJsonString();

    public JsonObject KeyJson()
    {
        ECPoint point = Key.ExportParameters(false).Q;
        return new JsonObject
        {
            ["kty"] = "EC", ["crv"] = "P-256", ["use"] = "sig", ["alg"] = "ES256", ["kid"] = KeyId,
            ["x"] = Encode(point.X!), ["y"] = Encode(point.Y!),
        };
    }

    public JsonObject Header() => new() { ["alg"] = "ES256", ["kid"] = KeyId, ["typ"] = "cred+jwt" };

    public static JsonObject Payload() => new()
    {
        ["iss"] = Issuer, ["aud"] = Audience, ["sub"] = "0123456789abcdef0123456789abcdef", ["pool"] = "game", ["role"] = "auth",
        ["dev"] = "00112233445566778899aabbccddeeff", ["cnf"] = new JsonObject { ["jkt"] = "thumbprint" }, ["pol"] = "hash",
        ["jti"] = "once", ["iat"] = Now.ToUnixTimeSeconds(), ["exp"] = Now.AddHours(1).ToUnixTimeSeconds(),
        ["clm"] = new JsonObject { ["tenant"] = "acme" },
    };

    public string Sign() => Sign(Payload());

    public string Sign(JsonObject payload) => Sign(Header().ToJsonString(), payload.ToJsonString());

    public string Sign(string header, string payload) =>
        SignBytes(Encoding.UTF8.GetBytes(header), Encoding.UTF8.GetBytes(payload));

    public string SignBytes(byte[] header, byte[] payload) => SignText($"{Encode(header)}.{Encode(payload)}");

    public string SignText(string signed) =>
        $"{signed}.{Encode(Key.SignData(Encoding.UTF8.GetBytes(signed), HashAlgorithmName.SHA256))}";

    public static string Encode(byte[] bytes) =>
        Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    public void Dispose() => Key.Dispose();
}
