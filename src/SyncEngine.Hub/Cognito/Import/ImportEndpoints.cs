using System.Net.Mime;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using SyncEngine.Hub.Cognito.IdentityApi;
using SyncEngine.Hub.Endpoints;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Cognito.Import;

/// <summary>The routes by which operators bring pools and identities here from another service, ids and sync counts kept. To do
/// it again changes nothing that was written here since.</summary>
internal sealed class ImportEndpoints(
    CognitoPools pools, CognitoIds ids, IEnumerable<ICognitoOperations> operations, IdentityDirectory directory,
    DatasetImport datasets, JsonBodyReader bodies, TimeProvider time)
{
    private const int PoolBytesMax = 1024 * 1024;
    private const int IdentityBytesMax = 64 * 1024 * 1024;
    private const int DatasetsMax = 1000;
    private const int LoginsMax = 20;
    private static readonly CognitoCaller _operator = new() { AccessKeyId = "operator", IsDeveloper = true };

    public void Map(IEndpointRouteBuilder admin)
    {
        admin.MapPut("/cognito/pools", (Delegate)PoolAsync).WithName("importCognitoPool")
            .WithSummary("Make a pool as another service describes it, under the same id.")
            .WithDescription("Where there is one of that id, nothing changes.").Produces<CognitoPoolAnswer>()
            .ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status409Conflict);
        admin.MapPut("/cognito/pools/{pool}/identities/{id}", (Delegate)IdentityAsync).WithName("importCognitoIdentity")
            .WithSummary("Bring an identity of another service here, under the same id, with its logins and datasets.")
            .WithDescription("Datasets that were written to here since are left as they are.").Produces<ImportAnswer>()
            .ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status409Conflict);
    }

    private async Task<IResult> PoolAsync(HttpContext context)
    {
        JsonBody<ImportedPool> body = await bodies.ReadAsync<ImportedPool>(context, PoolBytesMax).ConfigureAwait(false);
        if (!body.TryGet(out ImportedPool? from, out Problem? refusal)) return refusal;
        if (!ids.TryParse(from.IdentityPoolId, out string region, out Guid id)) return BadId(from.IdentityPoolId);
        try
        {
            CognitoPool? pool = await pools.FindAsync(from.IdentityPoolId, context.RequestAborted).ConfigureAwait(false);
            if (pool is null)
            {
                JsonNode? made = await RunAsync("CreateIdentityPool", from.Definition, context.RequestAborted)
                    .ConfigureAwait(false);
                pool = await pools.RequireAsync((string?)made?["IdentityPoolId"] ?? "", context.RequestAborted)
                    .ConfigureAwait(false);
                await SetRolesAsync(pool.Id, from.Roles, context.RequestAborted).ConfigureAwait(false);
                pool = await pools.RequireAsync(pool.Id, context.RequestAborted).ConfigureAwait(false);
                await pools.ChangeAsync(pool.Definition, row => row with { Id = id, Region = region }, context.RequestAborted)
                    .ConfigureAwait(false);
            }

            return Answer(new CognitoPoolAnswer(from.IdentityPoolId, region));
        }
        catch (CognitoException e)
        {
            return Problems.BadRequest("not-imported", e.Message);
        }
    }

    private async Task<IResult> IdentityAsync(HttpContext context, string pool, string id)
    {
        JsonBody<ImportedIdentity> body =
            await bodies.ReadAsync<ImportedIdentity>(context, IdentityBytesMax).ConfigureAwait(false);
        if (!body.TryGet(out ImportedIdentity? from, out Problem? refusal)) return refusal;
        if (!ids.TryParse(pool, out _, out _)
            || await pools.FindAsync(pool, context.RequestAborted).ConfigureAwait(false) is not { } known)
            return Problems.NotFound("no-such-pool", $"There is no pool {pool}: import it first.");
        if (!ids.TryParse(id, out string region, out Guid guid) || region != known.Row.Region) return BadId(id);
        if (Fault(from) is { } fault) return fault;
        List<LoginRow>? logins = LoginsOf(known, from);
        if (logins is null)
            return Problems.BadRequest("no-such-provider", "The pool has no provider of such a name: add it to the pool, or "
                + "leave the login out.", "$.logins");
        List<string> awaited = [.. from.AwaitedProviders.Select(name => ProviderNames.Find(known.Definition, name)?.Name)
            .OfType<string>()];
        IdentityId identity = CognitoIds.IdentityOf(guid);
        IdentityRow row;
        try
        {
            row = await directory.TakeOverAsync(known.Name, identity, logins, awaited, from.AwaitedProviders.Count > 0,
                IdentityIndex.RowOf(known.Name, identity), context.RequestAborted).ConfigureAwait(false);
        }
        catch (DirectoryException e)
        {
            return Problems.Conflict("login-taken", e.Message);
        }

        // What was merged or shut out here stays so.
        if (row.State != IdentityState.Active)
            return Answer(new ImportAnswer(0, 0, [.. from.Datasets.Select(static dataset => dataset.Name)]));
        (int written, int same) = (0, 0);
        var changed = new List<string>();
        foreach (ImportedDataset dataset in from.Datasets)
        {
            bool? isWritten = await datasets.WriteAsync(known.Name, identity, dataset, context.RequestAborted)
                .ConfigureAwait(false);
            if (isWritten is null) changed.Add(dataset.Name);
            else if (isWritten.Value) written++;
            else same++;
        }

        return Answer(new ImportAnswer(written, same, changed));
    }

    private static Problem? Fault(ImportedIdentity from)
    {
        if (from.DeveloperUsers.Count + from.Logins.Count > LoginsMax || from.Datasets.Count > DatasetsMax)
            return Problems.BadRequest("too-much", $"An identity has at most {LoginsMax} logins and {DatasetsMax} datasets.");
        foreach (ImportedDataset dataset in from.Datasets)
        {
            if (!DatasetNames.IsValid(dataset.Name))
                return Problems.BadRequest("bad-dataset", $"{dataset.Name} is no name of a dataset.", "$.datasets");
            if (dataset.SyncCount is < 0 or > DatasetImport.SyncCountMax
                || dataset.Records.Any(record => record.SyncCount < 1 || record.SyncCount > dataset.SyncCount))
                return Problems.BadRequest("bad-count", $"The counts of {dataset.Name} are not between 1 and its own, or above "
                    + $"{DatasetImport.SyncCountMax:N0}.", "$.datasets");
            if (dataset.Records.Select(static record => record.Key).Distinct(StringComparer.Ordinal).Count()
                != dataset.Records.Count)
                return Problems.BadRequest("bad-records", $"A key of {dataset.Name} comes twice.", "$.datasets");
        }

        return null;
    }

    private List<LoginRow>? LoginsOf(CognitoPool pool, ImportedIdentity from)
    {
        var none = new Dictionary<string, IReadOnlyList<string>>();
        var logins = new List<LoginRow>();
        foreach (string user in from.DeveloperUsers)
        {
            if (pool.Row.Identity.DeveloperProviderName is not { } developer) return null;
            logins.Add(new LoginRow(developer, user, time.GetUtcNow(), none));
        }

        foreach (ImportedLogin login in from.Logins)
        {
            if (ProviderNames.Find(pool.Definition, login.Provider) is not { } provider) return null;
            logins.Add(new LoginRow(provider.Name, login.Subject, time.GetUtcNow(), none));
        }

        return logins;
    }

    private async Task SetRolesAsync(string pool, JsonElement? roles, CancellationToken cancellationToken)
    {
        if (roles is not { ValueKind: JsonValueKind.Object } given || JsonObject.Create(given) is not { } body
            || body["Roles"] is not JsonObject { Count: > 0 }) return;
        body["IdentityPoolId"] = pool;
        await RunAsync("SetIdentityPoolRoles", JsonSerializer.SerializeToElement(body), cancellationToken).ConfigureAwait(false);
    }

    private Task<JsonNode?> RunAsync(string operation, JsonElement body, CancellationToken cancellationToken) =>
        operations.SelectMany(static some => some.Operations).First(known => known.Name == operation).Answer(
            new CognitoRequest { Operation = operation, Caller = _operator, Body = body }, cancellationToken);

    private static Problem BadId(string id) => Problems.BadRequest("bad-id",
        $"{id} is no id of a region that this hub takes: name its region in {SyncHubOptions.Section}:Cognito:OtherRegions.");

    private static JsonHttpResult<T> Answer<T>(T body) =>
        TypedResults.Json(body, PoolJson.Outside, MediaTypeNames.Application.Json, StatusCodes.Status200OK);
}
