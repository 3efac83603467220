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

    /// <summary>Takes over an identity of another service with its id; one that is there stays as it is.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="id">Its id.</param>
    /// <param name="isOpen">Whether it is a guest that is whoever knows its id.</param>
    /// <param name="awaited">The providers of which the first login that is shown with its id belongs to it.</param>
    /// <param name="alongside">A row to write with it.</param>
    /// <param name="cancellationToken">Ends the wait for what goes before it.</param>
    /// <returns>Whether it was made.</returns>
    public async Task<bool> ImportAsync(string pool, IdentityId id, bool isOpen, IReadOnlyList<string> awaited,
        KeyValuePair<string, byte[]?> alongside, CancellationToken cancellationToken)
    {
        using IDisposable held = await locks.EnterAsync(pool, cancellationToken, id).ConfigureAwait(false);
        if (await FindAsync(pool, id, cancellationToken).ConfigureAwait(false) is not null) return false;
        var row = new IdentityRow
        {
            Pool = pool, Id = id, CreatedAt = time.GetUtcNow(), IsOpen = isOpen, AwaitedProviders = awaited,
        };
        await rows.WriteAsync(RowOf(row), alongside).ConfigureAwait(false);
        return true;
    }

    /// <summary>The identity of a login, which is made if there is none; without a device.</summary>
    public async Task<IdentityRow> FindOrCreateAsync(string pool, LoginRow login, CancellationToken cancellationToken)
    {
        (IdentityRow row, IDisposable held) = await FindOrMakeAsync(pool, login, cancellationToken).ConfigureAwait(false);
        held.Dispose();
        return row;
    }
}
