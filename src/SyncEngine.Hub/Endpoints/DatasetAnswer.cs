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

/// <summary>A page of the records of a dataset, as it is described; <see cref="RecordPages"/> writes it.</summary>
/// <param name="Records">In the order of the revision that changed them last.</param>
/// <param name="Revision">On the last page: where to read on later, as since.</param>
/// <param name="Next">On other pages: the cursor of the next one.</param>
internal sealed record RecordPage(IReadOnlyList<RecordAnswer> Records, long? Revision, string? Next);

/// <summary>A record.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Kind">register, counter, max, min, set, map or list.</param>
/// <param name="Value">What it reads as, as an export writes it; none if it was deleted.</param>
/// <param name="Revision">The dataset's revision that changed it last.</param>
/// <param name="IsDeleted">Whether it was deleted; left out if not.</param>
internal sealed record RecordAnswer(string Key, string Kind, JsonElement? Value, long Revision, bool? IsDeleted);
