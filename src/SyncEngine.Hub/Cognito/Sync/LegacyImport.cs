using System.Net.Mime;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using SyncEngine.Hub.Cognito.IdentityApi;
using SyncEngine.Hub.Endpoints;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Pools;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>The admin interface's route by which identities of another service are taken over, with their ids and the counts of
/// their datasets.</summary>
internal sealed class LegacyImport(
    CognitoPools pools, CognitoIds ids, IdentityDirectory directory, LegacyDatasets datasets, JsonBodyReader bodies,
    TimeProvider time)
{
    private const int BodyBytesMax = 64 * 1024 * 1024;
    private const int RecordsMax = 65_536;
    private const int DatasetsMax = 256;

    public void Map(IEndpointRouteBuilder admin) => admin
        .MapPut("/pools/{pool}/cognito/identities/{identity}", (Delegate)PutAsync).WithName("importCognitoIdentity")
        .WithSummary("Take over an identity of another service.")
        .WithDescription("With its id, its logins and, for each dataset, the records and their sync counts, so that clients go "
            + "on where they were. A repeated call brings what is new there; datasets that were written to here stay as they "
            + "are.")
        .WithBody<LegacyIdentity>().Produces<LegacyIdentityAnswer>()
        .ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status409Conflict);

    private async Task<IResult> PutAsync(HttpContext context, string pool, string identity)
    {
        CancellationToken cancellationToken = context.RequestAborted;
        if (!HubNames.IsPool(pool) || await pools.FindByNameAsync(pool, cancellationToken).ConfigureAwait(false) is not { } known)
            return Problems.NotFound("no-such-pool", "There is no such pool: list the pools, or create it.");
        if (!ids.TryParse(identity, out string region, out Guid guid) || region != known.Row.Region)
            return Problems.BadRequest("bad-identity", $"An identity of this pool is written {known.Row.Region}:GUID.");
        JsonBody<LegacyIdentity> body = await bodies.ReadAsync<LegacyIdentity>(context, BodyBytesMax).ConfigureAwait(false);
        if (!body.TryGet(out LegacyIdentity? request, out Problem? refusal)) return refusal;
        if (FindFault(request) is { } fault) return fault;
        if (LoginsOf(known, request) is not { } logins)
            return Problems.BadRequest("no-such-provider", "The pool has no provider of such a name: add it, or leave the login "
                + "out.", "$.logins");
        IReadOnlyList<string> awaited = [.. request.AwaitedProviders.Select(
            name => ProviderNames.Find(known.Definition, name)?.Name).OfType<string>()];
        var id = CognitoIds.IdentityOf(guid);
        bool isNew = await directory.ImportAsync(
            pool, id, request.IsOpen, awaited, IdentityIndex.RowOf(pool, id), cancellationToken).ConfigureAwait(false);
        var answers = new List<LegacyDatasetAnswer>();
        try
        {
            foreach (LoginRow login in logins)
                await directory.LinkAsync(pool, id, login, cancellationToken).ConfigureAwait(false);
            foreach (LegacyDatasetRequest dataset in request.Datasets)
            {
                LegacyImportOutcome outcome = await datasets.ImportAsync(pool, id, dataset.Name,
                    [.. dataset.Records.Select(static record => record.ToPatch())], dataset.SyncCount, cancellationToken)
                    .ConfigureAwait(false);
                answers.Add(new LegacyDatasetAnswer(dataset.Name, outcome == LegacyImportOutcome.Imported,
                    outcome == LegacyImportOutcome.ChangedHere));
            }
        }
        catch (CognitoException e)
        {
            return Problems.Conflict("identity-gone", e.Message);
        }
        catch (DirectoryException e)
        {
            return Problems.Conflict("login-taken", e.Message);
        }

        return TypedResults.Json(new LegacyIdentityAnswer(identity, isNew, answers), PoolJson.Outside,
            MediaTypeNames.Application.Json, StatusCodes.Status200OK);
    }

    private List<LoginRow>? LoginsOf(CognitoPool pool, LegacyIdentity request)
    {
        var none = new Dictionary<string, IReadOnlyList<string>>();
        var logins = new List<LoginRow>();
        foreach (string user in request.DeveloperUsers)
        {
            if (pool.Row.Identity.DeveloperProviderName is not { } developer) return null;
            logins.Add(new LoginRow(developer, user, time.GetUtcNow(), none));
        }

        foreach (LegacyLogin login in request.Logins)
        {
            if (ProviderNames.Find(pool.Definition, login.Provider) is not { } provider) return null;
            logins.Add(new LoginRow(provider.Name, login.Subject, time.GetUtcNow(), none));
        }

        return logins;
    }

    private static Problem? FindFault(LegacyIdentity request)
    {
        if (request.DeveloperUsers.Count + request.Logins.Count > IdentityRow.LoginsMax)
            return Problems.BadRequest("too-many", $"An identity has at most {IdentityRow.LoginsMax} logins.", "$.logins");
        if (request.Datasets.Count > DatasetsMax)
            return Problems.BadRequest("too-many", $"One call takes {DatasetsMax} datasets: send the rest next.", "$.datasets");
        if (request.Datasets.Any(static dataset => dataset is null || dataset.Records.Any(static record => record is null)))
            return Problems.BadRequest("wrong-value", "A dataset or record is null: leave it out.", "$.datasets");
        for (int i = 0; i < request.Datasets.Count; i++)
        {
            LegacyDatasetRequest dataset = request.Datasets[i];
            string path = FormattableString.Invariant($"$.datasets[{i}]");
            if (!SyncScopes.IsDatasetName(dataset.Name))
                return Problems.BadRequest("bad-name", SyncScopes.DatasetRule, path + ".name");
            if (dataset.Records.Count > RecordsMax)
                return Problems.BadRequest("too-many", $"A dataset has at most {RecordsMax} records.", path + ".records");
            if (dataset.Records.Any(static record => record.SyncCount < 1))
                return Problems.BadRequest("bad-count", "A record's syncCount is 1 or more.", path + ".records");
            if (dataset.Records.DistinctBy(static record => record.Key).Count() < dataset.Records.Count)
                return Problems.BadRequest("repeated-key", "A key is there twice: leave one out.", path + ".records");
            if (dataset.Records.Any(static record => record.Key.Length is 0 or > DatasetOperations.KeyLengthMax
                || Encoding.UTF8.GetByteCount(record.Key) > 4 * DatasetOperations.KeyLengthMax))
                return Problems.BadRequest("bad-key", "A key has 1 to 1,024 characters.", path + ".records");
        }

        return null;
    }
}

/// <summary>An identity of another service.</summary>
internal sealed record LegacyIdentity
{
    /// <summary>Whether it is a guest that is whoever knows its id. Default false: a developer key links its logins.</summary>
    public bool IsOpen { get; init; }

    /// <summary>Users of the pool's developer provider.</summary>
    public IReadOnlyList<string> DeveloperUsers { get; init; } = [];

    /// <summary>Other logins of which it is known whose they are.</summary>
    public IReadOnlyList<LegacyLogin> Logins { get; init; } = [];

    /// <summary>Providers of logins of which that is not known, as clients name them: the first login of one of them that is
    /// shown together with the identity's id belongs to it.</summary>
    public IReadOnlyList<string> AwaitedProviders { get; init; } = [];

    /// <summary>Its datasets.</summary>
    public IReadOnlyList<LegacyDatasetRequest> Datasets { get; init; } = [];
}

/// <summary>A login: the provider as clients name it, and who that says it is.</summary>
internal sealed record LegacyLogin(string Provider, string Subject);

/// <summary>A dataset of another service.</summary>
internal sealed record LegacyDatasetRequest
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its sync count; left out, the highest of its records.</summary>
    public long SyncCount { get; init; }

    /// <summary>All its records, removed ones too.</summary>
    public required IReadOnlyList<LegacyRecordRequest> Records { get; init; }
}

/// <summary>A record of another service.</summary>
internal sealed record LegacyRecordRequest
{
    /// <summary>Its key.</summary>
    public required string Key { get; init; }

    /// <summary>Its text; null or left out where it was removed.</summary>
    public string? Value { get; init; }

    /// <summary>Its sync count.</summary>
    public required long SyncCount { get; init; }

    /// <summary>When a device wrote it, in milliseconds since 1970; left out where that is not known.</summary>
    public long? DeviceLastModified { get; init; }

    public LegacyPatch ToPatch() => new(Key, Value, SyncCount, DeviceLastModified);
}

/// <summary>What became of an identity of another service.</summary>
internal sealed record LegacyIdentityAnswer(string IdentityId, bool IsNew, IReadOnlyList<LegacyDatasetAnswer> Datasets);

/// <summary>What became of its dataset.</summary>
internal sealed record LegacyDatasetAnswer(string Name, bool IsImported, bool IsChangedHere);
