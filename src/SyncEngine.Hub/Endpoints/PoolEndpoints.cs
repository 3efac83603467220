using System.Net.Mime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using SyncEngine.Hub.Pools;

namespace SyncEngine.Hub.Endpoints;

/// <summary>The routes by which operators manage pools.</summary>
internal sealed class PoolEndpoints(PoolRegistry pools, JsonBodyReader bodies)
{
    private const string IfMatch = "The ETag of the definition that was seen, or * to change whatever is there.";

    public void Map(IEndpointRouteBuilder admin)
    {
        admin.MapGet("/pools", (Delegate)ListAsync).WithName("listPools").WithSummary("List the identity pools.")
            .WithDescription("In the order of their names, in pages.")
            .Produces<PoolPage>().ProducesProblem(StatusCodes.Status400BadRequest)
            .WithQuery("cursor", Paging.CursorDescription).WithQuery("limit", Paging.LimitDescription);
        admin.MapPost("/pools", (Delegate)CreateAsync).WithName("createPool").WithSummary("Create an identity pool.")
            .WithDescription("What the definition leaves out gets its default.").WithBody<IdentityPool>()
            .Produces<IdentityPool>(StatusCodes.Status201Created)
            .ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status409Conflict,
                StatusCodes.Status413PayloadTooLarge, StatusCodes.Status415UnsupportedMediaType);
        admin.MapGet("/pools/{pool}", (Delegate)DescribeAsync).WithName("describePool").WithSummary("Describe an identity pool.")
            .WithDescription("The whole definition but for secrets. The ETag header is the condition of a change.")
            .Produces<IdentityPool>().ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);
        admin.MapPut("/pools/{pool}", (Delegate)ReplaceAsync).WithName("updatePool").WithSummary("Replace an identity "
            + "pool's definition.")
            .WithDescription("The whole definition: what it leaves out gets its default, but secrets stay.")
            .WithBody<IdentityPool>().WithRequestHeader("If-Match", IfMatch)
            .Produces<IdentityPool>()
            .ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound,
                StatusCodes.Status412PreconditionFailed, StatusCodes.Status413PayloadTooLarge,
                StatusCodes.Status415UnsupportedMediaType, StatusCodes.Status428PreconditionRequired);
        admin.MapDelete("/pools/{pool}", (Delegate)DeleteAsync).WithName("deletePool").WithSummary("Delete an identity pool.")
            .WithDescription("A pool that has identities is deleted, with them and all their data, only by force.")
            .WithQuery("force", "true deletes the pool's identities and their data too.")
            .WithRequestHeader("If-Match", IfMatch, isRequired: false)
            .Produces(StatusCodes.Status204NoContent)
            .ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status409Conflict,
                StatusCodes.Status412PreconditionFailed);
    }

    private async Task<IResult> ListAsync(HttpContext context)
    {
        if (Paging.TryRead(context.Request, out Paging paging) is { } refusal) return refusal;
        IReadOnlyList<IdentityPool> found =
            await pools.ListAsync(paging.Cursor, paging.Limit + 1, context.RequestAborted).ConfigureAwait(false);
        bool hasMore = found.Count > paging.Limit;
        return Answer(new PoolPage([.. found.Take(paging.Limit).Select(PoolSummary.Of)],
            hasMore ? found[paging.Limit - 1].Name : null));
    }

    private async Task<IResult> CreateAsync(HttpContext context)
    {
        JsonBody<IdentityPool> body = await bodies.ReadAsync<IdentityPool>(context).ConfigureAwait(false);
        if (!body.TryGet(out IdentityPool? definition, out Problem? refusal)) return refusal;
        PoolResult result = await pools.CreateAsync(definition, null, context.RequestAborted).ConfigureAwait(false);
        if (result is not { Outcome: PoolOutcome.Done, Pool: { } pool }) return Refuse(context, result);
        context.Response.Headers.Location = $"{context.Request.PathBase}{context.Request.Path.Value?.TrimEnd('/')}/{pool.Name}";
        return Answer(context, pool, StatusCodes.Status201Created);
    }

    private async Task<IResult> DescribeAsync(HttpContext context, string pool)
    {
        if (!HubNames.IsPool(pool)) return BadName();
        IdentityPool? found = await pools.FindAsync(pool, context.RequestAborted).ConfigureAwait(false);
        return found is null ? NotFound() : Answer(context, found, StatusCodes.Status200OK);
    }

    private async Task<IResult> ReplaceAsync(HttpContext context, string pool)
    {
        if (!HubNames.IsPool(pool)) return BadName();
        if (EntityTags.ConditionOf(context.Request) is not { } condition)
        {
            return Problems.PreconditionRequired("Send the ETag of the definition that you changed as If-Match, so that no other "
                + "change is lost; If-Match: * replaces whatever is there.");
        }

        JsonBody<IdentityPool> body = await bodies.ReadAsync<IdentityPool>(context).ConfigureAwait(false);
        if (!body.TryGet(out IdentityPool? definition, out Problem? refusal)) return refusal;
        if (definition.Name != pool)
        {
            return Problems.BadRequest("other-name", "The name in the body is not the one in the address: a pool keeps its name.",
                "$.name");
        }

        PoolResult result = await pools.ReplaceAsync(definition, there => condition(there.EntityTag), context.RequestAborted)
            .ConfigureAwait(false);
        return result is { Outcome: PoolOutcome.Done, Pool: { } changed }
            ? Answer(context, changed, StatusCodes.Status200OK)
            : Refuse(context, result);
    }

    private async Task<IResult> DeleteAsync(HttpContext context, string pool)
    {
        if (!HubNames.IsPool(pool)) return BadName();
        bool isForced = false;
        if (context.Request.Query.TryGetValue("force", out var values)
            && (values.Count != 1 || !bool.TryParse(values[0], out isForced)))
            return Problems.BadRequest("bad-force", "Use force=true or force=false.");
        Func<string, bool>? condition = EntityTags.ConditionOf(context.Request);
        PoolResult result = await pools.DeleteAsync(
            pool, isForced, there => condition is null || condition(there.EntityTag), context.RequestAborted)
                .ConfigureAwait(false);
        return result.Outcome == PoolOutcome.Done ? TypedResults.NoContent() : Refuse(context, result);
    }

    private static Problem Refuse(HttpContext context, PoolResult result)
    {
        if (result.Outcome == PoolOutcome.Changed && result.Pool is { } there) context.Response.Headers.ETag = there.EntityTag;
        return result.Outcome switch
        {
            PoolOutcome.Invalid when result.Fault is { } fault => Problems.BadRequest("bad-pool", fault.Advice, fault.Path),
            PoolOutcome.NotFound => NotFound(),
            PoolOutcome.Exists => Problems.Conflict("pool-exists",
                "There is a pool of this name: choose another name, or update that pool."),
            PoolOutcome.Changed => Problems.PreconditionFailed("pool-changed",
                "The pool was changed meanwhile: describe it again, and apply your change to what it is now."),
            PoolOutcome.NotEmpty => Problems.Conflict("pool-not-empty",
                "The pool has identities: delete them first, or add force=true to delete them and their data with it."),
            _ => Problems.Conflict("too-many-pools", FormattableString.Invariant(
                $"There are {PoolRegistry.PoolsMax:N0} pools, and may be no more: delete one first.")),
        };
    }

    private static Problem BadName() => Problems.BadRequest("bad-name", $"A pool's name is {HubNames.PoolRule}.");

    private static Problem NotFound() => Problems.NotFound("no-such-pool",
        "There is no such pool: list the pools, or create it.");

    private static JsonHttpResult<IdentityPool> Answer(HttpContext context, IdentityPool pool, int status)
    {
        context.Response.Headers.ETag = pool.EntityTag;
        return Answer(pool.WithoutSecrets(), status);
    }

    private static JsonHttpResult<T> Answer<T>(T value, int status = StatusCodes.Status200OK) =>
        TypedResults.Json(value, PoolJson.Outside, MediaTypeNames.Application.Json, status);
}
