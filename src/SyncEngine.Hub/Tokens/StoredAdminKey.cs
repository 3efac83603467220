using System.Security.Cryptography;
using System.Text;
using SyncEngine.Hub.Rows;

namespace SyncEngine.Hub.Tokens;

/// <summary>The admin key of a hub that none was configured for: made at the first start, kept as its hash.</summary>
internal sealed class StoredAdminKey(HubRows rows)
{
    private const string RowKey = "admin/key";
    private const string Mark = "sya1_";
    private volatile byte[]? _hash;

    /// <summary>Makes the key if there is none yet.</summary>
    /// <param name="replaces">Whether to make a new one even so.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The new key, which nobody can be told again; null if there was one.</returns>
    public async Task<string?> EnsureAsync(bool replaces, CancellationToken cancellationToken)
    {
        byte[]? stored = await rows.ReadAsync(RowKey, cancellationToken).ConfigureAwait(false);
        if (stored is not null && !replaces)
        {
            _hash = stored;
            return null;
        }

        string key = Mark + DeviceProof.Encode(RandomNumberGenerator.GetBytes(32));
        byte[] hash = HashOf(key);
        await rows.WriteAsync(new KeyValuePair<string, byte[]?>(RowKey, hash)).ConfigureAwait(false);
        _hash = hash;
        return key;
    }

    /// <summary>Whether a key is the one; takes the same time for every wrong key.</summary>
    public bool Check(string presented)
    {
        // Without a key none opens: nothing hashes to no bytes. One may be made any moment, so its absence is not remembered.
        byte[] expected = _hash ?? rows.ReadAsync(RowKey).AsTask().GetAwaiter().GetResult() ?? [];
        return CryptographicOperations.FixedTimeEquals(HashOf(presented), expected);
    }

    private static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
