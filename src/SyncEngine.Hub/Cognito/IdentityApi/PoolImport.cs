using System.Net.Mime;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using SyncEngine.Hub.Endpoints;
using SyncEngine.Hub.Pools;

namespace SyncEngine.Hub.Cognito.IdentityApi;

/// <summary>The admin interface's route by which pools of another service are made here, under the ids that they have
/// there.</summary>
internal sealed class PoolImport(
    CognitoPools pools, CognitoIds ids, IEnumerable<ICognitoOperations> operations, JsonBodyReader bodies) : IDisposable
{
    private const int BodyBytesMax = 1024 * 1024;
    private readonly SemaphoreSlim _importing = new(1, 1);
    private static readonly CognitoCaller _operator = new() { AccessKeyId = "operator", IsDeveloper = true };

    public void Map(IEndpointRouteBuilder admin)
    {
        admin.MapPut("/cognito/pools", (Delegate)PoolAsync).WithName("importCognitoPool")
            .WithSummary("Make a pool as another service describes it, under the same id.")
            .WithDescription("Where there is one of that id, it gets its roles if it has none, and nothing else changes.")
            .WithBody<ImportedPool>()
            .Produces<ImportedPoolAnswer>()
            .ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status409Conflict);
    }

    public void Dispose() => _importing.Dispose();

    private async Task<IResult> PoolAsync(HttpContext context)
    {
        JsonBody<ImportedPool> body = await bodies.ReadAsync<ImportedPool>(context, BodyBytesMax).ConfigureAwait(false);
        if (!body.TryGet(out ImportedPool? from, out Problem? refusal)) return refusal;
        if (!ids.TryParse(from.IdentityPoolId, out string region, out Guid id)) return BadId(from.IdentityPoolId);
        try
        {
            CognitoPool pool = await FindOrMakeAsync(from, region, id, context.RequestAborted).ConfigureAwait(false);
            return TypedResults.Json(new ImportedPoolAnswer(from.IdentityPoolId, pool.Name), PoolJson.Outside,
                MediaTypeNames.Application.Json, StatusCodes.Status200OK);
        }
        catch (CognitoException e)
        {
            return Problems.BadRequest("not-imported", e.Message);
        }
    }

    private async Task<CognitoPool> FindOrMakeAsync(
        ImportedPool from, string region, Guid id, CancellationToken cancellationToken)
    {
        // One at a time, so that there are never two pools of one id.
        await _importing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            CognitoPool pool = await pools.FindAsync(from.IdentityPoolId, cancellationToken).ConfigureAwait(false)
                ?? await operations.OfType<PoolOperations>().Single()
                    .CreateAsync(from.Definition, (region, id), cancellationToken).ConfigureAwait(false);

            // Also where an earlier call broke off before it came to this.
            if (pool.Row.Identity is { IsMadeHere: true, AuthenticatedRoleArn: null, UnauthenticatedRoleArn: null })
                await SetRolesAsync(pool.Id, from.Roles, cancellationToken).ConfigureAwait(false);
            return pool;
        }
        finally
        {
            _importing.Release();
        }
    }

    private async Task SetRolesAsync(string pool, JsonElement? roles, CancellationToken cancellationToken)
    {
        if (roles is not { ValueKind: JsonValueKind.Object } given || JsonObject.Create(given) is not { } body
            || body["Roles"] is not JsonObject { Count: > 0 }) return;
        body["IdentityPoolId"] = pool;
        const string operation = "SetIdentityPoolRoles";
        await operations.SelectMany(static some => some.Operations).First(static known => known.Name == operation).Answer(
            new CognitoRequest
            {
                Operation = operation, Caller = _operator, Body = JsonSerializer.SerializeToElement(body),
            }, cancellationToken).ConfigureAwait(false);
    }

    private static Problem BadId(string id) => Problems.BadRequest("bad-id",
        $"{id} is no id of a region that this hub takes: name its region in {SyncHubOptions.Section}:Cognito:OtherRegions.");
}

/// <summary>A pool of another service, as its own calls describe it.</summary>
internal sealed record ImportedPool
{
    /// <summary>The pool's id there, which it keeps here.</summary>
    public required string IdentityPoolId { get; init; }

    /// <summary>What DescribeIdentityPool answers.</summary>
    public required JsonElement Definition { get; init; }

    /// <summary>What GetIdentityPoolRoles answers.</summary>
    public JsonElement? Roles { get; init; }
}

/// <summary>A pool that was made, or was there.</summary>
/// <param name="IdentityPoolId">Its id.</param>
/// <param name="Name">The hub's name of it.</param>
internal sealed record ImportedPoolAnswer(string IdentityPoolId, string Name);
