using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Json;

namespace SyncEngine.Hub.Push;

/// <summary>
/// Asks a webhook for its decision on changes. It gets a signed payload of type "proposal" and answers
/// {"decision":"accept"|"refuse","reason":…,"additions":[{"key","kind","value"}]}, values as in an export. Asked once: no
/// retries, because a device waits.
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
                default:
                    throw new FormatException(
                        $"\"{member.Name}\" is no member of an answer; these are: decision, reason, additions");
            }
        }

        return decision switch
        {
            "accept" => HookDecision.AcceptWith(additions),
            "refuse" => HookDecision.Refuse(string.IsNullOrWhiteSpace(reason) ? "The change was refused." : reason),
            _ => throw new FormatException("\"decision\" is \"accept\" or \"refuse\""),
        };
    }

    private static RecordAddition ReadAddition(JsonElement addition)
    {
        string? key = null, kind = null, value = null;
        foreach (JsonProperty member in addition.EnumerateObject())
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

        if (string.IsNullOrEmpty(key) || kind is null || value is null)
            throw new FormatException("a record needs the members key, kind and value");
        RecordKind recordKind = RecordKindName.Find(kind) ?? throw new FormatException($"\"{kind}\" is no kind of record");
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(value), ValueJson.ReaderOptions);
        reader.Read();
        RecordLine line = RecordLine.ParseValue(ref reader, string.Empty, new RecordName(key, recordKind));
        return recordKind is RecordKind.Max or RecordKind.Min
            ? new RecordAddition(key, recordKind, line.Value) // Checks that it is a number.
            : new RecordAddition(line);
    }
}
