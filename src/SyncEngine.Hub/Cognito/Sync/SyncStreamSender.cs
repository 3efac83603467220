using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using SyncEngine.Causality;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Rows;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>
/// Sends what changed in a dataset to a stream, each time from where the last payload that was taken ended: the row
/// <c>beside/POOL/ID/streamed/DATASET</c> holds that count. What is not taken is sent again. Thread-safe.
/// </summary>
internal sealed class SyncStreamSender(HubRows rows, HubStore store, LegacyDatasets datasets, CognitoPools pools,
    SyncReceivers receivers, WebhookSender sender, RandomSource random, TimeProvider time)
{
    private const int RecordsMax = 1024;
    private const int AnswerBytesMax = 64 * 1024;
    private const int BulkAttemptsMax = 5;
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(15);
    private static readonly Backoff _pauses = new(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));

    /// <summary>Sends all datasets of an identity.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="id">The identity.</param>
    /// <param name="isAnew">Whether everything is sent, not only what was not yet.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="InvalidOperationException">The stream does not take it.</exception>
    public async Task SendAllAsync(
        string pool, string stream, IdentityId id, bool isAnew, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> names;
        using (IdentityLease lease = await store.LeaseAsync(pool, id, cancellationToken).ConfigureAwait(false))
            names = lease.Identity.DatasetNames;
        foreach (string name in names)
            await SendAsync(pool, stream, id, name, long.MaxValue, isAnew, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends what changed in a dataset.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="id">The identity.</param>
    /// <param name="name">The dataset.</param>
    /// <param name="count">The count up to which there is something; what has been sent already is not sent again.</param>
    /// <param name="isAnew">Whether everything is sent.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="InvalidOperationException">The stream does not take it.</exception>
    public async Task SendAsync(string pool, string stream, IdentityId id, string name, long count, bool isAnew,
        CancellationToken cancellationToken)
    {
        string key = $"{HubStore.BesideOf(pool, id)}streamed/{name}";
        byte[]? sent = await rows.ReadAsync(key, cancellationToken).ConfigureAwait(false);
        long since = isAnew || sent is null ? 0 : long.Parse(Encoding.ASCII.GetString(sent), CultureInfo.InvariantCulture);
        if (since >= count || await pools.FindByNameAsync(pool, cancellationToken).ConfigureAwait(false) is not { } known) return;
        WebhookDefinition receiver = receivers.StreamOf(stream) ?? throw new InvalidOperationException(
            $"The hub's configuration has no stream {stream} any more: name it in SyncHub:Cognito:Streams, or disable it.");
        LegacyPlace? from = null;
        long? upTo = null;
        do
        {
            LegacyChanges? changes = await ReadAsync(pool, id, name, since, from, upTo, cancellationToken).ConfigureAwait(false);
            if (changes is null || changes.Records.Count == 0) return;
            await PostAsync(receiver, known, id, name, changes, isAnew, cancellationToken).ConfigureAwait(false);
            (from, upTo) = (changes.Next, changes.SyncCount);
        }
        while (from is not null);
        await rows.WriteAsync(KeyValuePair.Create(
            key, (byte[]?)Encoding.ASCII.GetBytes(upTo.Value.ToString(CultureInfo.InvariantCulture)))).ConfigureAwait(false);
    }

    private async Task<LegacyChanges?> ReadAsync(string pool, IdentityId id, string name, long since, LegacyPlace? from,
        long? upTo, CancellationToken cancellationToken)
    {
        try
        {
            return await datasets.ReadAsync(pool, id, name, since, from, upTo, RecordsMax, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (CognitoException)
        {
            return null; // The identity was deleted since.
        }
    }

    private async Task PostAsync(WebhookDefinition receiver, CognitoPool pool, IdentityId id, string name, LegacyChanges changes,
        bool isBulk, CancellationToken cancellationToken)
    {
        byte[] payload = Payload(pool, id, name, changes);
        string messageId = string.Create(CultureInfo.InvariantCulture,
            $"msg_{id}_{name}_{changes.Records[0].SyncCount}_{changes.SyncCount}{(isBulk ? "_bulk" : "")}");
        for (int attempt = 1;; attempt++)
        {
            WebhookAnswer answer = await sender
                .SendAsync(receiver, messageId, payload, AnswerBytesMax, _timeout, cancellationToken).ConfigureAwait(false);
            if (answer.IsSuccess) return;
            if (isBulk && attempt == BulkAttemptsMax)
                throw new InvalidOperationException($"The stream {receiver.Id} did not take a payload: {answer.Error}.");
            await Task.Delay(_pauses.After(attempt, answer.RetryAfter, random), time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static byte[] Payload(CognitoPool pool, IdentityId id, string name, LegacyChanges changes)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("identityPoolId", pool.Id);
            json.WriteString("identityId", CognitoIds.Of(pool.Row.Region, id));
            json.WriteString("dataSetName", name);
            json.WriteString("operation", changes.Exists ? "replace" : "remove");
            json.WriteStartArray("kinesisSyncRecords");
            foreach (LegacyRecord record in changes.Records)
            {
                json.WriteStartObject();
                json.WriteString("key", record.Key);
                json.WriteString("value", record.Value);
                json.WriteNumber("syncCount", record.SyncCount);
                json.WriteNumber("lastModifiedDate", record.ModifiedMilliseconds);
                json.WriteNumber("deviceLastModifiedDate", record.DeviceMilliseconds);
                json.WriteString("op", record.Value is null ? "remove" : "replace");
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteNumber("lastModifiedDate", changes.Records.Max(static record => record.ModifiedMilliseconds));
            json.WriteNull("kinesisSyncRecordsURL");
            json.WriteString("payloadType", "Inline");
            json.WriteNumber("syncCount", changes.SyncCount);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
