using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Cognito.Signing;

/// <summary>What issued credentials stand for.</summary>
internal sealed record IssuedClaims(
    string Pool, IdentityId Id, string Role, bool IsGuest, DateTimeOffset IssuedAt, DateTimeOffset Expires);

/// <summary>Credentials as a client gets them.</summary>
internal sealed record TemporaryCredentials(
    string AccessKeyId, string SecretKey, string SessionToken, DateTimeOffset Expiration);

/// <summary>
/// Temporary credentials that nobody stores: the session token is what they stand for, sealed with AES-GCM under a secret of the
/// hub; the access key's id and secret are derived from the token. Thread-safe.
/// </summary>
/// <remarks>A token is, in base64: version (1 byte, 1), the secret's id (4), nonce (12), what is sealed, tag (16); version and
/// id are authenticated too.</remarks>
internal sealed class IssuedCredentials(CognitoSecrets secrets, TimeProvider time)
{
    private const byte Version = 1;
    private const int HeadBytes = 1 + 4;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int TokenCharactersMax = 2048;
    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <summary>What access keys of these credentials begin with.</summary>
    public const string KeyMark = "ASIA";

    /// <summary>The longest that they live.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromHours(1);

    /// <summary>Issues credentials.</summary>
    public async ValueTask<TemporaryCredentials> IssueAsync(
        string pool, IdentityId id, string role, bool isGuest, TimeSpan life, CancellationToken cancellationToken = default)
    {
        CognitoSecret secret = await secrets.CurrentAsync(cancellationToken).ConfigureAwait(false);
        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset expires = DateTimeOffset.FromUnixTimeSeconds((now + life).ToUnixTimeSeconds());
        string token = Seal(secret, Write(new IssuedClaims(pool, id, role, isGuest, now, expires)));
        (string keyId, string key) = Derive(secret, token);
        return new TemporaryCredentials(keyId, key, token, expires);
    }

    /// <summary>What a session token stands for, and the secret that its holder signs with; null if this hub never issued it or
    /// it does not belong to the access key. It may have expired.</summary>
    public async ValueTask<(IssuedClaims Claims, string SecretKey)?> FindAsync(
        string accessKeyId, string token, CancellationToken cancellationToken = default)
    {
        if (token.Length > TokenCharactersMax) return null;
        byte[] bytes = new byte[token.Length];
        if (!Convert.TryFromBase64String(token, bytes, out int length) || length < HeadBytes + NonceBytes + TagBytes
            || bytes[0] != Version) return null;
        CognitoSecret? secret = await secrets.FindAsync(BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(1)), cancellationToken)
            .ConfigureAwait(false);
        if (secret is null || Open(secret, bytes.AsSpan(0, length)) is not { } plain) return null;
        (string keyId, string key) = Derive(secret, Convert.ToBase64String(bytes, 0, length));
        return keyId == accessKeyId ? (Read(plain), key) : null;
    }

    private static string Seal(CognitoSecret secret, byte[] plain)
    {
        byte[] bytes = new byte[HeadBytes + NonceBytes + plain.Length + TagBytes];
        bytes[0] = Version;
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(1), secret.Id);
        Span<byte> nonce = bytes.AsSpan(HeadBytes, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(secret.SealingKey, TagBytes);
        aes.Encrypt(nonce, plain, bytes.AsSpan(HeadBytes + NonceBytes, plain.Length), bytes.AsSpan(bytes.Length - TagBytes),
            bytes.AsSpan(0, HeadBytes));
        return Convert.ToBase64String(bytes);
    }

    private static byte[]? Open(CognitoSecret secret, ReadOnlySpan<byte> bytes)
    {
        byte[] plain = new byte[bytes.Length - HeadBytes - NonceBytes - TagBytes];
        using var aes = new AesGcm(secret.SealingKey, TagBytes);
        try
        {
            aes.Decrypt(bytes.Slice(HeadBytes, NonceBytes), bytes.Slice(HeadBytes + NonceBytes, plain.Length),
                bytes[^TagBytes..], plain, bytes[..HeadBytes]);
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private static (string KeyId, string Secret) Derive(CognitoSecret secret, string token)
    {
        byte[] name = HMACSHA256.HashData(secret.DerivingKey, Encoding.ASCII.GetBytes("id " + token));
        byte[] key = HMACSHA256.HashData(secret.DerivingKey, Encoding.ASCII.GetBytes("key " + token));
        return (KeyMark + string.Create(16, name, static (text, bytes) =>
        {
            for (int i = 0; i < text.Length; i++) text[i] = Base32[bytes[i] & 31];
        }), Convert.ToBase64String(key.AsSpan(0, 30)));
    }

    private static byte[] Write(IssuedClaims claims)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, Encoding.UTF8))
        {
            writer.Write(claims.Pool);
            writer.Write(claims.Id.High);
            writer.Write(claims.Id.Low);
            writer.Write(claims.Role);
            writer.Write(claims.IsGuest);
            writer.Write(claims.IssuedAt.ToUnixTimeMilliseconds());
            writer.Write(claims.Expires.ToUnixTimeSeconds());
        }

        return stream.ToArray();
    }

    // What was sealed by this hub is as it was written.
    private static IssuedClaims Read(byte[] plain)
    {
        using var reader = new BinaryReader(new MemoryStream(plain), Encoding.UTF8);
        string pool = reader.ReadString();
        var id = new IdentityId(reader.ReadUInt64(), reader.ReadUInt64());
        return new IssuedClaims(pool, id, reader.ReadString(), reader.ReadBoolean(),
            DateTimeOffset.FromUnixTimeMilliseconds(reader.ReadInt64()), DateTimeOffset.FromUnixTimeSeconds(reader.ReadInt64()));
    }
}
