using SyncEngine.Cells;

namespace SyncEngine.Json;

/// <summary>The kinds of records by the names that scripts see.</summary>
internal static class RecordKindName
{
    /// <summary>In the order in which a read without a kind looks for one.</summary>
    public static IReadOnlyList<RecordKind> All { get; } =
    [
        RecordKind.Register, RecordKind.Counter, RecordKind.Max, RecordKind.Min, RecordKind.Set, RecordKind.Map,
        RecordKind.List,
    ];

    public static string Of(RecordKind kind) => kind switch
    {
        RecordKind.Register => "register",
        RecordKind.Counter => "counter",
        RecordKind.Max => "max",
        RecordKind.Min => "min",
        RecordKind.Set => "set",
        RecordKind.Map => "map",
        _ => "list",
    };

    public static RecordKind? Find(string name)
    {
        foreach (RecordKind kind in All)
            if (Of(kind) == name) return kind;
        return null;
    }
}
