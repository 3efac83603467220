using System.Buffers;
using System.Text.Json;
using SyncEngine.Json;
using SyncEngine.Values;

namespace SyncEngine.Hub.Push;

/// <summary>The bodies that webhooks get: {type, timestamp, data}.</summary>
internal static class WebhookPayload
{
    /// <summary>Changes that are durable, or interruptions, as the pool's feed tells them.</summary>
    public static byte[] Changes(string pool, IReadOnlyList<FeedEntry> entries, string cursor) => Write("changes",
        entries[^1].Time, json =>
        {
            json.WriteString("pool", pool);
            json.WriteString("cursor", cursor);
            json.WriteStartArray("changes");
            foreach (FeedEntry entry in entries) Write(json, entry);
            json.WriteEndArray();
        });

    /// <summary>Changes that wait to be accepted.</summary>
    public static byte[] Proposal(ProposedChanges proposal, DateTimeOffset now) => Write("proposal", now, json =>
    {
        json.WriteString("pool", proposal.Pool);
        json.WriteString("identityId", proposal.IdentityId.ToString());
        json.WriteString("dataset", proposal.Dataset);
        json.WriteString("device", proposal.DeviceId);
        json.WriteStartArray("changes");
        foreach (ProposedChange change in proposal.Changes) Write(json, change);
        json.WriteEndArray();
    });

    private static void Write(Utf8JsonWriter json, in FeedEntry entry)
    {
        json.WriteStartObject();
        json.WriteNumber("sequence", entry.Sequence);
        json.WriteString("type", entry.Type == FeedEntryType.Change ? "change" : "interrupted");
        if (entry.Type == FeedEntryType.Change)
        {
            json.WriteString("identityId", entry.IdentityId.ToString());
            json.WriteString("dataset", entry.Dataset);
            json.WriteNumber("revision", entry.Revision);
        }

        json.WriteString("time", entry.Time.UtcDateTime);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ProposedChange change)
    {
        json.WriteStartObject();
        json.WriteString("key", change.Record.Key);
        json.WriteString("kind", RecordKindName.Of(change.Record.Kind));
        json.WriteString("type", change.Type.ToString().ToLowerInvariant());
        if (change.Field is not null) json.WriteString("field", change.Field);
        Write(json, "element", change.Element);
        Write(json, "oldValue", change.OldValue);
        Write(json, "newValue", change.NewValue);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string member, Value value)
    {
        if (value.IsMissing) return;
        json.WritePropertyName(member);
        ValueJson.Write(json, value);
    }

    private static byte[] Write(string type, DateTimeOffset time, Action<Utf8JsonWriter> writeData)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, ValueJson.WriterOptions))
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            json.WriteString("timestamp", time.UtcDateTime);
            json.WriteStartObject("data");
            writeData(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
