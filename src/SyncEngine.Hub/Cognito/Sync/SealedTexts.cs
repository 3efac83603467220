using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using SyncEngine.Hub.Rows;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>
/// Tokens that clients hand back: what the hub said, with a proof that it said so (HMAC-SHA256 with a key of the hub's own, for
/// one purpose). What they say can be read by whoever has them. Thread-safe.
/// </summary>
internal sealed class SealedTexts(HubRows rows) : IDisposable
{
    private const string KeyRow = "cognito/sealkey";
    private const int KeyBytes = 32;
    private const int ProofBytes = 16;
    private const int TokenLengthMax = 16 * 1024;
    private readonly SemaphoreSlim _making = new(1, 1);
    private byte[]? _key;

    /// <summary>A token that says some parts; only the last may have line breaks.</summary>
    public async ValueTask<string> SealAsync(string purpose, CancellationToken cancellationToken, params string[] parts)
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Join('\n', parts));
        byte[] proof = ProofOf(await KeyAsync(cancellationToken).ConfigureAwait(false), purpose, text);
        return $"{Base64Url.EncodeToString(text)}.{Base64Url.EncodeToString(proof)}";
    }

    /// <summary>The parts that a token says; null if the hub did not make it for this purpose.</summary>
    public async ValueTask<string[]?> OpenAsync(string purpose, string token, int parts, CancellationToken cancellationToken)
    {
        int dot = token.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0 || token.Length > TokenLengthMax || !Base64Url.IsValid(token.AsSpan(0, dot))
            || !Base64Url.IsValid(token.AsSpan(dot + 1))) return null;
        byte[] text = Base64Url.DecodeFromChars(token.AsSpan(0, dot));
        byte[] proof = ProofOf(await KeyAsync(cancellationToken).ConfigureAwait(false), purpose, text);
        if (!CryptographicOperations.FixedTimeEquals(proof, Base64Url.DecodeFromChars(token.AsSpan(dot + 1)))) return null;
        string[] told = Encoding.UTF8.GetString(text).Split('\n', parts);
        return told.Length == parts ? told : null;
    }

    public void Dispose() => _making.Dispose();

    private static byte[] ProofOf(byte[] key, string purpose, byte[] text) =>
        HMACSHA256.HashData(key, (byte[])[.. Encoding.UTF8.GetBytes(purpose), 0, .. text])[..ProofBytes];

    private async ValueTask<byte[]> KeyAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _key) is { } known) return known;
        await _making.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            byte[]? key = await rows.ReadAsync(KeyRow, cancellationToken).ConfigureAwait(false);
            if (key is null)
            {
                key = RandomNumberGenerator.GetBytes(KeyBytes);
                await rows.WriteAsync(KeyValuePair.Create(KeyRow, (byte[]?)key)).ConfigureAwait(false);
            }

            Volatile.Write(ref _key, key);
            return key;
        }
        finally
        {
            _making.Release();
        }
    }
}
