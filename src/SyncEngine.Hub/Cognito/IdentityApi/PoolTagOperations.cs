using System.Text.Json.Nodes;

namespace SyncEngine.Hub.Cognito.IdentityApi;

/// <summary>The operations on the tags of a pool, and on the claims that would become tags of a principal. Both are kept and
/// shown; nothing here follows from them.</summary>
internal sealed class PoolTagOperations(CognitoPools pools) : ICognitoOperations
{
    private const string PoolMark = ":identitypool/";
    private const int ArnMax = 2048;
    private const int ArnMin = 20;
    private const int TagsMax = 50;
    private const int KeyMax = 128;
    private const int ValueMax = 256;

    public IEnumerable<CognitoOperation> Operations =>
    [
        new("TagResource", CognitoAccess.Developer, TagAsync),
        new("UntagResource", CognitoAccess.Developer, UntagAsync),
        new("ListTagsForResource", CognitoAccess.Developer, ListAsync),
        new("GetPrincipalTagAttributeMap", CognitoAccess.Developer, GetMapAsync),
        new("SetPrincipalTagAttributeMap", CognitoAccess.Developer, SetMapAsync),
    ];

    private async Task<JsonNode?> TagAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        if (request.Body.Object("Tags") is null) throw CognitoMembers.Missing("Tags");
        IReadOnlyDictionary<string, string> added = request.Body.Map("Tags", TagsMax, KeyMax, ValueMax);
        CognitoPool pool = await ByArnAsync(request, cancellationToken).ConfigureAwait(false);
        await ChangeAsync(pool, tags =>
        {
            foreach ((string key, string value) in added) tags[key] = value;
            if (tags.Count > TagsMax) throw CognitoException.InvalidParameter($"A resource has at most {TagsMax} tags.");
        }, cancellationToken).ConfigureAwait(false);
        return new JsonObject();
    }

    private async Task<JsonNode?> UntagAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> keys = request.Body.Texts("TagKeys", TagsMax, KeyMax) ?? throw CognitoMembers.Missing("TagKeys");
        CognitoPool pool = await ByArnAsync(request, cancellationToken).ConfigureAwait(false);
        await ChangeAsync(pool, tags =>
        {
            foreach (string key in keys) tags.Remove(key);
        }, cancellationToken).ConfigureAwait(false);
        return new JsonObject();
    }

    private async Task<JsonNode?> ListAsync(CognitoRequest request, CancellationToken cancellationToken) => new JsonObject
    {
        ["Tags"] = PoolMapping.Show((await ByArnAsync(request, cancellationToken).ConfigureAwait(false)).Row.Identity.Tags),
    };

    private async Task<JsonNode?> GetMapAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        (CognitoPool pool, string provider) = await MapOfAsync(request, cancellationToken).ConfigureAwait(false);
        CognitoPrincipalTags map = pool.Row.Identity.PrincipalTags.GetValueOrDefault(provider)
            ?? throw CognitoException.ResourceNotFound($"There is no map of principal tags for {provider}.");
        return Show(pool, provider, map);
    }

    private async Task<JsonNode?> SetMapAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        var map = new CognitoPrincipalTags(request.Body.Truth("UseDefaults") ?? false,
            request.Body.Map("PrincipalTags", TagsMax, KeyMax, ValueMax));
        (CognitoPool pool, string provider) = await MapOfAsync(request, cancellationToken).ConfigureAwait(false);
        await pools.ChangeAsync(pool.Definition, row => row with
        {
            Identity = row.Identity with
            {
                PrincipalTags = new Dictionary<string, CognitoPrincipalTags>(row.Identity.PrincipalTags) { [provider] = map },
            },
        }, cancellationToken).ConfigureAwait(false);
        return Show(pool, provider, map);
    }

    private static JsonObject Show(CognitoPool pool, string provider, CognitoPrincipalTags map) => new()
    {
        ["IdentityPoolId"] = pool.Id, ["IdentityProviderName"] = provider, ["UseDefaults"] = map.UsesDefaults,
        ["PrincipalTags"] = PoolMapping.Show(map.Tags),
    };

    private async Task<(CognitoPool Pool, string Provider)> MapOfAsync(
        CognitoRequest request, CancellationToken cancellationToken)
    {
        string id = request.Body.RequiredText("IdentityPoolId", CognitoIds.CharactersMax, CognitoPatterns.Id());
        string provider = request.Body.RequiredText("IdentityProviderName", 128);
        return (await pools.RequireAsync(id, cancellationToken).ConfigureAwait(false), provider);
    }

    private async Task<CognitoPool> ByArnAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        string arn = request.Body.RequiredText("ResourceArn", ArnMax, min: ArnMin);
        int mark = arn.IndexOf(PoolMark, StringComparison.Ordinal);
        if (!arn.StartsWith("arn:", StringComparison.Ordinal) || mark < 0)
            throw CognitoException.InvalidParameter($"{arn} is no ARN of an identity pool.");
        return await pools.RequireAsync(arn[(mark + PoolMark.Length)..], cancellationToken).ConfigureAwait(false);
    }

    private Task<CognitoPoolRow> ChangeAsync(
        CognitoPool pool, Action<Dictionary<string, string>> change, CancellationToken cancellationToken) =>
        pools.ChangeAsync(pool.Definition, row =>
        {
            var tags = new Dictionary<string, string>(row.Identity.Tags, StringComparer.Ordinal);
            change(tags);
            return row with { Identity = row.Identity with { Tags = tags } };
        }, cancellationToken);
}
