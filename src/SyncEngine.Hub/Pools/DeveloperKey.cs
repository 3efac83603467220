using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace SyncEngine.Hub.Pools;

/// <summary>The public key with which an app's backend signs assertions: a P-256 key as a JWK.</summary>
internal static class DeveloperKey
{
    private const int CoordinateBytes = 32;
    private const string Shape = "A key is a public P-256 key as a JWK text: "
        + "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"...\",\"y\":\"...\"}.";

    /// <summary>What is wrong with a key; null if it is sound.</summary>
    public static string? FaultOf(string jwk)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(jwk, new JsonDocumentOptions { AllowDuplicateProperties = false });
            JsonElement key = document.RootElement;
            if (key.ValueKind != JsonValueKind.Object) return Shape;
            if (key.TryGetProperty("d", out _))
                return "This is a private key: keep it in the app's backend, and give the hub the same without its member d.";
            if (TextOf(key, "kty") != "EC" || TextOf(key, "crv") != "P-256") return Shape;
            var point = new ECPoint { X = CoordinateOf(key, "x"), Y = CoordinateOf(key, "y") };
            if (point.X is null || point.Y is null) return Shape;
            using var check = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = point });
            return null;
        }
        catch (JsonException)
        {
            return Shape;
        }
        catch (CryptographicException)
        {
            return "The key's x and y are no point of P-256: export the key again.";
        }
    }

    private static string? TextOf(JsonElement key, string member) =>
        key.TryGetProperty(member, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[]? CoordinateOf(JsonElement key, string member)
    {
        string? text = TextOf(key, member);
        return text is not null && Base64Url.IsValid(text, out int length) && length == CoordinateBytes
            ? Base64Url.DecodeFromChars(text) : null;
    }
}
