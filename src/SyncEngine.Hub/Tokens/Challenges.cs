using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using SyncEngine.Hub.Rows;

namespace SyncEngine.Hub.Tokens;

/// <summary>
/// What the hub hands out to be used once: challenges that a device key signs, and nonces that a login's token must carry. Each
/// is time, random bits and a seal, so that nothing is stored for those that are never used; a used one is noted in a row until
/// it would have expired, so that neither a restart nor a crash lets it be used again.
/// </summary>
internal sealed class Challenges(HubRows rows, TimeProvider time) : IPeriodicTask, IDisposable
{
    private const string SecretKey = "challenge/secret";
    private const string UsedPrefix = "used/";
    private const int BodyBytes = 8 + 16;
    private const int SealBytes = 16;

    /// <summary>How long a challenge can be signed.</summary>
    public static readonly TimeSpan ChallengeLife = TimeSpan.FromMinutes(5);

    /// <summary>How long a login may take.</summary>
    public static readonly TimeSpan NonceLife = TimeSpan.FromMinutes(10);

    private readonly SemaphoreSlim _using = new(1, 1);
    private byte[]? _secret;

    public string Name => "forget used challenges";

    /// <summary>Makes one for a purpose and a pool.</summary>
    public async ValueTask<(string Text, DateTimeOffset Expires)> CreateAsync(
        string purpose, string pool, TimeSpan life, CancellationToken cancellationToken)
    {
        byte[] secret = await SecretAsync(cancellationToken).ConfigureAwait(false);
        DateTimeOffset expires = time.GetUtcNow() + life;
        byte[] bytes = new byte[BodyBytes + SealBytes];
        BinaryPrimitives.WriteInt64BigEndian(bytes, expires.ToUnixTimeMilliseconds());
        RandomNumberGenerator.Fill(bytes.AsSpan(8, 16));
        Seal(secret, purpose, pool, bytes.AsSpan(0, BodyBytes)).CopyTo(bytes.AsSpan(BodyBytes));
        return (WebEncoders.Base64UrlEncode(bytes), expires);
    }

    /// <summary>Uses one: true the first time before it expires, and never again.</summary>
    public async ValueTask<bool> TryUseAsync(string purpose, string pool, string text, CancellationToken cancellationToken)
    {
        if (text.Length > 64) return false;
        byte[] bytes;
        try
        {
            bytes = WebEncoders.Base64UrlDecode(text);
        }
        catch (FormatException)
        {
            return false;
        }

        if (bytes.Length != BodyBytes + SealBytes) return false;
        byte[] secret = await SecretAsync(cancellationToken).ConfigureAwait(false);
        byte[] expected = Seal(secret, purpose, pool, bytes.AsSpan(0, BodyBytes));
        if (!CryptographicOperations.FixedTimeEquals(expected, bytes.AsSpan(BodyBytes))) return false;
        long expires = BinaryPrimitives.ReadInt64BigEndian(bytes);
        if (expires <= time.GetUtcNow().ToUnixTimeMilliseconds()) return false;
        return await TryUseOnceAsync(Convert.ToHexStringLower(bytes.AsSpan(8, 16)),
            DateTimeOffset.FromUnixTimeMilliseconds(expires), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Notes that something was used, until it expires by itself; false if it was used before.</summary>
    public async ValueTask<bool> TryUseOnceAsync(string name, DateTimeOffset expires, CancellationToken cancellationToken)
    {
        string key = FormattableString.Invariant($"{UsedPrefix}{expires.ToUnixTimeMilliseconds():D15}/{name}");
        Task durable;
        await _using.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (await rows.ReadAsync(key, cancellationToken).ConfigureAwait(false) is not null) return false;
            durable = rows.WriteAsync(new KeyValuePair<string, byte[]?>(key, []));
        }
        finally
        {
            _using.Release();
        }

        await durable.ConfigureAwait(false);
        return true;
    }

    /// <summary>Forgets what has expired.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        const int atOnce = 1000;
        string now = FormattableString.Invariant($"{UsedPrefix}{time.GetUtcNow().ToUnixTimeMilliseconds():D15}/");
        while (true)
        {
            IReadOnlyList<KeyValuePair<string, byte[]>> found =
                await rows.ReadRangeAsync(UsedPrefix, null, atOnce, cancellationToken).ConfigureAwait(false);
            List<KeyValuePair<string, byte[]?>> over = [.. found.Where(row => string.CompareOrdinal(row.Key, now) < 0)
                .Select(static row => new KeyValuePair<string, byte[]?>(row.Key, null))];
            if (over.Count > 0) await rows.WriteAsync(over).ConfigureAwait(false);
            if (over.Count < atOnce) return;
        }
    }

    public void Dispose() => _using.Dispose();

    private async ValueTask<byte[]> SecretAsync(CancellationToken cancellationToken)
    {
        if (_secret is { } known) return known;
        await _using.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            byte[]? stored = await rows.ReadAsync(SecretKey, cancellationToken).ConfigureAwait(false);
            if (stored is null)
            {
                stored = RandomNumberGenerator.GetBytes(32);
                await rows.WriteAsync(new KeyValuePair<string, byte[]?>(SecretKey, stored)).ConfigureAwait(false);
            }

            return _secret = stored;
        }
        finally
        {
            _using.Release();
        }
    }

    private static byte[] Seal(byte[] secret, string purpose, string pool, ReadOnlySpan<byte> body)
    {
        byte[] sealedOver = [.. Encoding.UTF8.GetBytes($"{purpose}\n{pool}\n"), .. body];
        return HMACSHA256.HashData(secret, sealedOver)[..SealBytes];
    }
}
