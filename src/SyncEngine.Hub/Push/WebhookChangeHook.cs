using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Json;

namespace SyncEngine.Hub.Push;

/// <summary>
/// Asks a webhook for its decision on changes. It gets a signed payload of type "proposal" and answers
/// {"decision":"accept"|"refuse","reason":…,"records":[{"key","kind"}],"additions":[{"key","kind","value"}]}, values as in an
/// export; with records, those alone are refused. Asked once: no retries, because a device waits.
/// </summary>
internal sealed class WebhookChangeHook(string pool, WebhookDefinition hook, WebhookSender sender, TimeProvider time)
    : IChangeHook
{
    private const int AnswerBytesMax = 1024 * 1024;

    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(15);

    public string Id => hook.Id;

    public async ValueTask<HookDecision> OnChangesAsync(ProposedChanges changes, CancellationToken cancellationToken)
    {
        if (changes.Pool != pool || !DatasetPattern.Matches(hook.Datasets, changes.Dataset)) return HookDecision.Accept;
        string messageId = $"msg_{hook.Id}_{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
        WebhookAnswer answer = await sender.SendAsync(hook, messageId, WebhookPayload.Proposal(changes, time.GetUtcNow()),
            AnswerBytesMax, _timeout, cancellationToken).ConfigureAwait(false);
        if (!answer.IsSuccess) throw new InvalidDataException($"Webhook {hook.Id}: {answer.Error}.");
        if (answer.Body is null) throw new InvalidDataException($"Webhook {hook.Id} answered with more than 1 MiB.");
        try
        {
            return Read(answer.Body);
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException or InvalidOperationException)
        {
            throw new InvalidDataException($"Webhook {hook.Id} gave an answer that is none: {e.Message}", e);
        }
    }

    /// <summary>Reads an answer.</summary>
    /// <exception cref="FormatException">It is none; the message says why. Other exceptions of JSON and of records
    /// too.</exception>
    private static HookDecision Read(byte[] body)
    {
        using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = ValueJson.ReaderOptions.MaxDepth });
        string? decision = null, reason = null;
        var additions = new List<RecordAddition>();
        List<RecordName>? records = null;
        foreach (JsonProperty member in json.RootElement.EnumerateObject())
        {
            switch (member.Name)
            {
                case "decision":
                    decision = member.Value.GetString();
                    break;
                case "reason":
                    reason = member.Value.GetString();
                    break;
                case "additions":
                    if (member.Value.GetArrayLength() > HookDecision.AdditionsMax)
                        throw new FormatException($"it adds more than {HookDecision.AdditionsMax} records");
                    additions.AddRange(member.Value.EnumerateArray().Select(ReadAddition));
                    break;
                case "records":
                    records = [.. member.Value.EnumerateArray().Select(ReadName)];
                    break;
                default:
                    throw new FormatException(
                        $"\"{member.Name}\" is no member of an answer; these are: decision, reason, records, additions");
            }
        }

        if (string.IsNullOrWhiteSpace(reason)) reason = "The change was refused.";
        return decision switch
        {
            "accept" when records is null => HookDecision.AcceptWith(additions),
            "accept" => throw new FormatException("\"records\" are those that are refused"),
            "refuse" => records is null ? HookDecision.Refuse(reason) : HookDecision.Refuse(reason, records),
            _ => throw new FormatException("\"decision\" is \"accept\" or \"refuse\""),
        };
    }

    private static RecordName ReadName(JsonElement record)
    {
        (string key, RecordKind kind, string? value) = ReadRecord(record);
        return value is null ? new RecordName(key, kind) : throw new FormatException("a refused record has no value");
    }

    private static RecordAddition ReadAddition(JsonElement addition)
    {
        (string key, RecordKind kind, string? value) = ReadRecord(addition);
        if (value is null) throw new FormatException("a record to add needs a value");
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(value), ValueJson.ReaderOptions);
        reader.Read();
        RecordLine line = RecordLine.ParseValue(ref reader, string.Empty, new RecordName(key, kind));
        return kind is RecordKind.Max or RecordKind.Min
            ? new RecordAddition(key, kind, line.Value) // Checks that it is a number.
            : new RecordAddition(line);
    }

    private static (string Key, RecordKind Kind, string? Value) ReadRecord(JsonElement record)
    {
        string? key = null, kind = null, value = null;
        foreach (JsonProperty member in record.EnumerateObject())
        {
            switch (member.Name)
            {
                case "key":
                    key = member.Value.GetString();
                    break;
                case "kind":
                    kind = member.Value.GetString();
                    break;
                case "value":
                    value = member.Value.GetRawText();
                    break;
                default:
                    throw new FormatException($"\"{member.Name}\" is no member of a record; these are: key, kind, value");
            }
        }

        if (string.IsNullOrEmpty(key) || kind is null) throw new FormatException("a record needs the members key and kind");
        return (key, RecordKindName.Find(kind) ?? throw new FormatException($"\"{kind}\" is no kind of record"), value);
    }
}
