using System.Text.Json;
using SyncEngine.Datasets;
using SyncEngine.Json;

namespace SyncEngine.Cli.Json;

/// <summary>
/// Writes records as JSON Lines: equal replicas give equal bytes. One line a record, ordered by key and then kind.
/// </summary>
internal sealed class RecordWriter : IDisposable
{
    private readonly Stream _target;
    private readonly MemoryStream _buffer = new();
    private readonly Utf8JsonWriter _json;

    public RecordWriter(Stream target)
    {
        _target = target;
        _json = new Utf8JsonWriter(_buffer, ValueJson.WriterOptions);
    }

    /// <summary>A dataset's records in the order of the lines.</summary>
    public static List<RecordName> OrderOf(Dataset dataset)
    {
        List<RecordName> names = [.. dataset.Records];
        names.Sort(static (left, right) =>
        {
            int order = string.CompareOrdinal(left.Key, right.Key);
            return order != 0 ? order
                : string.CompareOrdinal(RecordKindName.Of(left.Kind), RecordKindName.Of(right.Kind));
        });
        return names;
    }

    /// <summary>Writes all of a dataset; returns how many records.</summary>
    public int Write(Dataset dataset, IProgress<double>? progress = null)
    {
        ILookup<RecordName, Conflict> conflicts = dataset.Conflicts.ToLookup(static c => new RecordName(c.Key, c.Kind));
        List<RecordName> names = OrderOf(dataset);
        for (int i = 0; i < names.Count; i++)
        {
            WriteLine(dataset, names[i], conflicts[names[i]]);
            if (i % 1000 == 0) progress?.Report((double)i / names.Count);
        }

        Flush();
        progress?.Report(1);
        return names.Count;
    }

    public void Dispose()
    {
        _json.Dispose();
        _buffer.Dispose();
    }

    private void WriteLine(Dataset dataset, RecordName name, IEnumerable<Conflict> conflicts)
    {
        _json.WriteStartObject();
        _json.WriteString("dataset", dataset.Name);
        _json.WriteString("key", name.Key);
        _json.WriteString("kind", RecordKindName.Of(name.Kind));
        _json.WritePropertyName("value");
        RecordJson.WriteValue(_json, dataset, name);
        WriteConflicts(_json, conflicts);
        _json.WriteEndObject();
        _json.Flush();
        _buffer.WriteByte((byte)'\n');
        _json.Reset();
        if (_buffer.Length > 1 << 16) Flush();
    }

    private static void WriteConflicts(Utf8JsonWriter json, IEnumerable<Conflict> conflicts)
    {
        bool any = false;
        foreach (Conflict conflict in conflicts)
        {
            foreach (CompetingWrite loser in conflict.Losers)
            {
                if (!any) json.WriteStartArray("conflicts");
                any = true;
                json.WriteStartObject();
                if (conflict.Field is not null) json.WriteString("field", conflict.Field);
                json.WritePropertyName("value");
                ValueJson.Write(json, loser.Value);
                json.WriteString("replica", loser.Dot.Replica.ToString());
                json.WriteString("time", ShownText.IsoTime(loser.Time));
                json.WriteEndObject();
            }
        }

        if (any) json.WriteEndArray();
    }

    private void Flush()
    {
        _target.Write(_buffer.GetBuffer(), 0, (int)_buffer.Length);
        _buffer.SetLength(0);
        _target.Flush();
    }
}
