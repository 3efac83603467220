using System.Text;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Rows;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Cognito.IdentityApi;

/// <summary>Which pool an identity is of, where a call names the identity alone: rows <c>cognito/identity/ID</c>. Identities that
/// this API never met have none. Thread-safe.</summary>
internal sealed class IdentityIndex(HubRows rows, IdentityDirectory directory, PoolRegistry pools)
{
    private const string Prefix = "cognito/identity/";

    public static KeyValuePair<string, byte[]?> RowOf(string pool, IdentityId id) =>
        new(Prefix + id, Encoding.ASCII.GetBytes(pool));

    /// <summary>The identity's row; null if this API never met it.</summary>
    public async ValueTask<IdentityRow?> FindAsync(IdentityId id, CancellationToken cancellationToken) =>
        await PoolOfAsync(id, cancellationToken).ConfigureAwait(false) is { } pool
            ? await directory.FindAsync(pool, id, cancellationToken).ConfigureAwait(false) : null;

    /// <summary>The hub's name of the identity's pool; null if this API never met it.</summary>
    public async ValueTask<string?> PoolOfAsync(IdentityId id, CancellationToken cancellationToken) =>
        await rows.ReadAsync(Prefix + id, cancellationToken).ConfigureAwait(false) is { } pool
            ? Encoding.ASCII.GetString(pool) : null;

    /// <summary>The identity's row, also of one that this API never met: asks pool after pool, which is for operators.</summary>
    public async ValueTask<IdentityRow?> SearchAsync(IdentityId id, CancellationToken cancellationToken)
    {
        if (await FindAsync(id, cancellationToken).ConfigureAwait(false) is { } known) return known;
        foreach (IdentityPool pool in await pools.ListAsync(null, PoolRegistry.PoolsMax, cancellationToken).ConfigureAwait(false))
        {
            if (await directory.FindAsync(pool.Name, id, cancellationToken).ConfigureAwait(false) is { } found) return found;
        }

        return null;
    }

    /// <summary>Notes an identity's pool.</summary>
    public async ValueTask NoteAsync(string pool, IdentityId id, CancellationToken cancellationToken)
    {
        if (await rows.ReadAsync(Prefix + id, cancellationToken).ConfigureAwait(false) is null)
            await rows.WriteAsync(RowOf(pool, id)).ConfigureAwait(false);
    }

    public Task RemoveAsync(IdentityId id) => rows.WriteAsync(new KeyValuePair<string, byte[]?>(Prefix + id, null));
}
