using System.Text.Json.Nodes;
using SyncEngine.Hub.Cognito.Signing;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Merging;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Cognito.IdentityApi;

/// <summary>The operations on identities.</summary>
internal sealed class IdentityOperations(
    IdentityAccess access, CognitoPools pools, IssuedCredentials credentials, OpenIdTokens tokens, IdentityDirectory directory,
    IdentityIndex index, IdentityRemoval removal) : ICognitoOperations
{
    private const int AccountMax = 15;
    private const int ArnMax = 2048;
    private const int ArnMin = 20;
    private const int DeleteMax = 60;

    /// <summary>How long tokens of <c>GetOpenIdToken</c> hold.</summary>
    public static readonly TimeSpan TokenLife = TimeSpan.FromMinutes(10);

    public IEnumerable<CognitoOperation> Operations =>
    [
        new("GetId", CognitoAccess.Anyone, GetIdAsync),
        new("GetCredentialsForIdentity", CognitoAccess.Anyone, GetCredentialsAsync),
        new("GetOpenIdToken", CognitoAccess.Anyone, GetOpenIdTokenAsync),
        new("UnlinkIdentity", CognitoAccess.Anyone, UnlinkAsync),
        new("DescribeIdentity", CognitoAccess.Developer, DescribeAsync),
        new("ListIdentities", CognitoAccess.Developer, ListAsync),
        new("DeleteIdentities", CognitoAccess.Developer, DeleteAsync),
    ];

    /// <summary>An identity as <c>DescribeIdentity</c> and <c>ListIdentities</c> show it.</summary>
    internal static JsonObject Show(CognitoPool pool, IdentityRow row)
    {
        DateTimeOffset modified = row.Logins.Select(static login => login.LinkedAt)
            .Concat(row.Merges.Select(static merge => merge.At)).Append(row.CreatedAt).Max();
        return new JsonObject
        {
            ["IdentityId"] = CognitoIds.Of(pool.Row.Region, row.Id),
            ["Logins"] = new JsonArray([.. row.Logins.Select(login => ProviderNames.Of(pool.Definition, login.Provider))
                .Distinct(StringComparer.Ordinal).Select(static name => (JsonNode)name)]),
            ["CreationDate"] = Seconds(row.CreatedAt), ["LastModifiedDate"] = Seconds(modified),
        };
    }

    private async Task<JsonNode?> GetIdAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        string poolId = request.Body.RequiredText("IdentityPoolId", CognitoIds.CharactersMax, CognitoPatterns.Id());
        request.Body.Text("AccountId", AccountMax, CognitoPatterns.Digits());
        IReadOnlyDictionary<string, string> logins = LoginProofs.Read(request.Body);
        CognitoPool pool = await pools.RequireAsync(poolId, cancellationToken).ConfigureAwait(false);
        IdentityRow row = await access.GetAsync(pool, logins, cancellationToken).ConfigureAwait(false);
        return new JsonObject { ["IdentityId"] = CognitoIds.Of(pool.Row.Region, row.Id) };
    }

    private async Task<JsonNode?> GetCredentialsAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        string? customArn = request.Body.Text("CustomRoleArn", ArnMax, min: ArnMin);
        (CognitoPool pool, IdentityRow row, ProvenLogins proven) = await EnterAsync(request, false, cancellationToken)
            .ConfigureAwait(false);
        string role = CognitoRoles.Choose(pool, row, proven, customArn);
        TemporaryCredentials issued = await credentials.IssueAsync(
            pool.Name, row.Id, role, row.IsGuest, IssuedCredentials.Life, cancellationToken).ConfigureAwait(false);
        return new JsonObject
        {
            ["IdentityId"] = CognitoIds.Of(pool.Row.Region, row.Id),
            ["Credentials"] = new JsonObject
            {
                ["AccessKeyId"] = issued.AccessKeyId, ["SecretKey"] = issued.SecretKey,
                ["SessionToken"] = issued.SessionToken, ["Expiration"] = issued.Expiration.ToUnixTimeSeconds(),
            },
        };
    }

    private async Task<JsonNode?> GetOpenIdTokenAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        (CognitoPool pool, IdentityRow row, ProvenLogins proven) = await EnterAsync(request, true, cancellationToken)
            .ConfigureAwait(false);
        string id = CognitoIds.Of(pool.Row.Region, row.Id);
        List<string> providers = [.. proven.Logins.Select(static login => login.Name)];
        if (proven.Self is not null) providers.Add(ProviderNames.Own);
        return new JsonObject
        {
            ["IdentityId"] = id,
            ["Token"] = await tokens.IssueAsync(pool, id, providers, TokenLife, cancellationToken).ConfigureAwait(false),
        };
    }

    private async Task<JsonNode?> UnlinkAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> names = request.Body.Texts("LoginsToRemove", LoginProofs.LoginsMax, 128,
            CognitoPatterns.ProviderName()) ?? throw CognitoMembers.Missing("LoginsToRemove");
        if (LoginProofs.Read(request.Body).Count == 0) throw CognitoMembers.Missing("Logins");
        string id = ReadId(request);
        (CognitoPool pool, IdentityRow row) = await access.RequireAsync(id, isOperator: false, cancellationToken)
            .ConfigureAwait(false);
        if (row.IsGuest) throw CognitoException.IdentityForbidden(id);
        (row, _) = await access.EnterAsync(pool, row, LoginProofs.Read(request.Body), cancellationToken).ConfigureAwait(false);
        await directory.UnlinkAsync(pool.Name, row.Id,
            login => names.Contains(ProviderNames.Of(pool.Definition, login.Provider)),
            "None of the logins to remove is linked to this identity.", force: true, cancellationToken).ConfigureAwait(false);
        return null;
    }

    private async Task<JsonNode?> DescribeAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        (CognitoPool pool, IdentityRow row) = await access.RequireAsync(ReadId(request), isOperator: true, cancellationToken)
            .ConfigureAwait(false);
        return Show(pool, row);
    }

    private async Task<JsonNode?> ListAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        string poolId = request.Body.RequiredText("IdentityPoolId", CognitoIds.CharactersMax, CognitoPatterns.Id());
        int limit = request.Body.Number("MaxResults", 1, DeleteMax) ?? throw CognitoMembers.Missing("MaxResults");
        bool hidesDisabled = request.Body.Truth("HideDisabled") ?? false;
        string? after = NextTokens.Read(request.Body);
        IdentityId? from = after is null ? null : IdentityText.TryParse(after, out IdentityId read) ? read
            : throw NextTokens.Wrong();
        CognitoPool pool = await pools.RequireAsync(poolId, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<IdentityRow> found = await directory.ListAsync(pool.Name, from, limit + 1, cancellationToken)
            .ConfigureAwait(false);
        var page = new JsonArray([.. found.Take(limit).Where(row => !hidesDisabled || row.State == IdentityState.Active)
            .Select(row => (JsonNode)Show(pool, row))]);
        var answer = new JsonObject { ["IdentityPoolId"] = pool.Id, ["Identities"] = page };
        if (found.Count > limit) answer["NextToken"] = NextTokens.Write(found[limit - 1].Id.ToString());
        return answer;
    }

    private async Task<JsonNode?> DeleteAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> named = request.Body.Texts("IdentityIdsToDelete", DeleteMax, CognitoIds.CharactersMax,
            CognitoPatterns.Id()) is { Count: > 0 } given ? given : throw CognitoMembers.Missing("IdentityIdsToDelete");
        var left = new JsonArray();
        foreach (string id in named.Distinct(StringComparer.Ordinal))
        {
            try
            {
                (CognitoPool pool, IdentityRow row) = await access.RequireAsync(id, isOperator: true, cancellationToken)
                    .ConfigureAwait(false);
                await removal.DeleteAsync(pool.Name, row.Id, cancellationToken).ConfigureAwait(false);
                await index.RemoveAsync(row.Id).ConfigureAwait(false);
            }
            catch (Exception e) when (e is CognitoException or DirectoryException)
            {
                left.Add(new JsonObject { ["IdentityId"] = id, ["ErrorCode"] = "AccessDenied" });
            }
        }

        return new JsonObject { ["UnprocessedIdentityIds"] = left };
    }

    private async Task<(CognitoPool Pool, IdentityRow Row, ProvenLogins Proven)> EnterAsync(
        CognitoRequest request, bool isClassic, CancellationToken cancellationToken)
    {
        string id = ReadId(request);
        IReadOnlyDictionary<string, string> logins = LoginProofs.Read(request.Body);
        (CognitoPool pool, IdentityRow row) = await access.RequireAsync(id, isOperator: false, cancellationToken)
            .ConfigureAwait(false);
        if (isClassic && !pool.AllowsClassicFlow)
            throw CognitoException.InvalidParameter("Basic (classic) flow is not enabled, please use enhanced flow.");
        (row, ProvenLogins proven) = await access.EnterAsync(pool, row, logins, cancellationToken).ConfigureAwait(false);
        return (pool, row, proven);
    }

    private static string ReadId(CognitoRequest request) =>
        request.Body.RequiredText("IdentityId", CognitoIds.CharactersMax, CognitoPatterns.Id());

    private static double Seconds(DateTimeOffset time) => Math.Round(time.ToUnixTimeMilliseconds() / 1000.0, 3);
}
