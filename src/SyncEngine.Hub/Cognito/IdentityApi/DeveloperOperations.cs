using System.Text.Json.Nodes;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Merging;
using SyncEngine.Hub.Tokens;

namespace SyncEngine.Hub.Cognito.IdentityApi;

/// <summary>The operations by which an app's backend vouches for its own users.</summary>
internal sealed class DeveloperOperations(
    IdentityAccess access, CognitoPools pools, OpenIdTokens tokens, LoginProofs proofs, IdentityDirectory directory,
    IdentityIndex index, IdentityMerging merging, TimeProvider time) : ICognitoOperations
{
    private const int UserMax = 1024;
    private const int ProviderMax = 128;
    private const int TokenSecondsDefault = 15 * 60;
    private const int TagsMax = 50;
    private const int PageMax = 60;

    public IEnumerable<CognitoOperation> Operations =>
    [
        new("GetOpenIdTokenForDeveloperIdentity", CognitoAccess.Developer, GetTokenAsync),
        new("LookupDeveloperIdentity", CognitoAccess.Developer, LookupAsync),
        new("MergeDeveloperIdentities", CognitoAccess.Developer, MergeAsync),
        new("UnlinkDeveloperIdentity", CognitoAccess.Developer, UnlinkAsync),
    ];

    private async Task<JsonNode?> GetTokenAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        CognitoPool pool = await PoolAsync(request, cancellationToken).ConfigureAwait(false);
        string? identityId = request.Body.Text("IdentityId", CognitoIds.CharactersMax, CognitoPatterns.Id());
        int seconds = request.Body.Number("TokenDuration", 1, (int)SigningKeys.SignedLifeMax.TotalSeconds) ?? TokenSecondsDefault;
        request.Body.Map("PrincipalTags", TagsMax, 128, 256);
        IReadOnlyDictionary<string, string> shown = LoginProofs.Read(request.Body);
        if (shown.Count == 0) throw CognitoMembers.Missing("Logins");
        string provider = pool.Row.Identity.DeveloperProviderName
            ?? throw CognitoException.InvalidParameter("This identity pool has no developer provider: set one when creating it.");
        if (!shown.TryGetValue(provider, out string? user))
            throw CognitoException.InvalidParameter($"Please provide a login of the developer provider {provider}.");
        CognitoMembers.CheckText(user, "Logins." + provider, UserMax, null, 1);
        ProvenLogins proven = await proofs.ProveAsync(
            pool, shown.Where(login => login.Key != provider).ToDictionary(StringComparer.Ordinal), cancellationToken)
            .ConfigureAwait(false);
        var own = new LoginRow(provider, user, time.GetUtcNow(), new Dictionary<string, IReadOnlyList<string>>());
        var together = new ProvenLogins([new ProvenLogin(provider, own, null), .. proven.Logins], null);
        IdentityRow row = identityId is null
            ? await access.GetProvenAsync(pool, together, cancellationToken).ConfigureAwait(false)
            : await LinkAsync(pool, identityId, own, together, cancellationToken).ConfigureAwait(false);
        string id = CognitoIds.Of(pool.Row.Region, row.Id);
        return new JsonObject
        {
            ["IdentityId"] = id,
            ["Token"] = await tokens.IssueAsync(pool, id, [provider, .. proven.Logins.Select(static login => login.Name)],
                TimeSpan.FromSeconds(seconds), cancellationToken).ConfigureAwait(false),
        };
    }

    private async Task<IdentityRow> LinkAsync(
        CognitoPool pool, string identityId, LoginRow own, ProvenLogins together, CancellationToken cancellationToken)
    {
        IdentityRow row = await RequireAsync(pool, identityId, cancellationToken).ConfigureAwait(false);
        if (row.State != IdentityState.Active) throw CognitoException.IdentityForbidden(identityId);
        IdentityRow? owner = await directory.FindByLoginAsync(pool.Name, own.Provider, own.Subject, cancellationToken)
            .ConfigureAwait(false);
        if (owner is not null && owner.Id != row.Id) throw CognitoException.DeveloperUserAlreadyRegistered(
            "The developer user is already registered with another identity.");
        return await access.LinkToAsync(pool, row, together, cancellationToken).ConfigureAwait(false);
    }

    private async Task<JsonNode?> LookupAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        CognitoPool pool = await PoolAsync(request, cancellationToken).ConfigureAwait(false);
        string? identityId = request.Body.Text("IdentityId", CognitoIds.CharactersMax, CognitoPatterns.Id());
        string? user = request.Body.Text("DeveloperUserIdentifier", UserMax);
        int limit = request.Body.Number("MaxResults", 1, PageMax) ?? PageMax;
        string? after = NextTokens.Read(request.Body);
        if (identityId is null && user is null)
            throw CognitoException.InvalidParameter("Please provide either an IdentityId or a DeveloperUserIdentifier.");
        string provider = pool.Row.Identity.DeveloperProviderName ?? "";
        IdentityRow? row = identityId is null ? null
            : await RequireAsync(pool, identityId, cancellationToken).ConfigureAwait(false);
        if (user is not null)
        {
            IdentityRow? owner = await directory.FindByLoginAsync(pool.Name, provider, user, cancellationToken)
                .ConfigureAwait(false) ?? throw UserNotFound(user);
            if (row is not null && row.Id != owner.Id) throw CognitoException.ResourceConflict(
                "The developer user is registered with another identity.");
            row = owner;
        }

        IEnumerable<string> users = row!.Logins.Where(login => login.Provider == provider)
            .Select(static login => login.Subject).Order(StringComparer.Ordinal);
        List<string> page = identityId is not null && user is not null ? [user]
            : [.. users.Where(known => after is null || string.CompareOrdinal(known, after) > 0).Take(limit + 1)];
        var answer = new JsonObject
        {
            ["IdentityId"] = CognitoIds.Of(pool.Row.Region, row.Id),
            ["DeveloperUserIdentifierList"] = new JsonArray([.. page.Take(limit).Select(static known => (JsonNode)known)]),
        };
        if (page.Count > limit) answer["NextToken"] = NextTokens.Write(page[limit - 1]);
        return answer;
    }

    private async Task<JsonNode?> MergeAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        string from = request.Body.RequiredText("SourceUserIdentifier", UserMax);
        string to = request.Body.RequiredText("DestinationUserIdentifier", UserMax);
        string provider = Provider(request);
        CognitoPool pool = await PoolAsync(request, cancellationToken).ConfigureAwait(false);
        CheckProvider(pool, provider);
        if (from == to) throw CognitoException.InvalidParameter("Source and destination are the same user: name two.");
        IdentityRow source = await FindUserAsync(pool, provider, from, cancellationToken).ConfigureAwait(false);
        IdentityRow destination = await FindUserAsync(pool, provider, to, cancellationToken).ConfigureAwait(false);
        if (source.Id != destination.Id)
        {
            if (source.Logins.Where(login => login.Provider != provider).Select(static login => login.Provider)
                .Intersect(destination.Logins.Select(static login => login.Provider), StringComparer.Ordinal).Any())
                throw CognitoException.ResourceConflict("Both users are linked to the same public provider: unlink one first.");
            if (source.Logins.Count + destination.Logins.Count > IdentityRow.LoginsMax)
                throw CognitoException.LimitExceeded($"Together they would have more than {IdentityRow.LoginsMax} logins.");
            destination = await merging.MergeAsync(pool.Name, source.Id, destination.Id, MergeMode.Manual, null,
                mayHaveLogins: true, cancellationToken).ConfigureAwait(false);
            await index.NoteAsync(pool.Name, destination.Id, cancellationToken).ConfigureAwait(false);
        }

        return new JsonObject { ["IdentityId"] = CognitoIds.Of(pool.Row.Region, destination.Id) };
    }

    private async Task<JsonNode?> UnlinkAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        string identityId = request.Body.RequiredText("IdentityId", CognitoIds.CharactersMax, CognitoPatterns.Id());
        string user = request.Body.RequiredText("DeveloperUserIdentifier", UserMax);
        string provider = Provider(request);
        CognitoPool pool = await PoolAsync(request, cancellationToken).ConfigureAwait(false);
        CheckProvider(pool, provider);
        IdentityRow row = await RequireAsync(pool, identityId, cancellationToken).ConfigureAwait(false);
        IdentityRow owner = await FindUserAsync(pool, provider, user, cancellationToken).ConfigureAwait(false);
        if (owner.Id != row.Id) throw CognitoException.ResourceConflict(
            "The developer user is registered with another identity.");
        await directory.UnlinkAsync(pool.Name, row.Id, login => login.Provider == provider && login.Subject == user,
            $"The user {user} is not linked to this identity.", force: true, cancellationToken).ConfigureAwait(false);
        return null;
    }

    private async Task<CognitoPool> PoolAsync(CognitoRequest request, CancellationToken cancellationToken) =>
        await pools.RequireAsync(
            request.Body.RequiredText("IdentityPoolId", CognitoIds.CharactersMax, CognitoPatterns.Id()), cancellationToken)
            .ConfigureAwait(false);

    private async Task<IdentityRow> RequireAsync(CognitoPool pool, string identityId, CancellationToken cancellationToken)
    {
        (CognitoPool found, IdentityRow row) = await access.RequireAsync(identityId, isOperator: true, cancellationToken)
            .ConfigureAwait(false);
        return found.Name == pool.Name ? row : throw CognitoException.IdentityNotFound(identityId);
    }

    private async Task<IdentityRow> FindUserAsync(
        CognitoPool pool, string provider, string user, CancellationToken cancellationToken) =>
        await directory.FindByLoginAsync(pool.Name, provider, user, cancellationToken).ConfigureAwait(false)
            ?? throw UserNotFound(user);

    private static string Provider(CognitoRequest request) =>
        request.Body.RequiredText("DeveloperProviderName", ProviderMax, CognitoPatterns.DeveloperProvider());

    private static void CheckProvider(CognitoPool pool, string provider)
    {
        if (pool.Row.Identity.DeveloperProviderName != provider)
            throw CognitoException.InvalidParameter($"{provider} is not the developer provider of this identity pool.");
    }

    private static CognitoException UserNotFound(string user) =>
        CognitoException.ResourceNotFound($"The developer user {user} is not registered.");
}
