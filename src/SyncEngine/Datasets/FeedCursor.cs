using System.Globalization;

namespace SyncEngine.Datasets;

/// <summary>
/// A place in a dataset's feed of durable changes, to keep beside what was made of them and to resume from. It belongs
/// to
/// one file; elsewhere, or after the file was restored from an older copy, the feed starts with a resync.
/// </summary>
/// <param name="Epoch">Names the opening of the file in which the revision was counted.</param>
/// <param name="Revision">The last revision seen.</param>
public readonly record struct FeedCursor(ulong Epoch, long Revision)
{
    /// <summary>The cursor as text: 16 hexadecimal digits, a minus sign, the revision.</summary>
    public override string ToString() => FormattableString.Invariant($"{Epoch:x16}-{Revision}");

    /// <summary>Reads a cursor as <see cref="ToString"/> writes it.</summary>
    /// <exception cref="FormatException">The text is no cursor.</exception>
    public static FeedCursor Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length < 18 || text[16] != '-') throw new FormatException("A feed cursor looks like 0123456789abcdef-42.");
        return new FeedCursor(
            ulong.Parse(text[..16], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
            long.Parse(text[17..], NumberStyles.None, CultureInfo.InvariantCulture));
    }
}
