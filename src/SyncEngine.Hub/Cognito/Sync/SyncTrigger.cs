using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using SyncEngine.Datasets;
using SyncEngine.Hub.Push;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>
/// Asks a pool's function before records are written. It gets what would change and answers with the same event: it may rewrite
/// records, add some, leave some out, which then are not written, or refuse all by an error.
/// </summary>
internal sealed class SyncTrigger(SyncReceivers receivers, WebhookSender sender, LegacyDatasets datasets)
{
    private const int AnswerBytesMax = 8 * 1024 * 1024;
    private const int TooManyRequests = 429;
    private const int ServerError = 500;
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(5);

    /// <summary>What is to be written after the function has answered.</summary>
    /// <exception cref="CognitoException">A patch is stale, or the function refuses, fails, or gives an answer that is
    /// none.</exception>
    public async ValueTask<SyncProposal> AskAsync(SyncScope scope, string dataset, IReadOnlyList<LegacyPatch> patches,
        CancellationToken cancellationToken)
    {
        if (SyncSetup.Of(scope.Pool).SyncTriggerArn is not { } arn) return new SyncProposal(patches, null);
        WebhookDefinition function = receivers.FunctionOf(arn) ?? throw CognitoException.InvalidConfiguration(
            $"The hub's configuration has no function for {arn} any more: name it, or remove the event SyncTrigger.");
        IReadOnlyList<string?> texts = await datasets.TextsAsync(scope.Pool.Name, scope.Id, dataset, patches, cancellationToken)
            .ConfigureAwait(false);
        byte[] payload = JsonSerializer.SerializeToUtf8Bytes(Event(scope, dataset, patches, texts));
        string id = $"msg_{function.Id}_{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
        WebhookAnswer answer = await sender.SendAsync(function, id, payload, AnswerBytesMax, _timeout, cancellationToken)
            .ConfigureAwait(false);
        if (answer.Status is 0 or TooManyRequests or >= ServerError)
            throw CognitoException.LambdaThrottled($"The function of SyncTrigger gave no answer: {answer.Error}.");
        if (!answer.IsSuccess)
            throw CognitoException.NotAuthorized($"The function of SyncTrigger refused the records: {answer.Error}.");
        return Read(answer.Body, patches);
    }

    private static JsonObject Event(
        SyncScope scope, string dataset, IReadOnlyList<LegacyPatch> patches, IReadOnlyList<string?> texts)
    {
        var records = new JsonObject();
        for (int i = 0; i < patches.Count; i++)
        {
            records[patches[i].Key] = new JsonObject
            {
                ["oldValue"] = texts[i],
                ["newValue"] = patches[i].Value,
                ["op"] = patches[i].Value is null ? "remove" : "replace",
            };
        }

        return new JsonObject
        {
            ["version"] = 2, ["eventType"] = "SyncTrigger", ["region"] = scope.Pool.Row.Region,
            ["identityPoolId"] = scope.Pool.Id, ["identityId"] = scope.WireId, ["datasetName"] = scope.WireName(dataset),
            ["datasetRecords"] = records,
        };
    }

    private static SyncProposal Read(byte[]? body, IReadOnlyList<LegacyPatch> patches)
    {
        if (body is null) throw Wrong("it is too long");
        var kept = new List<LegacyPatch>();
        var added = new List<LegacyPatch>();
        try
        {
            using JsonDocument json = JsonDocument.Parse(body, new JsonDocumentOptions { AllowDuplicateProperties = false });
            foreach (JsonProperty record in json.RootElement.GetProperty("datasetRecords").EnumerateObject())
            {
                string? value = record.Value.GetProperty("op").GetString() switch
                {
                    "remove" => null,
                    "replace" => record.Value.GetProperty("newValue").GetString() ?? throw Wrong("a newValue is missing"),
                    _ => throw Wrong("an op is neither replace nor remove"),
                };
                LegacyPatch known = patches.FirstOrDefault(patch => patch.Key == record.Name);
                if (known.Key is null) added.Add(new LegacyPatch(record.Name, value, 0, null));
                else kept.Add(known with { Value = value });
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw Wrong(e.Message);
        }

        if (added.Exists(static patch => patch.Key.Length is 0 or > DatasetOperations.KeyLengthMax))
            throw Wrong("a key has 1 to 1024 characters");
        Action<Transaction>? also = added.Count == 0 ? null : write =>
        {
            foreach (LegacyPatch patch in added) LegacyDatasets.Apply(write, patch);
        };
        return new SyncProposal(kept, also);
    }

    private static CognitoException Wrong(string reason) => CognitoException.InvalidLambdaFunctionOutput(
        $"The function of SyncTrigger gave an answer that is none: {reason}.");
}
