using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using SyncEngine.Hub.Pools;

namespace SyncEngine.Hub.Cognito.IdentityApi;

/// <summary>The operations on identity pools themselves.</summary>
internal sealed class PoolOperations(PoolRegistry registry, CognitoPools pools, IOptions<SyncHubOptions> options)
    : ICognitoOperations
{
    private const int PageMax = 60;
    private const int NameMax = 128;
    private const int NamesTriedMax = 1000;

    public IEnumerable<CognitoOperation> Operations =>
    [
        new("CreateIdentityPool", CognitoAccess.Developer, CreateAsync),
        new("UpdateIdentityPool", CognitoAccess.Developer, UpdateAsync),
        new("DescribeIdentityPool", CognitoAccess.Developer, DescribeAsync),
        new("DeleteIdentityPool", CognitoAccess.Developer, DeleteAsync),
        new("ListIdentityPools", CognitoAccess.Developer, ListAsync),
    ];

    /// <summary>Makes a pool as a call defines it.</summary>
    /// <param name="body">The call's body.</param>
    /// <param name="kept">The id that it keeps from another service; null for a new one.</param>
    /// <param name="cancellationToken">Ends the wait for other changes.</param>
    /// <exception cref="CognitoException">The hub does not take it.</exception>
    public async Task<CognitoPool> CreateAsync(
        JsonElement body, (string Region, Guid Id)? kept, CancellationToken cancellationToken)
    {
        string shown = body.RequiredText("IdentityPoolName", NameMax, CognitoPatterns.PoolName());
        for (int i = 1; i <= NamesTriedMax; i++)
        {
            string name = PoolMapping.HubName(shown, i == 1 ? "" : FormattableString.Invariant($"-{i}"));
            (IdentityPool definition, CognitoIdentitySetup setup) = PoolMapping.Read(
                body, new IdentityPool { Name = name }, new CognitoIdentitySetup { IsMadeHere = true },
                options.Value.Cognito.OpenIdConnectProviders);
            CognitoPool? made = await pools.CreateAsync(definition, row => row with
            {
                Id = kept?.Id ?? row.Id, Region = kept?.Region ?? row.Region, DisplayName = shown, Identity = setup,
            }, cancellationToken).ConfigureAwait(false);
            if (made is not null) return made;
        }

        throw CognitoException.ResourceConflict("There are too many identity pools of this name: choose another one.");
    }

    private async Task<JsonNode?> CreateAsync(CognitoRequest request, CancellationToken cancellationToken) =>
        PoolMapping.Show(await CreateAsync(request.Body, null, cancellationToken).ConfigureAwait(false));

    private async Task<JsonNode?> UpdateAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        string shown = request.Body.RequiredText("IdentityPoolName", NameMax, CognitoPatterns.PoolName());
        CognitoPool pool = await PoolAsync(request, cancellationToken).ConfigureAwait(false);
        (IdentityPool Definition, CognitoIdentitySetup Setup) Read(CognitoIdentitySetup setup) => PoolMapping.Read(
            request.Body, pool.Definition, setup, options.Value.Cognito.OpenIdConnectProviders);
        return PoolMapping.Show(await pools.ReplaceAsync(pool, Read(pool.Row.Identity).Definition, row => row with
        {
            DisplayName = shown, Identity = Read(row.Identity).Setup,
        }, cancellationToken).ConfigureAwait(false));
    }

    private async Task<JsonNode?> DescribeAsync(CognitoRequest request, CancellationToken cancellationToken) =>
        PoolMapping.Show(await PoolAsync(request, cancellationToken).ConfigureAwait(false));

    private async Task<JsonNode?> DeleteAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        CognitoPool pool = await PoolAsync(request, cancellationToken).ConfigureAwait(false);
        PoolResult result = await registry.DeleteAsync(
            pool.Name, isForced: true, there => there.CreatedAt == pool.Definition.CreatedAt, cancellationToken)
            .ConfigureAwait(false);
        if (result.Outcome != PoolOutcome.Done) throw CognitoPools.Refusal(result);
        await pools.RemoveAsync(pool.Name, cancellationToken).ConfigureAwait(false);
        return null;
    }

    private async Task<JsonNode?> ListAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        int limit = request.Body.Number("MaxResults", 1, PageMax) ?? throw CognitoMembers.Missing("MaxResults");
        string? after = NextTokens.Read(request.Body);
        IReadOnlyList<CognitoPool> found = await pools.ListAsync(after, limit + 1, cancellationToken).ConfigureAwait(false);
        var answer = new JsonObject
        {
            ["IdentityPools"] = new JsonArray([.. found.Take(limit).Select(static pool => (JsonNode)new JsonObject
            {
                ["IdentityPoolId"] = pool.Id, ["IdentityPoolName"] = pool.Row.DisplayName ?? pool.Name,
            })]),
        };
        if (found.Count > limit) answer["NextToken"] = NextTokens.Write(found[limit - 1].Name);
        return answer;
    }

    private async Task<CognitoPool> PoolAsync(CognitoRequest request, CancellationToken cancellationToken) =>
        await pools.RequireAsync(
            request.Body.RequiredText("IdentityPoolId", CognitoIds.CharactersMax, CognitoPatterns.Id()), cancellationToken)
            .ConfigureAwait(false);
}
