using System.Collections.Immutable;
using System.Text.Json;
using SyncEngine.Hub.Rows;

namespace SyncEngine.Hub.Pools;

/// <summary>
/// The pools of a hub. All of them are in memory, at most <see cref="PoolsMax"/> definitions of at most 256 KiB each, read
/// from the
/// rows at the first use; a change is durable before anyone sees it. Thread-safe.
/// </summary>
internal sealed class PoolRegistry(HubRows rows, TimeProvider clock) : IDisposable
{
    public const int PoolsMax = 1000;

    private const string Prefix = "pool/";
    private const int PageRows = 100;

    /// <summary>How often identities that came in while their pool was being emptied are removed once more.</summary>
    private const int EmptyingRoundsMax = 3;

    private readonly SemaphoreSlim _changing = new(1, 1);
    private volatile ImmutableSortedDictionary<string, IdentityPool>? _pools;

    /// <summary>
    /// Told after each change, in order: the name, and the pool as it is now or null. Handlers must be quick, may not throw
    /// and may
    /// not change pools.
    /// </summary>
    public event Action<string, IdentityPool?>? Changed;

    /// <summary>Removes all identities of a pool with all that belongs to them, for a forced delete.</summary>
    public Func<string, CancellationToken, Task>? RemoveIdentities { get; set; }

    /// <summary>Removes what else belongs to a pool that is deleted, once it has no identities.</summary>
    public Func<string, CancellationToken, Task> RemoveRest { get; set; } = static (_, _) => Task.CompletedTask;

    private ImmutableSortedDictionary<string, IdentityPool> Loaded =>
        _pools ?? throw new InvalidOperationException("Load the pools first.");

    /// <summary>The pool of a name; null if there is none. After the first use this never waits.</summary>
    public async ValueTask<IdentityPool?> FindAsync(string name, CancellationToken cancellationToken = default) =>
        (_pools ?? await LoadAsync(cancellationToken).ConfigureAwait(false)).GetValueOrDefault(name);

    /// <summary>The pool of a name if the pools are in memory already.</summary>
    public IdentityPool? Peek(string name) => _pools?.GetValueOrDefault(name);

    /// <summary>Pools in the order of their names.</summary>
    /// <param name="after">Only names above this one; null for all.</param>
    /// <param name="limit">Most pools returned.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<IReadOnlyList<IdentityPool>> ListAsync(
        string? after, int limit, CancellationToken cancellationToken = default) =>
        [.. (_pools ?? await LoadAsync(cancellationToken).ConfigureAwait(false)).Values
            .Where(pool => after is null || string.CompareOrdinal(pool.Name, after) > 0).Take(limit)];

    /// <summary>Makes a pool.</summary>
    /// <param name="definition">The whole definition.</param>
    /// <param name="beside">Told of the pool before anyone sees it, says which row is written with it; null for none.</param>
    /// <param name="cancellationToken">Ends the wait for other changes.</param>
    public async Task<PoolResult> CreateAsync(IdentityPool definition,
        Func<IdentityPool, KeyValuePair<string, byte[]?>>? beside = null, CancellationToken cancellationToken = default)
    {
        if (PoolCheck.Find(definition) is { } fault) return new PoolResult(PoolOutcome.Invalid, Fault: fault);
        await LoadAsync(cancellationToken).ConfigureAwait(false);
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Loaded.TryGetValue(definition.Name, out IdentityPool? there)) return new PoolResult(PoolOutcome.Exists, there);
            if (Loaded.Count >= PoolsMax) return new PoolResult(PoolOutcome.Full);
            return await StoreAsync(definition, clock.GetUtcNow(), revision: 1, beside).ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Puts a definition in the place of the one there, whose secrets stay where the new one leaves them out.</summary>
    /// <param name="definition">The whole definition.</param>
    /// <param name="isExpected">Whether the pool is still what the caller saw.</param>
    /// <param name="cancellationToken">Ends the wait for other changes.</param>
    public async Task<PoolResult> ReplaceAsync(
        IdentityPool definition, Func<IdentityPool, bool> isExpected, CancellationToken cancellationToken = default)
    {
        if (PoolCheck.Find(definition) is { } fault) return new PoolResult(PoolOutcome.Invalid, Fault: fault);
        await LoadAsync(cancellationToken).ConfigureAwait(false);
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!Loaded.TryGetValue(definition.Name, out IdentityPool? there)) return new PoolResult(PoolOutcome.NotFound);
            if (!isExpected(there)) return new PoolResult(PoolOutcome.Changed, there);
            if (KeptSecrets.Find(definition, there) is { } asked) return new PoolResult(PoolOutcome.Invalid, there, asked);
            return await StoreAsync(KeptSecrets.Fill(definition, there), there.CreatedAt, there.Revision + 1)
                .ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>
    /// Deletes a pool. From its begin nobody finds the pool, so that nobody joins it; if it fails the pool is back, perhaps with
    /// fewer identities, and may be deleted again.
    /// </summary>
    /// <param name="name">The pool's name.</param>
    /// <param name="isForced">Whether its identities go with it; otherwise it must have none.</param>
    /// <param name="isExpected">Whether the pool is still what the caller saw.</param>
    /// <param name="cancellationToken">Ends the removal of identities.</param>
    public async Task<PoolResult> DeleteAsync(
        string name, bool isForced, Func<IdentityPool, bool> isExpected, CancellationToken cancellationToken = default)
    {
        await LoadAsync(cancellationToken).ConfigureAwait(false);
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!Loaded.TryGetValue(name, out IdentityPool? there)) return new PoolResult(PoolOutcome.NotFound);
            if (!isExpected(there)) return new PoolResult(PoolOutcome.Changed, there);
            if (!isForced && !await IsEmptyAsync(name, cancellationToken).ConfigureAwait(false))
                return new PoolResult(PoolOutcome.NotEmpty, there);
            Publish(name, null);
            bool isGone = false;
            try
            {
                isGone = await EmptyAsync(name, isForced, cancellationToken).ConfigureAwait(false);
                if (isGone)
                {
                    await RemoveRest(name, cancellationToken).ConfigureAwait(false);
                    await rows.WriteAsync(KeyValuePair.Create(Prefix + name, (byte[]?)null)).ConfigureAwait(false);
                }
            }
            catch
            {
                isGone = false;
                throw;
            }
            finally
            {
                if (!isGone) Publish(name, there);
            }

            return new PoolResult(isGone ? PoolOutcome.Done : PoolOutcome.NotEmpty, there);
        }
        finally
        {
            _changing.Release();
        }
    }

    public void Dispose() => _changing.Dispose();

    private async Task<bool> EmptyAsync(string name, bool isForced, CancellationToken cancellationToken)
    {
        for (int round = 0; !await IsEmptyAsync(name, cancellationToken).ConfigureAwait(false); round++)
        {
            if (!isForced || round == EmptyingRoundsMax) return false;
            Func<string, CancellationToken, Task> remove = RemoveIdentities
                ?? throw new InvalidOperationException("Nobody removes identities yet: set RemoveIdentities first.");
            await remove(name, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    private async Task<bool> IsEmptyAsync(string name, CancellationToken cancellationToken) =>
        (await rows.ReadRangeAsync($"id/{name}/", null, 1, cancellationToken).ConfigureAwait(false)).Count == 0;

    private async Task<PoolResult> StoreAsync(IdentityPool definition, DateTimeOffset createdAt, long revision,
        Func<IdentityPool, KeyValuePair<string, byte[]?>>? beside = null)
    {
        IdentityPool pool = definition with
        {
            CreatedAt = createdAt, Revision = revision,
            Providers = [.. definition.Providers.Select(KeptSecrets.Normalize)],
        };
        byte[] bytes = JsonSerializer.SerializeToUtf8Bytes(pool, PoolJson.Stored);
        List<KeyValuePair<string, byte[]?>> written = [new(Prefix + pool.Name, bytes)];
        if (beside is not null) written.Add(beside(pool));
        await rows.WriteAsync(written).ConfigureAwait(false);
        Publish(pool.Name, pool);
        return new PoolResult(PoolOutcome.Done, pool);
    }

    private void Publish(string name, IdentityPool? pool)
    {
        _pools = pool is null ? Loaded.Remove(name) : Loaded.SetItem(name, pool);
        Changed?.Invoke(name, pool);
    }

    private async ValueTask<ImmutableSortedDictionary<string, IdentityPool>> LoadAsync(CancellationToken cancellationToken)
    {
        if (_pools is { } loaded) return loaded;
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_pools is { } meanwhile) return meanwhile;
            var pools = ImmutableSortedDictionary.CreateBuilder<string, IdentityPool>(StringComparer.Ordinal);
            for (string? after = null; ;)
            {
                IReadOnlyList<KeyValuePair<string, byte[]>> page =
                    await rows.ReadRangeAsync(Prefix, after, PageRows, cancellationToken).ConfigureAwait(false);
                foreach ((string key, byte[] bytes) in page) pools.Add(key[Prefix.Length..], Decode(key, bytes));
                if (page.Count < PageRows) break;
                after = page[^1].Key;
            }

            return _pools = pools.ToImmutable();
        }
        finally
        {
            _changing.Release();
        }
    }

    private static IdentityPool Decode(string key, byte[] bytes)
    {
        try
        {
            return JsonSerializer.Deserialize<IdentityPool>(bytes, PoolJson.Stored)
                ?? throw new JsonException("The row is null.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException(
                $"The stored definition {key} cannot be read: restore the hub's data from a backup, or run the newer hub that "
                + "wrote it.", e);
        }
    }
}
