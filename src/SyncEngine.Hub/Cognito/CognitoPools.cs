using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Rows;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Cognito;

/// <summary>A pool as this API knows it: the hub's definition and what only this API has.</summary>
internal sealed record CognitoPool(IdentityPool Definition, CognitoPoolRow Row)
{
    /// <summary>The hub's name of the pool.</summary>
    public string Name => Definition.Name;

    /// <summary>The pool's id as clients write it.</summary>
    public string Id => CognitoIds.Of(Row.Region, Row.Id);

    /// <summary>Whether a token may be exchanged for a role by its ARN; pools that were made elsewhere do not say.</summary>
    public bool AllowsClassicFlow => Row.Identity is not { IsMadeHere: true, AllowClassicFlow: not true };
}

/// <summary>
/// The pools of the hub under the ids of this API, with the settings that only this API has, in rows <c>cognito/pool/NAME</c>. A
/// pool that was made elsewhere gets an id when this API first meets it. Thread-safe.
/// </summary>
internal sealed class CognitoPools(PoolRegistry pools, HubRows rows, CognitoIds ids) : IDisposable
{
    private const string Prefix = "cognito/pool/";
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly SemaphoreSlim _defining = new(1, 1);
    private readonly ConcurrentDictionary<string, CognitoPoolRow> _byName = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Guid, string> _names = new();
    private volatile bool _isLoaded;

    /// <summary>The pool of an id as a client writes it; null if there is none.</summary>
    public async ValueTask<CognitoPool?> FindAsync(string poolId, CancellationToken cancellationToken = default)
    {
        if (!ids.TryParse(poolId, out string region, out Guid id)) return null;
        await LoadAsync(cancellationToken).ConfigureAwait(false);
        if (!_names.TryGetValue(id, out string? name)) return null;
        CognitoPool? found = await FindByNameAsync(name, cancellationToken).ConfigureAwait(false);
        return found?.Row.Id == id && found.Row.Region == region ? found : null;
    }

    /// <summary>The pool of an id as a client writes it.</summary>
    /// <exception cref="CognitoException">The id is malformed, or there is no such pool.</exception>
    public async ValueTask<CognitoPool> RequireAsync(string poolId, CancellationToken cancellationToken = default) =>
        await FindAsync(poolId, cancellationToken).ConfigureAwait(false) ?? throw CognitoException.PoolNotFound(poolId);

    /// <summary>The pool of a hub's name, which gets an id if it has none; null if there is no such pool.</summary>
    public async ValueTask<CognitoPool?> FindByNameAsync(string name, CancellationToken cancellationToken = default)
    {
        if (await pools.FindAsync(name, cancellationToken).ConfigureAwait(false) is not { } definition) return null;
        await LoadAsync(cancellationToken).ConfigureAwait(false);
        if (_byName.TryGetValue(name, out CognitoPoolRow? row) && row.CreatedAt == definition.CreatedAt)
            return new CognitoPool(definition, row);
        row = await ChangeAsync(definition, static row => row, cancellationToken).ConfigureAwait(false);
        return new CognitoPool(definition, row);
    }

    /// <summary>An identity's id as clients write it; with the hub's own region where its pool is gone.</summary>
    public async ValueTask<string> WireIdAsync(string name, IdentityId id, CancellationToken cancellationToken = default) =>
        CognitoIds.Of((await FindByNameAsync(name, cancellationToken).ConfigureAwait(false))?.Row.Region ?? ids.Region, id);

    /// <summary>All pools in the order of the hub's names, each with an id.</summary>
    public async ValueTask<IReadOnlyList<CognitoPool>> ListAsync(
        string? after, int limit, CancellationToken cancellationToken = default)
    {
        var found = new List<CognitoPool>();
        foreach (IdentityPool pool in await pools.ListAsync(after, limit, cancellationToken).ConfigureAwait(false))
        {
            if (await FindByNameAsync(pool.Name, cancellationToken).ConfigureAwait(false) is { } known) found.Add(known);
        }

        return found;
    }

    /// <summary>The pools that this API has met; others get no id by that.</summary>
    public async ValueTask<IReadOnlyList<CognitoPool>> MetAsync(CancellationToken cancellationToken = default)
    {
        await LoadAsync(cancellationToken).ConfigureAwait(false);
        var found = new List<CognitoPool>();
        foreach ((string name, CognitoPoolRow row) in _byName)
        {
            IdentityPool? definition = await pools.FindAsync(name, cancellationToken).ConfigureAwait(false);
            if (definition?.CreatedAt == row.CreatedAt) found.Add(new CognitoPool(definition, row));
        }

        return found;
    }

    /// <summary>Changes what only this API has of a pool; durable before anyone sees it. One change at a time.</summary>
    public async Task<CognitoPoolRow> ChangeAsync(
        IdentityPool definition, Func<CognitoPoolRow, CognitoPoolRow> change, CancellationToken cancellationToken = default)
    {
        await LoadAsync(cancellationToken).ConfigureAwait(false);
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            CognitoPoolRow? known = _byName.GetValueOrDefault(definition.Name);
            bool isNew = known is null || known.CreatedAt != definition.CreatedAt;

            // A pool of the same name that was made anew is another pool.
            CognitoPoolRow row = isNew ? NewRow(definition) : known!;
            CognitoPoolRow changed = change(row);
            if (!isNew && changed == row) return row;
            await rows.WriteAsync(Encode(definition.Name, changed)).ConfigureAwait(false);
            if (known is not null) _names.TryRemove(known.Id, out _);
            Note(definition.Name, changed);
            return changed;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Makes a pool together with what only this API has of it.</summary>
    /// <param name="definition">The whole definition.</param>
    /// <param name="change">Makes the row of one that has an id alone.</param>
    /// <param name="cancellationToken">Ends the wait for other changes.</param>
    /// <returns>The pool; null if there is one of that name.</returns>
    /// <exception cref="CognitoException">The hub does not take it.</exception>
    public async Task<CognitoPool?> CreateAsync(
        IdentityPool definition, Func<CognitoPoolRow, CognitoPoolRow> change, CancellationToken cancellationToken)
    {
        await LoadAsync(cancellationToken).ConfigureAwait(false);
        await _defining.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            CognitoPoolRow? row = null;
            PoolResult result = await pools.CreateAsync(definition, made =>
            {
                row = change(NewRow(made));
                Note(made.Name, row);
                return Encode(made.Name, row);
            }, cancellationToken).ConfigureAwait(false);
            return result.Outcome switch
            {
                PoolOutcome.Done => new CognitoPool(result.Pool!, row!), // Both are there when it is done.
                PoolOutcome.Exists => null,
                _ => throw Refusal(result),
            };
        }
        finally
        {
            _defining.Release();
        }
    }

    /// <summary>Puts a definition in the place of a pool's, and changes what only this API has with it; no other such change
    /// comes in between.</summary>
    /// <param name="pool">The pool as it was seen.</param>
    /// <param name="definition">The whole definition.</param>
    /// <param name="change">Makes the row of the row as it is by then.</param>
    /// <param name="cancellationToken">Ends the wait for other changes.</param>
    /// <exception cref="CognitoException">The hub does not take it, or the pool was changed since.</exception>
    public async Task<CognitoPool> ReplaceAsync(CognitoPool pool, IdentityPool definition,
        Func<CognitoPoolRow, CognitoPoolRow> change, CancellationToken cancellationToken)
    {
        await _defining.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            PoolResult result = await pools.ReplaceAsync(
                definition, there => there.EntityTag == pool.Definition.EntityTag, cancellationToken).ConfigureAwait(false);
            if (result is not { Outcome: PoolOutcome.Done, Pool: { } changed }) throw Refusal(result);
            return new CognitoPool(changed, await ChangeAsync(changed, change, CancellationToken.None).ConfigureAwait(false));
        }
        finally
        {
            _defining.Release();
        }
    }

    /// <summary>What the hub refused, in this API's words.</summary>
    public static CognitoException Refusal(PoolResult result) => result.Outcome switch
    {
        PoolOutcome.Invalid => CognitoException.InvalidParameter(
            $"The hub does not take this: {result.Fault?.Path} {result.Fault?.Advice}"),
        PoolOutcome.Full => CognitoException.LimitExceeded("There are as many identity pools as there may be: delete one first."),
        PoolOutcome.NotFound => CognitoException.ResourceNotFound("The identity pool is gone."),
        _ => CognitoException.ConcurrentModification("The identity pool was changed meanwhile: describe it, and try again."),
    };

    /// <summary>Forgets what only this API has of a pool that is gone.</summary>
    public async Task RemoveAsync(string name, CancellationToken cancellationToken = default)
    {
        await LoadAsync(cancellationToken).ConfigureAwait(false);
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await rows.WriteAsync(KeyValuePair.Create(Prefix + name, (byte[]?)null)).ConfigureAwait(false);
            if (_byName.TryRemove(name, out CognitoPoolRow? gone)) _names.TryRemove(gone.Id, out _);
        }
        finally
        {
            _changing.Release();
        }
    }

    public void Dispose()
    {
        _changing.Dispose();
        _defining.Dispose();
    }

    private CognitoPoolRow NewRow(IdentityPool definition) => new()
    {
        Id = new Guid(RandomNumberGenerator.GetBytes(16)), Region = ids.Region, CreatedAt = definition.CreatedAt,
    };

    private void Note(string name, CognitoPoolRow row)
    {
        _byName[name] = row;
        _names[row.Id] = name;
    }

    private static KeyValuePair<string, byte[]?> Encode(string name, CognitoPoolRow row) =>
        new(Prefix + name, JsonSerializer.SerializeToUtf8Bytes(row, CognitoPoolRow.Json));

    private async ValueTask LoadAsync(CancellationToken cancellationToken)
    {
        if (_isLoaded) return;
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_isLoaded) return;
            foreach ((string key, byte[] bytes) in await rows.ReadRangeAsync(Prefix, null, int.MaxValue, cancellationToken)
                .ConfigureAwait(false))
            {
                CognitoPoolRow row = JsonSerializer.Deserialize<CognitoPoolRow>(bytes, CognitoPoolRow.Json)
                    ?? throw new InvalidDataException($"The row {key} is empty.");
                Note(key[Prefix.Length..], row);
            }

            _isLoaded = true;
        }
        finally
        {
            _changing.Release();
        }
    }
}

/// <summary>What only this API has of a pool. Immutable; what is null was never set.</summary>
internal sealed record CognitoPoolRow
{
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    };

    public required Guid Id { get; init; }

    public required string Region { get; init; }

    /// <summary>When the hub's pool was made: another time means another pool of the same name.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The name that this API shows; null for the hub's name.</summary>
    public string? DisplayName { get; init; }

    /// <summary>What the Identity API has beside the hub's definition.</summary>
    public CognitoIdentitySetup Identity { get; init; } = new();

    /// <summary>The set-up of the Sync API (push, streams, events, bulk publish) as that API writes it.</summary>
    public JsonElement? Sync { get; init; }
}
