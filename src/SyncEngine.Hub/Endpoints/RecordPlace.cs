using System.Buffers.Text;
using System.Globalization;
using System.Text;
using SyncEngine.Cells;
using SyncEngine.Datasets;

namespace SyncEngine.Hub.Endpoints;

/// <summary>
/// Where a page of a dataset's records ended. Records come in the order of the revision that changed them last, so that one which
/// changes while somebody reads comes once more, later.
/// </summary>
/// <param name="DeletesAfter">The revision after which deletes are told: what the reader never saw need not be deleted.</param>
/// <param name="Revision">The revision of the page's last record.</param>
/// <param name="Record">The page's last record.</param>
internal readonly record struct RecordPlace(long DeletesAfter, long Revision, RecordName Record)
{
    /// <summary>A key has at most 4,096 bytes.</summary>
    public const int TextLengthMax = 6000;

    public bool IsBefore(in RecordState record) => record.Revision > Revision
        || (record.Revision == Revision && record.Name > Record);

    public string Format() => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture, $"{DeletesAfter}.{Revision}.{(int)Record.Kind}.{Record.Key}")));

    public static bool TryParse(string text, out RecordPlace place)
    {
        place = default;
        if (text.Length > TextLengthMax || !Base64Url.IsValid(text)) return false;
        string[] parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split('.', 4);
        if (parts.Length < 4 || !IsNumber(parts[0], out long deletesAfter) || !IsNumber(parts[1], out long revision)
            || !IsNumber(parts[2], out long kind) || !Enum.IsDefined((RecordKind)kind)) return false;
        place = new RecordPlace(deletesAfter, revision, new RecordName(parts[3], (RecordKind)kind));
        return true;
    }

    private static bool IsNumber(string text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
