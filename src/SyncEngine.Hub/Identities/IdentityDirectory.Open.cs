using SyncEngine.Identities;

namespace SyncEngine.Hub.Identities;

internal sealed partial class IdentityDirectory
{
    /// <summary>Makes a guest that is whoever knows its id, for clients that have no device key.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="alongside">A row to write with it, for its id.</param>
    public async Task<IdentityRow> CreateOpenAsync(string pool, Func<IdentityId, KeyValuePair<string, byte[]?>> alongside)
    {
        var row = new IdentityRow { Pool = pool, Id = NewId(), CreatedAt = time.GetUtcNow(), IsOpen = true };
        await rows.WriteAsync(RowOf(row), alongside(row.Id)).ConfigureAwait(false);
        return row;
    }

    /// <summary>The identity of a login, which is made if there is none; without a device.</summary>
    public async Task<IdentityRow> FindOrCreateAsync(string pool, LoginRow login, CancellationToken cancellationToken)
    {
        (IdentityRow row, IDisposable held) = await FindOrMakeAsync(pool, login, cancellationToken).ConfigureAwait(false);
        held.Dispose();
        return row;
    }
}
