using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace SyncEngine.Hub.Push;

/// <summary>
/// A place in a pool's feed as the opaque text that readers keep: pool, the feed's epoch and the last entry read. The epoch
/// tells apart the feeds of two pools that had one name one after the other.
/// </summary>
internal static class FeedCursorText
{
    /// <summary>The place before the oldest entry kept.</summary>
    public const string Start = "start";

    /// <summary>The place after the newest entry.</summary>
    public const string Latest = "latest";

    private const int LengthMax = 256;

    public static string Format(string pool, string epoch, long sequence) => Base64Url.EncodeToString(
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"1.{pool}.{epoch}.{sequence}")));

    /// <summary>Reads a cursor; false for what is none of this pool.</summary>
    public static bool TryParse(string text, string pool, out string epoch, out long sequence)
    {
        (epoch, sequence) = (string.Empty, 0);
        if (text.Length > LengthMax || !Base64Url.IsValid(text)) return false;
        string[] parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split('.');
        if (parts is not ["1", _, _, _] || parts[1] != pool) return false;
        epoch = parts[2];
        return long.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out sequence);
    }
}
