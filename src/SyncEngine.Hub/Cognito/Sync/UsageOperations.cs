using System.Text.Json.Nodes;
using SyncEngine.Hub.Identities;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>
/// The Sync API's operations that tell how much is stored. What a pool holds is counted when somebody asks, by opening each of
/// its identities: it costs a read of all its data.
/// </summary>
internal sealed class UsageOperations(SyncScopes scopes, CognitoPools pools, IdentityDirectory directory, LegacyDatasets datasets,
    SyncSessions sessions, SealedTexts seals) : ICognitoOperations
{
    private const string PoolsPage = "pools page";
    private const int PoolsMax = 60;
    private const int IdentitiesAtOnce = 100;

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
                ["LastModifiedDate"] = SyncMembers.Seconds(LastOf(found, scope.Row.CreatedAt)),
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
        long bytes = 0, last = pool.Definition.CreatedAt.ToUnixTimeMilliseconds();
        IReadOnlyList<IdentityRow> page = [];
        do
        {
            page = await directory.ListAsync(pool.Name, page.Count == 0 ? null : page[^1].Id, IdentitiesAtOnce, cancellationToken)
                .ConfigureAwait(false);
            foreach (IdentityRow row in page.Where(static row => row.State != IdentityState.Merged))
            {
                IReadOnlyList<LegacySummary> found = await datasets.ListAsync(pool.Name, row.Id, cancellationToken)
                    .ConfigureAwait(false);
                bytes += found.Sum(static summary => summary.Bytes);
                last = Math.Max(last, LastOf(found, row.CreatedAt));
            }
        }
        while (page.Count == IdentitiesAtOnce);
        return new JsonObject
        {
            ["IdentityPoolId"] = pool.Id,
            ["SyncSessionsCount"] = sessions.CountOf(pool.Name),
            ["DataStorage"] = bytes,
            ["LastModifiedDate"] = SyncMembers.Seconds(last),
        };
    }

    private static long LastOf(IReadOnlyList<LegacySummary> datasets, DateTimeOffset created) => datasets
        .Select(static summary => summary.ModifiedMilliseconds).Append(created.ToUnixTimeMilliseconds()).Max();
}
