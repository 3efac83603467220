using System.Text.Json.Nodes;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>The Sync API's operations that tell how much is stored.</summary>
internal sealed class UsageOperations(SyncScopes scopes, CognitoPools pools, PoolUsages usages, LegacyDatasets datasets,
    SyncSessions sessions, SealedTexts seals) : ICognitoOperations
{
    private const string PoolsPage = "pools page";
    private const int PoolsMax = 60;

    public IEnumerable<CognitoOperation> Operations =>
    [
        new("DescribeIdentityUsage", CognitoAccess.Signed, DescribeIdentityAsync),
        new("DescribeIdentityPoolUsage", CognitoAccess.Developer, DescribePoolAsync),
        new("ListIdentityPoolUsage", CognitoAccess.Developer, ListPoolsAsync),
    ];

    private async Task<JsonNode?> DescribeIdentityAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        SyncScope scope = await scopes.IdentityAsync(request, cancellationToken).ConfigureAwait(false);
        List<LegacySummary> found = [.. (await datasets.ListAsync(scope.Pool.Name, scope.Id, cancellationToken)
            .ConfigureAwait(false)).Where(summary => scope.MayRead(summary.Name))];
        return new JsonObject
        {
            ["IdentityUsage"] = new JsonObject
            {
                ["IdentityId"] = scope.WireId,
                ["IdentityPoolId"] = scope.Pool.Id,
                ["LastModifiedDate"] = SyncMembers.Seconds(PoolUsages.LastOf(found, scope.Row.CreatedAt)),
                ["DatasetCount"] = found.Count,
                ["DataStorage"] = found.Sum(static summary => summary.Bytes),
            },
        };
    }

    private async Task<JsonNode?> DescribePoolAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        CognitoPool pool = await scopes.PoolAsync(request, cancellationToken).ConfigureAwait(false);
        return new JsonObject { ["IdentityPoolUsage"] = await CountAsync(pool, cancellationToken).ConfigureAwait(false) };
    }

    private async Task<JsonNode?> ListPoolsAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        int limit = SyncMembers.PageOf(request, PoolsMax);
        string? after = null;
        if (request.Query.GetValueOrDefault("nextToken") is { Length: > 0 } token)
        {
            after = await seals.OpenAsync(PoolsPage, token, 1, cancellationToken).ConfigureAwait(false) is [var last] ? last
                : throw CognitoException.InvalidParameter("NextToken is none of this listing: begin it again.");
        }

        IReadOnlyList<CognitoPool> found = await pools.ListAsync(after, limit + 1, cancellationToken).ConfigureAwait(false);
        var usages = new JsonArray();
        foreach (CognitoPool pool in found.Take(limit))
            usages.Add(await CountAsync(pool, cancellationToken).ConfigureAwait(false));
        var answer = new JsonObject
        {
            ["IdentityPoolUsages"] = usages,
            ["MaxResults"] = limit,
            ["Count"] = usages.Count,
        };
        if (found.Count <= limit) return answer;
        answer["NextToken"] = await seals.SealAsync(PoolsPage, cancellationToken, found[limit - 1].Name).ConfigureAwait(false);
        return answer;
    }

    private async Task<JsonObject> CountAsync(CognitoPool pool, CancellationToken cancellationToken)
    {
        (long bytes, long last) = await usages.CountAsync(pool, cancellationToken).ConfigureAwait(false);
        return new JsonObject
        {
            ["IdentityPoolId"] = pool.Id,
            ["SyncSessionsCount"] = sessions.CountOf(pool.Name),
            ["DataStorage"] = bytes,
            ["LastModifiedDate"] = SyncMembers.Seconds(last),
        };
    }
}
