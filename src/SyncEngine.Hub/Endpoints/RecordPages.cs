using System.Buffers;
using System.Text.Json;
using SyncEngine.Datasets;
using SyncEngine.Json;

namespace SyncEngine.Hub.Endpoints;

/// <summary>Writes what changed in a dataset, a page at a time.</summary>
internal static class RecordPages
{
    /// <summary>About how large a page may get: the record that passes it is the page's last.</summary>
    private const int PageBytesMax = 1024 * 1024;

    /// <summary>Writes a page as of one moment.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="since">The revision up to which the reader knows everything; 0 for nothing.</param>
    /// <param name="place">Where the page before ended; null for the first, otherwise since does not count.</param>
    /// <param name="limit">Most records of the page.</param>
    /// <returns>JSON; null if the dataset does not know any more what was deleted since, or never had the revision.</returns>
    public static ReadOnlyMemory<byte>? Write(Dataset dataset, long since, RecordPlace? place, int limit) =>
        dataset.AtOneMoment(() => WriteNow(dataset, since, place, limit));

    private static ReadOnlyMemory<byte>? WriteNow(Dataset dataset, long since, RecordPlace? place, int limit)
    {
        // Who begins with nothing has nothing to delete yet, but may have when a later page is written.
        RecordPlace start = place ?? new RecordPlace(since > 0 ? since : dataset.Revision, since + 1, default);
        if (start.DeletesAfter < dataset.State.ForgottenRevision || start.DeletesAfter > dataset.Revision) return null;
        List<RecordState> found = [.. dataset.RecordsChangedAfter(start.Revision - 1)
            .Where(record => start.IsBefore(record) && (record.IsLive || record.Revision > start.DeletesAfter))];
        found.Sort(static (left, right) => left.Revision != right.Revision
            ? left.Revision.CompareTo(right.Revision) : left.Name.CompareTo(right.Name));
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, ValueJson.WriterOptions))
        {
            json.WriteStartObject();
            json.WriteStartArray("records");
            int count = 0;
            while (count < found.Count && count < limit && buffer.WrittenCount + json.BytesPending < PageBytesMax)
                Write(json, dataset, found[count++]);
            json.WriteEndArray();
            if (count == found.Count)
            {
                json.WriteNumber("revision", dataset.Revision);
                json.WriteNull("next");
            }
            else
            {
                RecordState last = found[count - 1];
                json.WriteNull("revision");
                json.WriteString("next", (start with { Revision = last.Revision, Record = last.Name }).Format());
            }

            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    private static void Write(Utf8JsonWriter json, Dataset dataset, in RecordState record)
    {
        json.WriteStartObject();
        json.WriteString("key", record.Name.Key);
        json.WriteString("kind", RecordKindName.Of(record.Name.Kind));
        if (record.IsLive)
        {
            json.WritePropertyName("value");
            RecordJson.WriteValue(json, dataset, record.Name);
        }

        json.WriteNumber("revision", record.Revision);
        if (!record.IsLive) json.WriteBoolean("isDeleted", true);
        json.WriteEndObject();
    }
}
