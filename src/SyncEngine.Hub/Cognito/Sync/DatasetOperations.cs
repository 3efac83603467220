using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using SyncEngine.Hub.Syncing;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>The Sync API's operations on datasets and their records.</summary>
internal sealed class DatasetOperations(SyncScopes scopes, LegacyDatasets datasets, SyncSessions sessions, SealedTexts seals,
    SyncReview review) : ICognitoOperations
{
    /// <summary>Longest key, in characters.</summary>
    public const int KeyLengthMax = 1024;

    private const string RecordsPage = "records page";
    private const string DatasetsPage = "datasets page";
    private const int RecordsMax = 1024;
    private const int DatasetsMax = 64;
    private const int ValueLengthMax = 1_048_575;

    /// <summary>A dataset's megabyte, each character escaped.</summary>
    private const int UpdateBytesMax = 8 * 1024 * 1024;

    public IEnumerable<CognitoOperation> Operations =>
    [
        new("ListRecords", CognitoAccess.Signed, ListRecordsAsync),
        new("UpdateRecords", CognitoAccess.Signed, UpdateRecordsAsync) { BodyBytesMax = UpdateBytesMax },
        new("DescribeDataset", CognitoAccess.Signed, DescribeAsync),
        new("DeleteDataset", CognitoAccess.Signed, DeleteAsync),
        new("ListDatasets", CognitoAccess.Signed, ListDatasetsAsync),
    ];

    private async Task<JsonNode?> ListRecordsAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        SyncScope scope = await scopes.IdentityAsync(request, cancellationToken).ConfigureAwait(false);
        string name = SyncScopes.DatasetOf(request, scope);
        scope.Check("dataset:read", name);
        long since = SyncMembers.Query(request, "lastSyncCount", 0) ?? 0;
        int limit = SyncMembers.PageOf(request, RecordsMax);
        string token = await sessions.ContinueAsync(
            scope, name, request.Query.GetValueOrDefault("syncSessionToken"), cancellationToken).ConfigureAwait(false);
        (LegacyPlace? from, long? upTo) = await PageAsync(request, scope, name, since, cancellationToken).ConfigureAwait(false);
        LegacyChanges changes = await datasets.ReadAsync(
            scope.Pool.Name, scope.Id, name, since, from, upTo, limit, cancellationToken).ConfigureAwait(false);
        var merged = new JsonArray();
        foreach (string other in scope.MergedNames(name).Where(scope.MayRead))
        {
            LegacySummary? known = await datasets.DescribeAsync(scope.Pool.Name, scope.Id, other, cancellationToken)
                .ConfigureAwait(false);
            if (known is not null) merged.Add(scope.WireName(other));
        }

        foreach (string other in await datasets.TakenMergedAsync(scope.Pool.Name, scope.Id, name, cancellationToken)
            .ConfigureAwait(false))
        {
            if (scope.MayRead(other)) merged.Add(other);
        }

        string who = scope.WireId;
        var answer = new JsonObject
        {
            ["Records"] = SyncMembers.Array(changes.Records.Select(record => Show(record, who))),
            ["Count"] = changes.Records.Count,
            ["DatasetSyncCount"] = changes.SyncCount,
            ["LastModifiedBy"] = who,
            ["MergedDatasetNames"] = merged,
            ["DatasetExists"] = changes.Exists,
            ["DatasetDeletedAfterRequestedSyncCount"] = changes.IsDeletedSince,
            ["SyncSessionToken"] = token,
        };
        if (changes.Next is { } next)
        {
            answer["NextToken"] = await seals.SealAsync(RecordsPage, cancellationToken, scope.Pool.Name, scope.Id.ToString(),
                name, Text(since), Text(changes.SyncCount), Text(next.SyncCount), next.Key!).ConfigureAwait(false);
        }

        return answer;
    }

    private async Task<JsonNode?> UpdateRecordsAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        SyncScope scope = await scopes.IdentityAsync(request, cancellationToken).ConfigureAwait(false);
        string name = SyncScopes.DatasetOf(request, scope);
        scope.Check("dataset:write", name);
        string token = request.Body.RequiredText("SyncSessionToken", 16 * 1024);
        string? device = request.Body.Text("DeviceId", int.MaxValue, min: 0);
        if (device is not null && !CognitoIds.IsShaped(device))
            throw CognitoException.InvalidParameter("DeviceId is the answer to RegisterDevice, or left out.");
        await sessions.CheckAsync(scope, name, token, cancellationToken).ConfigureAwait(false);
        List<LegacyPatch> patches = ReadPatches(request.Body, scope.Limits);
        SyncProposal proposal = await review.ReviewAsync(scope, name, patches, device, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<LegacyRecord> written = proposal.IsEmpty ? [] : await datasets.UpdateAsync(
            scope.Pool.Name, scope.Id, name, proposal.Patches, scope.Limits, LegacyDevices.HubName(device), proposal.Also,
            cancellationToken).ConfigureAwait(false);
        string who = scope.WireId;

        // What the pool's function left out is told as it is, so that the client does not send it again and again.
        List<string> left = [.. patches.Select(static patch => patch.Key).Except(written.Select(static record => record.Key))];
        if (left.Count > 0)
        {
            written = [.. written, .. await datasets.RecordsAsync(
                scope.Pool.Name, scope.Id, name, left, cancellationToken).ConfigureAwait(false)];
        }

        return new JsonObject { ["Records"] = SyncMembers.Array(written.Select(record => Show(record, who))) };
    }

    private async Task<JsonNode?> DescribeAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        SyncScope scope = await scopes.IdentityAsync(request, cancellationToken).ConfigureAwait(false);
        string name = SyncScopes.DatasetOf(request, scope);
        scope.Check("dataset:read", name);
        LegacySummary summary = await datasets.DescribeAsync(scope.Pool.Name, scope.Id, name, cancellationToken)
            .ConfigureAwait(false) ?? throw NotFound(request);
        return new JsonObject { ["Dataset"] = Show(summary, scope) };
    }

    private async Task<JsonNode?> DeleteAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        SyncScope scope = await scopes.IdentityAsync(request, cancellationToken).ConfigureAwait(false);
        string name = SyncScopes.DatasetOf(request, scope);
        scope.Check("dataset:write", name);
        LegacySummary summary = await datasets.DeleteAsync(scope.Pool.Name, scope.Id, name, null, cancellationToken)
            .ConfigureAwait(false) ?? throw NotFound(request);
        return new JsonObject { ["Dataset"] = Show(summary, scope) };
    }

    private async Task<JsonNode?> ListDatasetsAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        SyncScope scope = await scopes.IdentityAsync(request, cancellationToken).ConfigureAwait(false);
        int limit = SyncMembers.PageOf(request, DatasetsMax);
        string? after = null;
        if (request.Query.GetValueOrDefault("nextToken") is { Length: > 0 } token)
        {
            after = await seals.OpenAsync(DatasetsPage, token, 3, cancellationToken).ConfigureAwait(false)
                is [var pool, var id, var last] && pool == scope.Pool.Name && id == scope.Id.ToString() ? last
                : throw CognitoException.InvalidParameter("NextToken is none of this listing: begin it again.");
        }

        List<LegacySummary> found = [.. (await datasets.ListAsync(scope.Pool.Name, scope.Id, cancellationToken)
            .ConfigureAwait(false)).Where(summary => scope.MayRead(summary.Name)
                && (after is null || string.CompareOrdinal(summary.Name, after) > 0))];
        List<LegacySummary> page = [.. found.Take(limit)];
        var answer = new JsonObject
        {
            ["Datasets"] = SyncMembers.Array(page.Select(summary => Show(summary, scope))),
            ["Count"] = page.Count,
        };
        if (found.Count > page.Count)
        {
            answer["NextToken"] = await seals.SealAsync(
                DatasetsPage, cancellationToken, scope.Pool.Name, scope.Id.ToString(), page[^1].Name).ConfigureAwait(false);
        }

        return answer;
    }

    private async ValueTask<(LegacyPlace? From, long? UpTo)> PageAsync(
        CognitoRequest request, SyncScope scope, string dataset, long since, CancellationToken cancellationToken)
    {
        if (request.Query.GetValueOrDefault("nextToken") is not { Length: > 0 } token) return (null, null);
        if (await seals.OpenAsync(RecordsPage, token, 7, cancellationToken).ConfigureAwait(false)
            is [var pool, var id, var name, var began, var end, var count, var key]
            && pool == scope.Pool.Name && id == scope.Id.ToString() && name == dataset && began == Text(since))
            return (new LegacyPlace(Number(count), key), Number(end));
        throw CognitoException.InvalidParameter("NextToken is none of this listing: begin it again.");
    }

    private static List<LegacyPatch> ReadPatches(JsonElement body, SessionLimits limits)
    {
        var patches = new List<LegacyPatch>();
        if (body.List("RecordPatches", int.MaxValue) is not { } list) return patches;
        var keys = new HashSet<string>(StringComparer.Ordinal);
        foreach (JsonElement item in list)
        {
            if (item.ValueKind != JsonValueKind.Object) throw CognitoException.Serialization("A record patch must be an object.");
            LegacyPatch patch = ReadPatch(item, limits);
            if (!keys.Add(patch.Key))
                throw CognitoException.InvalidParameter($"Record {patch.Key} is patched twice; send one patch for each record.");
            if (patches.Count == RecordsMax)
                throw CognitoException.LimitExceeded($"One call has at most {RecordsMax} record patches.");
            patches.Add(patch);
        }

        return patches;
    }

    private static LegacyPatch ReadPatch(JsonElement item, SessionLimits limits)
    {
        string key = item.RequiredText("Key", KeyLengthMax);
        if (Encoding.UTF8.GetByteCount(key) > limits.KeyBytesMax)
            throw CognitoException.InvalidParameter($"A record's key has at most {limits.KeyBytesMax} bytes of UTF-8.");
        string? value = item.Text("Value", int.MaxValue, min: 0);
        value = item.Text("Op", int.MaxValue, min: 0) switch
        {
            "replace" => value ?? throw CognitoMembers.Missing("Value"),
            "remove" => null,
            null => throw CognitoMembers.Missing("Op"),
            _ => throw CognitoException.InvalidParameter("Op is \"replace\" or \"remove\"."),
        };
        if (value?.Length > ValueLengthMax || (value is not null && Encoding.UTF8.GetByteCount(value) > limits.ValueBytesMax))
            throw CognitoException.InvalidParameter($"Value of record {key} is longer than {ValueLengthMax} characters.");
        long count = SyncMembers.Integer(item, "SyncCount") ?? throw CognitoMembers.Missing("SyncCount");
        return new LegacyPatch(key, value, count, SyncMembers.Time(item, "DeviceLastModifiedDate"));
    }

    private static JsonObject Show(LegacyRecord record, string who)
    {
        var shown = new JsonObject { ["Key"] = record.Key };
        if (record.Value is not null) shown["Value"] = record.Value;
        shown["SyncCount"] = record.SyncCount;
        shown["LastModifiedDate"] = SyncMembers.Seconds(record.ModifiedMilliseconds);
        shown["LastModifiedBy"] = who;
        shown["DeviceLastModifiedDate"] = SyncMembers.Seconds(record.DeviceMilliseconds);
        return shown;
    }

    private static JsonObject Show(LegacySummary summary, SyncScope scope) => new()
    {
        ["IdentityId"] = scope.WireId,
        ["DatasetName"] = scope.WireName(summary.Name),
        ["CreationDate"] = SyncMembers.Seconds(summary.CreatedMilliseconds),
        ["LastModifiedDate"] = SyncMembers.Seconds(summary.ModifiedMilliseconds),
        ["LastModifiedBy"] = scope.WireId,
        ["DataStorage"] = summary.Bytes,
        ["NumRecords"] = summary.Count,
    };

    private static CognitoException NotFound(CognitoRequest request) =>
        CognitoException.ResourceNotFound($"Dataset '{request.Path["dataset"]}' not found.");

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
