using System.Globalization;
using System.Net.Mime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using SyncEngine.Datasets;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Endpoints;

/// <summary>The routes by which an operator's own services read what identities have. Only what is durable is told.</summary>
internal sealed class DatasetEndpoints(PoolRegistry pools, IdentityDirectory directory, HubStore store, KeyedLocks locks)
{
    private const int RecordsMax = 1000;

    public void Map(IEndpointRouteBuilder admin)
    {
        RouteGroupBuilder group = admin.MapGroup("/pools/{pool}/identities/{id}/datasets")
            .AddEndpointFilter(DirectoryFailures.GuardAsync);
        group.MapGet("", (Delegate)ListAsync).WithName("listDatasets").WithSummary("List the datasets of an identity.")
            .WithDescription("In the order of their names, in pages.").Produces<DatasetList>()
            .ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound)
            .WithQuery("cursor", Paging.CursorDescription).WithQuery("limit", Paging.LimitDescription);
        group.MapGet("/{dataset}", (Delegate)ReadAsync).WithName("readDataset")
            .WithSummary("Read what changed in a dataset since a revision.")
            .WithDescription("Records in the order of the revision that changed them last, deleted ones too. Read page after "
                + "page while next is given; the last page's revision is the since of the next read. 410 says that since is a "
                + "revision which the dataset never had, or that deletes since then are forgotten.")
            .Produces<RecordPage>().ProducesProblems(
                StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status410Gone)
            .WithQuery("since", "The revision up to which all is known. Default 0: everything that is there.")
            .WithQuery("cursor", "Where the page before ended: its next. since does not count then.")
            .WithQuery("limit", "Most records of the page, 1 to 1,000; 1,000 without it. It also ends after about 1 MiB.");
    }

    private Task<IResult> ListAsync(HttpContext context, string pool, string id) => ForAsync(context, pool, id, async identity =>
    {
        if (Paging.TryRead(context.Request, out Paging paging) is { } refusal) return refusal;
        List<string> names = [.. identity.DatasetNames
            .Where(name => paging.Cursor is null || string.CompareOrdinal(name, paging.Cursor) > 0).Take(paging.Limit + 1)];
        var datasets = new List<DatasetAnswer>();
        foreach (string name in names.Take(paging.Limit))
        {
            Dataset dataset = identity.OpenForJoin(name);
            datasets.Add(dataset.AtOneMoment(() => new DatasetAnswer(name, dataset.Revision, dataset.State.LiveRecords,
                dataset.State.Tombstones, dataset.State.LiveBytes)));
            await dataset.FlushAsync(context.RequestAborted).ConfigureAwait(false);
        }

        return TypedResults.Json(new DatasetList(datasets, names.Count > paging.Limit ? names[paging.Limit - 1] : null),
            PoolJson.Outside, MediaTypeNames.Application.Json, StatusCodes.Status200OK);
    });

    private Task<IResult> ReadAsync(HttpContext context, string pool, string id, string dataset) =>
        ForAsync(context, pool, id, async identity =>
    {
        if (TryRead(context.Request, out long since, out RecordPlace? place, out int limit) is { } refusal) return refusal;
        if (!identity.HasDataset(dataset))
            return Problems.NotFound("no-such-dataset", "There is no such dataset: list the identity's datasets.");
        Dataset read = identity.OpenForJoin(dataset);
        ReadOnlyMemory<byte>? page = RecordPages.Write(read, since, place, limit);
        if (page is null)
            return new Problem(StatusCodes.Status410Gone, "revision-gone", "The dataset does not know what was deleted since "
                + "this revision, or never had it: read all of it, without since, and drop what does not come.");
        await read.FlushAsync(context.RequestAborted).ConfigureAwait(false);
        return TypedResults.Bytes(page.Value, MediaTypeNames.Application.Json);
    });

    private static Problem? TryRead(HttpRequest request, out long since, out RecordPlace? place, out int limit)
    {
        (since, place, limit) = (0, null, RecordsMax);
        if (request.Query.TryGetValue("since", out var revisions) && (revisions is not [{ } revision]
            || !long.TryParse(revision, NumberStyles.None, CultureInfo.InvariantCulture, out since)))
            return Problems.BadRequest("bad-since", "Use a revision as since: 0, or the revision of an earlier answer.");
        if (request.Query.TryGetValue("cursor", out var cursors))
        {
            if (cursors is not [{ } cursor] || !RecordPlace.TryParse(cursor, out RecordPlace found))
                return Problems.BadRequest("bad-cursor", "Use the next of the page before as cursor, once.");
            place = found;
        }

        return request.Query.TryGetValue("limit", out var limits) && (limits is not [{ } text]
            || !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > RecordsMax)
            ? Problems.BadRequest("bad-limit", $"Use a limit of 1 to {RecordsMax}.") : null;
    }

    private async Task<IResult> ForAsync(HttpContext context, string pool, string id, Func<Identity, Task<IResult>> answer)
    {
        CancellationToken aborted = context.RequestAborted;
        if (!HubNames.IsPool(pool)) return Problems.BadRequest("bad-name", $"A pool's name is {HubNames.PoolRule}.");
        if (await pools.FindAsync(pool, aborted).ConfigureAwait(false) is null)
            return Problems.NotFound("no-such-pool", "There is no such pool: list the pools, or create it.");
        if (!IdentityText.TryParse(id, out IdentityId known))
            return Problems.BadRequest("bad-identity", "An identity's id is 32 hexadecimal digits.");

        // Nobody merges or deletes it meanwhile.
        using IDisposable held = await locks.EnterAsync(pool, aborted, known).ConfigureAwait(false);
        IdentityRow row = await directory.FindAsync(pool, known, aborted).ConfigureAwait(false)
            ?? throw IdentityDirectory.Missing(known);
        if (row.State == IdentityState.Merged)
            return Problems.NotFound("identity-merged",
                $"The identity was merged into {row.MergedInto}: read that one's datasets.");
        using IdentityLease lease = await store.LeaseAsync(pool, known, aborted).ConfigureAwait(false);
        return await answer(lease.Identity).ConfigureAwait(false);
    }
}
