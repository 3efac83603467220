using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Values;

namespace SyncEngine.Hub.Syncing;

/// <summary>A record that reads otherwise in one state of a dataset than in another.</summary>
/// <param name="Record">The record.</param>
/// <param name="Before">What it reads as before; missing if there is none. A set and a list are arrays, a map is a map.</param>
/// <param name="After">What it reads as after.</param>
internal readonly record struct RecordChange(RecordName Record, Value Before, Value After)
{
    /// <summary>The records that differ.</summary>
    public static List<RecordChange> Between(Dataset before, Dataset after)
    {
        var changes = new List<RecordChange>();
        foreach (RecordName name in new SortedSet<RecordName>([.. before.Records, .. after.Records]))
        {
            Value was = Read(before, name), becomes = Read(after, name);
            if (was != becomes) changes.Add(new RecordChange(name, was, becomes));
        }

        return changes;
    }

    private static Value Read(Dataset dataset, RecordName name)
    {
        string key = name.Key;
        if (!dataset.Contains(key, name.Kind)) return default;
        return name.Kind switch
        {
            RecordKind.Register => dataset[key],
            RecordKind.Counter => dataset.Counter(key).Value,
            RecordKind.Max => dataset.Max(key).Value,
            RecordKind.Min => dataset.Min(key).Value,
            RecordKind.Set => Value.FromArray(dataset.Set(key).ToArray().OrderBy(static element => element.ToString(),
                StringComparer.Ordinal)),
            RecordKind.Map => Value.FromMap(dataset.Map(key).ToArray()),
            _ => Value.FromArray(dataset.List(key).ToArray()),
        };
    }
}
