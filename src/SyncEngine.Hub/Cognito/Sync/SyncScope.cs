using SyncEngine.Hub.Accounts;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Merging;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;
using SyncEngine.Policies;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>The identity that a request is about, which the caller may reach.</summary>
/// <param name="Caller">Who asks.</param>
/// <param name="Pool">The identity's pool.</param>
/// <param name="Row">The identity.</param>
internal sealed record SyncScope(CognitoCaller Caller, CognitoPool Pool, IdentityRow Row)
{
    private PolicyContext? _context;

    public IdentityId Id => Row.Id;

    /// <summary>The identity's id as clients write it.</summary>
    public string WireId => CognitoIds.Of(Pool.Row.Region, Row.Id);

    public SessionLimits Limits => PoolAccess.LimitsOf(Pool.Definition);

    /// <summary>A dataset's name on the hub: that of a merged identity ends in its id as the hub writes it.</summary>
    public string HubName(string wireName)
    {
        foreach (IdentityId source in Merged)
        {
            string suffix = "." + CognitoIds.Of(Pool.Row.Region, source);
            if (wireName.Length > suffix.Length && wireName.EndsWith(suffix, StringComparison.Ordinal))
                return IdentityMerging.NameOf(wireName[..^suffix.Length], source);
        }

        return wireName;
    }

    /// <summary>A dataset's name as clients write it.</summary>
    public string WireName(string hubName)
    {
        foreach (IdentityId source in Merged)
        {
            string suffix = "." + source;
            if (hubName.Length > suffix.Length && hubName.EndsWith(suffix, StringComparison.Ordinal))
                return $"{hubName[..^suffix.Length]}.{CognitoIds.Of(Pool.Row.Region, source)}";
        }

        return hubName;
    }

    /// <summary>The names on the hub that datasets of merged identities would have beside a dataset.</summary>
    public IEnumerable<string> MergedNames(string hubName) => Merged.Select(source => IdentityMerging.NameOf(hubName, source));

    /// <summary>Checks that the caller's policy lets it do something with a dataset; a developer key may do everything.</summary>
    /// <exception cref="CognitoException">It does not.</exception>
    public void Check(string action, string dataset)
    {
        if (!Allows(action, dataset)) throw CognitoException.NotAuthorized(
            $"The policy of role {Caller.Role} does not allow {action} on dataset {dataset}.");
    }

    /// <summary>Whether the caller may be told of a dataset.</summary>
    public bool MayRead(string dataset) => Allows("dataset:read", dataset);

    private bool Allows(string action, string dataset)
    {
        if (Caller.IsDeveloper) return true;
        CompiledPool compiled = CompiledPool.Of(Pool.Definition);
        string role = Caller.Role;
        _context ??= new PolicyContext
        {
            IdentityId = Row.Id.ToString(), Pool = Pool.Name, Role = role, Claims = PoolAccess.ClaimsOf(Row),
        };
        return Pool.Definition.Roles.ContainsKey(role)
            && compiled.Allows(role, Row.IsGuest, action, $"identity/{Row.Id}/dataset/{dataset}", _context);
    }

    private IEnumerable<IdentityId> Merged => Row.Merges.Where(static merge => !merge.IsUndone)
        .Select(static merge => merge.Source);
}

/// <summary>Finds what a request is about and whether its caller may reach it.</summary>
internal sealed class SyncScopes(CognitoPools pools, CognitoIds ids, IdentityDirectory directory)
{
    /// <summary>The pool of the path.</summary>
    /// <exception cref="CognitoException">There is none, or the caller's credentials are of another.</exception>
    public async ValueTask<CognitoPool> PoolAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        string id = request.Path["pool"];
        CognitoPool? pool = await pools.FindAsync(id, cancellationToken).ConfigureAwait(false);
        if (!request.Signer.IsDeveloper && pool?.Name != request.Signer.Pool)
            throw CognitoException.NotAuthorized($"These credentials are not of identity pool '{id}'.");
        if (pool is not null) return pool;
        if (!CognitoIds.IsShaped(id)) throw CognitoException.InvalidParameter($"'{id}' is no identity pool id.");
        throw CognitoException.PoolNotFound(id);
    }

    /// <summary>The identity of the path. An identity's credentials reach that identity alone; a developer key reaches
    /// all.</summary>
    /// <exception cref="CognitoException">There is none, it is shut out, or the caller may not reach it.</exception>
    public async ValueTask<SyncScope> IdentityAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        CognitoPool pool = await PoolAsync(request, cancellationToken).ConfigureAwait(false);
        string text = request.Path["identity"];
        bool isId = ids.TryParse(text, out string region, out Guid guid) && region == pool.Row.Region;
        IdentityId id = CognitoIds.IdentityOf(guid);
        if (!request.Signer.IsDeveloper && (!isId || id != request.Signer.Id)) throw CognitoException.IdentityForbidden(text);
        if (!isId && !CognitoIds.IsShaped(text)) throw CognitoException.InvalidParameter($"'{text}' is no identity id.");
        IdentityRow? row = isId ? await directory.FindAsync(pool.Name, id, cancellationToken).ConfigureAwait(false) : null;
        return row?.State switch
        {
            null => throw CognitoException.IdentityNotFound(text),
            IdentityState.Active => new SyncScope(request.Signer, pool, row),
            _ => throw CognitoException.IdentityForbidden(text),
        };
    }

    /// <summary>The dataset of the path by its name on the hub.</summary>
    /// <exception cref="CognitoException">It is no name of a dataset.</exception>
    public static string DatasetOf(CognitoRequest request, SyncScope scope)
    {
        string name = request.Path["dataset"], known = scope.HubName(name);
        return IsDatasetName(known) ? known : throw CognitoException.InvalidParameter(DatasetRule);
    }

    public const string DatasetRule =
        "A dataset's name has 1 to 128 of the characters a-z A-Z 0-9 _ . : - and is neither \".\" nor \"..\".";

    /// <summary>Whether it can be a dataset's name.</summary>
    public static bool IsDatasetName(string name) => name.Length is > 0 and <= DatasetNames.LengthMax && name is not ("." or "..")
        && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or ':' or '-');
}
