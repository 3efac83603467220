using System.Net.Mime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using SyncEngine.Hub.Endpoints;
using SyncEngine.Hub.Pools;

namespace SyncEngine.Hub.Cognito;

/// <summary>A pool's id in this API, as the admin interface answers it.</summary>
internal sealed record CognitoPoolAnswer(string IdentityPoolId, string Region);

/// <summary>What the admin interface knows of this API.</summary>
internal sealed class CognitoAdmin(CognitoPools pools)
{
    public void Map(IEndpointRouteBuilder admin) => admin.MapGet("/pools/{pool}/cognito", (Delegate)DescribeAsync)
        .WithName("describeCognitoPool").WithSummary("Tell a pool's id in the Cognito-wire-compatible API.")
        .WithDescription("A pool that has none yet gets one, and keeps it.").Produces<CognitoPoolAnswer>()
        .ProducesProblems(StatusCodes.Status404NotFound);

    private async Task<IResult> DescribeAsync(HttpContext context, string pool) =>
        HubNames.IsPool(pool) && await pools.FindByNameAsync(pool, context.RequestAborted).ConfigureAwait(false) is { } found
            ? TypedResults.Json(new CognitoPoolAnswer(found.Id, found.Row.Region), PoolJson.Outside,
                MediaTypeNames.Application.Json, StatusCodes.Status200OK)
            : Problems.NotFound("no-such-pool", "There is no such pool: list the pools, or create it.");
}
