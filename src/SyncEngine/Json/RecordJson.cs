using System.Text.Json;
using SyncEngine.Cells;
using SyncEngine.Datasets;

namespace SyncEngine.Json;

/// <summary>What records of all kinds read as, in JSON.</summary>
internal static class RecordJson
{
    public static void WriteValue(Utf8JsonWriter json, Records records, RecordName name)
    {
        switch (name.Kind)
        {
            case RecordKind.Register:
                ValueJson.Write(json, records[name.Key]);
                break;
            case RecordKind.Counter:
                json.WriteNumberValue(records.Counter(name.Key).Value);
                break;
            case RecordKind.Max:
                ValueJson.Write(json, records.Max(name.Key).Value);
                break;
            case RecordKind.Min:
                ValueJson.Write(json, records.Min(name.Key).Value);
                break;
            case RecordKind.Set:
                ValueJson.WriteArray(json, records.Set(name.Key).ToArray());
                break;
            case RecordKind.Map:
                ValueJson.WriteMap(json, records.Map(name.Key).ToArray());
                break;
            default:
                ValueJson.WriteArray(json, records.List(name.Key).ToArray());
                break;
        }
    }
}
