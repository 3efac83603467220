namespace SyncEngine.Storage;

/// <summary>
/// Rows that were read or written lately, also those known to be absent, up to a bound. Two generations: what is asked for moves
/// to the young one; when that is full the old one is let go. Not thread-safe.
/// </summary>
/// <param name="bytesMax">About how much both generations hold at most, keys and overhead included.</param>
internal sealed class RecentRows(int bytesMax)
{
    private const int EntryBytes = 120;

    private Dictionary<string, byte[]?> _young = new(StringComparer.Ordinal);
    private Dictionary<string, byte[]?> _old = new(StringComparer.Ordinal);
    private int _youngBytes;

    /// <summary>Whether the row is known.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="bytes">The row; null if it is known that there is none.</param>
    public bool TryGet(string key, out byte[]? bytes)
    {
        if (_young.TryGetValue(key, out bytes)) return true;
        if (!_old.TryGetValue(key, out bytes)) return false;
        Set(key, bytes);
        return true;
    }

    /// <summary>Notes how a row is now; null where there is none.</summary>
    public void Set(string key, byte[]? bytes)
    {
        int size = SizeOf(key, bytes);
        if (_young.Remove(key, out byte[]? before)) _youngBytes -= SizeOf(key, before);
        if (size > bytesMax / 2)
        {
            // It would push all others out.
            _old.Remove(key);
            return;
        }

        if (_youngBytes + size > bytesMax / 2)
            (_old, _young, _youngBytes) = (_young, new Dictionary<string, byte[]?>(StringComparer.Ordinal), 0);
        _young[key] = bytes;
        _youngBytes += size;
    }

    private static int SizeOf(string key, byte[]? bytes) => EntryBytes + (2 * key.Length) + (bytes?.Length ?? 0);
}
