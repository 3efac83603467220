using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;

namespace SyncEngine.Hub.Tokens;

/// <summary>Proof that somebody has a device's key: a signature over a challenge of the hub.</summary>
internal static class DeviceProof
{
    private const int KeyBytesMax = 128;
    private const int SignatureBytes = 64;

    /// <summary>Reads a P-256 public key, a SubjectPublicKeyInfo in base64url; null if it is none.</summary>
    public static byte[]? ReadKey(string text)
    {
        if (ReadBytes(text, KeyBytesMax) is not { } bytes) return null;
        try
        {
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(bytes, out int read);
            ECParameters parameters = key.ExportParameters(false);
            bool isP256 = parameters.Curve.IsNamed && parameters.Curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value;

            // One spelling for each key, so that one key is one device.
            return isP256 && read == bytes.Length && key.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(bytes) ? bytes
                : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>Whether a signature, 64 bytes r and s in base64url, is of the key over what the purpose says.</summary>
    public static bool Verify(
        byte[] publicKey, string purpose, string pool, string challenge, string extra, string signature)
    {
        if (ReadBytes(signature, SignatureBytes) is not { Length: SignatureBytes } bytes) return false;
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(publicKey, out _);
        byte[] signed = Encoding.UTF8.GetBytes($"syncengine-proof-1\n{purpose}\n{pool}\n{challenge}\n{extra}");
        return key.VerifyData(signed, bytes, HashAlgorithmName.SHA256);
    }

    /// <summary>The key's thumbprint as RFC 7638 has it, in base64url.</summary>
    public static string ThumbprintOf(byte[] publicKey)
    {
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(publicKey, out _);
        ECPoint point = key.ExportParameters(false).Q;
        string json = $$"""{"crv":"P-256","kty":"EC","x":"{{Encode(point.X!)}}","y":"{{Encode(point.Y!)}}"}""";
        return Encode(SHA256.HashData(Encoding.UTF8.GetBytes(json)));
    }

    public static string Encode(byte[] bytes) => WebEncoders.Base64UrlEncode(bytes);

    private static byte[]? ReadBytes(string text, int bytesMax)
    {
        if (text.Length > (bytesMax + 2) / 3 * 4) return null;
        try
        {
            return WebEncoders.Base64UrlDecode(text);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
