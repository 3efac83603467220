using System.Security.Cryptography;
using System.Text;

namespace SyncEngine.Hub.Endpoints;

/// <summary>Whether a key opens the admin interface. It must take the same time for every wrong key.</summary>
internal delegate bool AdminKeyCheck(string presented);

/// <summary>Compares keys in a time that tells nothing about them.</summary>
internal static class AdminKeys
{
    /// <summary>A check for one key; without a key none opens.</summary>
    public static AdminKeyCheck For(string? key)
    {
        if (key is null) return static _ => false;
        byte[] expected = HashOf(key);
        return presented => CryptographicOperations.FixedTimeEquals(HashOf(presented), expected);
    }

    private static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
