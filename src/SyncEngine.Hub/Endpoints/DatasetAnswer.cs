using System.Text.Json;

namespace SyncEngine.Hub.Endpoints;

/// <summary>A dataset of an identity.</summary>
/// <param name="Dataset">Its name.</param>
/// <param name="Revision">Grows with each change of it; entries of the pool's feed name it.</param>
/// <param name="Records">Records that have something to read.</param>
/// <param name="Deletes">Deletes that are remembered.</param>
/// <param name="Bytes">Bytes of keys, fields and values that have something to read.</param>
internal sealed record DatasetAnswer(string Dataset, long Revision, int Records, int Deletes, long Bytes);

/// <summary>A page of the datasets of an identity.</summary>
internal sealed record DatasetList(IReadOnlyList<DatasetAnswer> Datasets, string? Next);

// The records of a page are written by RecordPages; these say what it writes.

/// <summary>A page of the records of a dataset.</summary>
/// <param name="Records">In the order of the revision that changed them last.</param>
/// <param name="Revision">On the last page: where to read on later, as since.</param>
/// <param name="Next">On other pages: the cursor of the next one.</param>
internal sealed record RecordPage(IReadOnlyList<RecordAnswer> Records, long? Revision, string? Next);

/// <summary>A record.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Kind">register, counter, max, min, set, map or list.</param>
/// <param name="Revision">The dataset's revision that changed it last.</param>
internal sealed record RecordAnswer(string Key, string Kind, long Revision)
{
    /// <summary>What it reads as, written as an export does; left out if it was deleted.</summary>
    public JsonElement? Value { get; init; }

    /// <summary>True if it was deleted, otherwise left out.</summary>
    public bool IsDeleted { get; init; }
}
