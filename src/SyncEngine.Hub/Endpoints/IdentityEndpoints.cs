using System.Net.Mime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using SyncEngine.Hub.Accounts;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Merging;
using SyncEngine.Hub.Pools;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Endpoints;

/// <summary>The routes by which operators look after identities.</summary>
internal sealed class IdentityEndpoints(
    PoolRegistry pools, IdentityDirectory directory, IdentityRemoval removal, IdentityMerging merging,
    DeviceEntry entry)
{
    public void Map(IEndpointRouteBuilder admin)
    {
        RouteGroupBuilder group = admin.MapGroup("/pools/{pool}/identities").AddEndpointFilter(DirectoryFailures.GuardAsync);
        group.MapGet("", (Delegate)ListAsync).WithName("listIdentities").WithSummary("List the identities of a pool.")
            .WithDescription("In the order of their ids, in pages.").Produces<IdentityPage>()
            .ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound)
            .WithQuery("cursor", Paging.CursorDescription).WithQuery("limit", Paging.LimitDescription);
        group.MapGet("/{id}", (Delegate)DescribeAsync).WithName("describeIdentity").WithSummary("Describe an identity.")
            .WithDescription("With its logins, devices and merges. A merged one says into which.").Produces<IdentityAnswer>()
            .ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);
        group.MapDelete("/{id}", (Delegate)DeleteAsync).WithName("deleteIdentity").WithSummary("Delete an identity.")
            .WithDescription("With all its datasets on the hub; what its devices hold stays there.")
            .Produces(StatusCodes.Status204NoContent)
            .ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);
        group.MapPost("/{id}/disable", (HttpContext context, string pool, string id) => SetEnabledAsync(context, pool, id, false))
            .WithName("disableIdentity").WithSummary("Shut an identity out.")
            .WithDescription("Its sessions end and its credentials are refused; its data stays.").Produces<IdentityAnswer>()
            .ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status409Conflict);
        group.MapPost("/{id}/enable", (HttpContext context, string pool, string id) => SetEnabledAsync(context, pool, id, true))
            .WithName("enableIdentity").WithSummary("Let a disabled identity in again.").Produces<IdentityAnswer>()
            .ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status409Conflict);
        group.MapGet("/{id}/devices", (Delegate)DevicesAsync).WithName("listDevices").WithSummary("List an identity's devices.")
            .Produces<DeviceList>().ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);
        group.MapDelete("/{id}/devices/{device}", (Delegate)RevokeAsync).WithName("revokeDevice").WithSummary("Revoke a device.")
            .WithDescription("Its sessions end, its credentials are refused, and what it writes from now on is taken from "
                + "nobody.")
            .Produces<IdentityAnswer>().ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);
        group.MapPost("/{id}/merges/{merge}/undo", (Delegate)UndoAsync).WithName("undoMerge").WithSummary("Take a merge back.")
            .WithDescription("Within 30 days; what was written since stays.").Produces<IdentityAnswer>()
            .ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status409Conflict);
    }

    private async Task<IResult> ListAsync(HttpContext context, string pool)
    {
        if (Paging.TryRead(context.Request, out Paging paging) is { } refusal) return refusal;
        if (await FindFaultAsync(context, pool).ConfigureAwait(false) is { } fault) return fault;
        IdentityId? after = null;
        if (paging.Cursor is { } cursor)
        {
            if (!IdentityText.TryParse(cursor, out IdentityId id))
                return Problems.BadRequest("bad-cursor", "Use the next of the page before as cursor, once.");
            after = id;
        }

        IReadOnlyList<IdentityRow> found =
            await directory.ListAsync(pool, after, paging.Limit + 1, context.RequestAborted).ConfigureAwait(false);
        bool hasMore = found.Count > paging.Limit;
        return Answer(new IdentityPage([.. found.Take(paging.Limit).Select(IdentityAnswer.Of)],
            hasMore ? found[paging.Limit - 1].Id.ToString() : null));
    }

    private Task<IResult> DescribeAsync(HttpContext context, string pool, string id) => ForAsync(context, pool, id,
        async identity => Answer(IdentityAnswer.Of(await directory.FindAsync(pool, identity, context.RequestAborted)
            .ConfigureAwait(false) ?? throw IdentityDirectory.Missing(identity))));

    private Task<IResult> DeleteAsync(HttpContext context, string pool, string id) =>
        ForAsync(context, pool, id, async identity =>
    {
        await removal.DeleteAsync(pool, identity, context.RequestAborted).ConfigureAwait(false);
        return TypedResults.NoContent();
    });

    private Task<IResult> SetEnabledAsync(HttpContext context, string pool, string id, bool isEnabled) =>
        ForAsync(context, pool, id,
        async identity => Answer(IdentityAnswer.Of(
            await removal.SetEnabledAsync(pool, identity, isEnabled, context.RequestAborted).ConfigureAwait(false))));

    private Task<IResult> DevicesAsync(HttpContext context, string pool, string id) =>
        ForAsync(context, pool, id, async identity =>
    {
        IdentityRow row = await directory.FindAsync(pool, identity, context.RequestAborted).ConfigureAwait(false)
            ?? throw IdentityDirectory.Missing(identity);
        return Answer(new DeviceList([.. row.Devices.Select(DeviceAnswer.Of)]));
    });

    private Task<IResult> RevokeAsync(HttpContext context, string pool, string id, string device) => ForAsync(context, pool, id,
        async identity => Answer(IdentityAnswer.Of(
            await entry.RevokeDeviceAsync(pool, identity, device, context.RequestAborted).ConfigureAwait(false))));

    private Task<IResult> UndoAsync(HttpContext context, string pool, string id, string merge) => ForAsync(context, pool, id,
        async identity => Answer(IdentityAnswer.Of(
            await merging.UndoAsync(pool, identity, merge, context.RequestAborted).ConfigureAwait(false))));

    private async Task<IResult> ForAsync(HttpContext context, string pool, string id, Func<IdentityId, Task<IResult>> answer)
    {
        if (await FindFaultAsync(context, pool).ConfigureAwait(false) is { } fault) return fault;
        return IdentityText.TryParse(id, out IdentityId identity)
            ? await answer(identity).ConfigureAwait(false)
            : Problems.BadRequest("bad-identity", "An identity's id is 32 hexadecimal digits.");
    }

    private async ValueTask<Problem?> FindFaultAsync(HttpContext context, string pool)
    {
        if (!HubNames.IsPool(pool)) return Problems.BadRequest("bad-name", $"A pool's name is {HubNames.PoolRule}.");
        return await pools.FindAsync(pool, context.RequestAborted).ConfigureAwait(false) is null
            ? Problems.NotFound("no-such-pool", "There is no such pool: list the pools, or create it.") : null;
    }

    private static JsonHttpResult<T> Answer<T>(T value) =>
        TypedResults.Json(value, PoolJson.Outside, MediaTypeNames.Application.Json, StatusCodes.Status200OK);
}
