using SyncEngine.Datasets;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Syncing;

/// <summary>
/// Whether an identity may have one more dataset. One without records counts against no limit, so that there is room again
/// after all records of another were deleted; what the hub still has to know of such ones, and of deletes, has bounds of its own.
/// </summary>
internal static class DatasetRoom
{
    /// <summary>Datasets that have, or had, records: so many times those that may have some.</summary>
    public const int KnownFactor = 4;

    /// <summary>Deletes that are remembered in a dataset: so many times the records that it may have.</summary>
    public const int DeletesFactor = 4;

    /// <summary>Why a dataset without records may not get any; null if it may.</summary>
    /// <param name="identity">Whose it is. What of its datasets is not opened counts as having records.</param>
    /// <param name="name">The dataset.</param>
    /// <param name="isFilled">Whether it would have records; else the hub is told of deletes alone.</param>
    /// <param name="allowed">Most datasets with records; null for no limit.</param>
    public static string? Judge(Identity identity, string name, bool isFilled, int? allowed)
    {
        IReadOnlyList<string> names = identity.DatasetNames;
        if (allowed is not { } most || names.Count < most) return null;
        Dictionary<string, Dataset> opened = identity.Opened.ToDictionary(static dataset => dataset.Name);

        // A number is read as it is at the moment: to wait for another dataset's gate under one's own could last for ever.
        int filled = names.Count(other => other != name
            && (!opened.TryGetValue(other, out Dataset? dataset) || dataset.State.LiveRecords > 0));
        if (isFilled && filled >= most)
            return $"The identity has {filled:N0} datasets with records on the hub, and {most:N0} are allowed. Delete all "
                + "records of another one (Dataset.Clear)";
        return names.Count < KnownFactor * (long)most || identity.HasDataset(name) ? null
            : $"The identity has had {names.Count:N0} datasets on the hub, and {KnownFactor * (long)most:N0} are allowed, those "
                + "without records included. Use one of those again";
    }

    /// <summary>Forgets a dataset's oldest deletes where there are too many, or hold on to more bytes than its records may have.
    /// To refuse what makes them would bound nothing: a device takes refused writes back by deletes.</summary>
    public static void TrimDeletes(Dataset dataset, SessionLimits limits)
    {
        long most = limits.RecordsMax is { } records ? DeletesFactor * (long)records : long.MaxValue;
        long bytesMost = limits.DatasetBytesMax ?? long.MaxValue;
        if (dataset.State.Tombstones > most || dataset.State.TombstoneBytes > bytesMost)
            dataset.ForgetSurplusDeletes(most, bytesMost);
    }
}
