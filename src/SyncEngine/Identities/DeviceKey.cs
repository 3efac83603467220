using System.Buffers.Binary;
using System.Security.Cryptography;

namespace SyncEngine.Identities;

/// <summary>A P-256 key pair that this device keeps for an identity: it mints a guest offline and proves who is
/// asking.</summary>
internal static class DeviceKey
{
    /// <summary>A new private key as PKCS #8.</summary>
    public static byte[] Create()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKey();
    }

    /// <summary>The public key as a SubjectPublicKeyInfo.</summary>
    public static byte[] PublicOf(byte[] privateKey)
    {
        using ECDsa key = Import(privateKey);
        return key.ExportSubjectPublicKeyInfo();
    }

    /// <summary>The identity that a key mints: the first 16 bytes of the SHA-256 of its public key.</summary>
    public static IdentityId IdentityOf(byte[] publicKey)
    {
        using SHA256 sha = SHA256.Create();
        byte[] hash = sha.ComputeHash(publicKey);
        return new IdentityId(
            BinaryPrimitives.ReadUInt64BigEndian(hash), BinaryPrimitives.ReadUInt64BigEndian(hash.AsSpan(8)));
    }

    /// <summary>An ECDSA signature over the SHA-256 of the data, as the 64 bytes r and s.</summary>
    public static byte[] Sign(byte[] privateKey, byte[] data)
    {
        using ECDsa key = Import(privateKey);
        return key.SignData(data, HashAlgorithmName.SHA256);
    }

    private static ECDsa Import(byte[] privateKey)
    {
        ECDsa key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(privateKey, out _);
        return key;
    }
}
