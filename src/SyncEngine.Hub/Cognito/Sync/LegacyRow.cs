using System.Text.Json;
using SyncEngine.Datasets;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>What legacy clients need to know of a dataset beside its records; one row, written with the dataset's
/// commit.</summary>
internal sealed record LegacyRow
{
    /// <summary>Most dates of devices that are kept.</summary>
    private const int DatesMax = 2048;

    /// <summary>Most characters of their keys, each of which takes up to six bytes in the row.</summary>
    private const int DateCharactersMax = 512 * 1024;

    /// <summary>Deleted where the count of an imported dataset is higher than that of any record.</summary>
    public const string FillerKey = "syncengine.imported";

    /// <summary>When a legacy client first wrote to it, in milliseconds since 1970; 0 for never.</summary>
    public long CreatedAt { get; init; }

    /// <summary>The count at which a legacy client deleted the dataset last: who knows no later one begins anew. 0 for
    /// never.</summary>
    public long DeletedThrough { get; init; }

    /// <summary>Whether a legacy client has made it again since.</summary>
    public bool IsMadeAgain { get; init; }

    /// <summary>The count through which it came from another service; 0 if it did not.</summary>
    public long ImportedThrough { get; init; }

    /// <summary>What devices said of when they wrote: for a key its count then, and milliseconds since 1970.</summary>
    public IReadOnlyDictionary<string, DeviceDate> Dates { get; init; } = new Dictionary<string, DeviceDate>();

    /// <summary>The rows of an identity's datasets begin so.</summary>
    public static string PrefixOf(string pool, IdentityId id) => HubStore.BesideOf(pool, id) + "dataset/";

    public static LegacyRow Decode(byte[]? bytes) => bytes is null ? new LegacyRow()
        : JsonSerializer.Deserialize<LegacyRow>(bytes, RowJson.Options) ?? new LegacyRow();

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, RowJson.Options);

    /// <summary>Whether legacy clients see a dataset; call it at one moment of the dataset.</summary>
    public bool Shows(Dataset dataset) =>
        dataset.Revision > 0 && (DeletedThrough == 0 || IsMadeAgain || dataset.Count > 0);

    /// <summary>The date that a device gave for what a record shows now; the hub's where none did.</summary>
    public long DateOf(in KeyState state) => Dates.TryGetValue(state.Key, out DeviceDate date) && date.SyncCount == state.Revision
        ? date.Milliseconds : state.Time.WallMilliseconds;

    /// <summary>The row after a call that wrote records with one count.</summary>
    public LegacyRow After(IReadOnlyList<LegacyPatch> patches, Func<string, long> countOf, long now)
    {
        Dictionary<string, DeviceDate> dates = Dates.Where(date => countOf(date.Key) == date.Value.SyncCount)
            .ToDictionary(StringComparer.Ordinal);
        Add(dates, patches, patch => countOf(patch.Key));
        return this with { CreatedAt = CreatedAt == 0 ? now : CreatedAt, IsMadeAgain = DeletedThrough > 0, Dates = dates };
    }

    /// <summary>The row of a dataset that came from another service with its counts.</summary>
    public LegacyRow Imported(IReadOnlyList<LegacyPatch> records, long through, long now)
    {
        var dates = new Dictionary<string, DeviceDate>(StringComparer.Ordinal);
        Add(dates, records, static record => record.SyncCount);
        return this with { CreatedAt = CreatedAt == 0 ? now : CreatedAt, ImportedThrough = through, Dates = dates };
    }

    /// <summary>Adds what devices said, as far as there is room.</summary>
    private static void Add(
        Dictionary<string, DeviceDate> dates, IReadOnlyList<LegacyPatch> patches, Func<LegacyPatch, long> countOf)
    {
        int characters = dates.Keys.Sum(static key => key.Length);
        foreach (LegacyPatch patch in patches)
        {
            if (patch.DeviceMilliseconds is not { } milliseconds || dates.Count >= DatesMax
                || characters + patch.Key.Length > DateCharactersMax) continue;
            dates[patch.Key] = new DeviceDate(countOf(patch), milliseconds);
            characters += patch.Key.Length;
        }
    }

    /// <summary>When a device says that it wrote a record.</summary>
    internal readonly record struct DeviceDate(long SyncCount, long Milliseconds);
}
