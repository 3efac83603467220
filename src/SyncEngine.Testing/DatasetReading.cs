using SyncEngine.Cells;
using SyncEngine.Datasets;

namespace SyncEngine.Testing;

/// <summary>All that an app can read of a dataset, as text.</summary>
internal static class DatasetReading
{
    public static string Read(Dataset dataset)
    {
        var lines = new List<string>();
        foreach (RecordName record in dataset.Records) lines.Add($"{record} = {ValueOf(dataset, record)}");
        foreach (Conflict conflict in dataset.Conflicts)
            lines.Add($"{conflict.Key} {conflict.Field}: {conflict.Winner}, not {string.Join(", ", conflict.Losers)}");
        return string.Join('\n', lines);
    }

    private static string ValueOf(Dataset dataset, RecordName record) => record.Kind switch
    {
        RecordKind.Register => dataset[record.Key].ToString(),
        RecordKind.Counter => dataset.Counter(record.Key).ToString() ?? "",
        RecordKind.Max => dataset.Max(record.Key).ToString() ?? "",
        RecordKind.Min => dataset.Min(record.Key).ToString() ?? "",
        RecordKind.Set => string.Join(", ", dataset.Set(record.Key)),
        RecordKind.Map => string.Join(", ", dataset.Map(record.Key)),
        _ => string.Join(", ", dataset.List(record.Key)),
    };
}
