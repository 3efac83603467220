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

    /// <summary>Takes over an identity of another service with its id, or links to one that was what it lacks.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="id">Its id there, and here.</param>
    /// <param name="logins">Its logins.</param>
    /// <param name="awaited">The providers of which the first login that is shown with its id belongs to it.</param>
    /// <param name="isClosed">Whether it is no guest, though no login of it may be known.</param>
    /// <param name="alongside">A row to write with it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="DirectoryException">A login belongs to another identity, or there are too many.</exception>
    public async Task<IdentityRow> TakeOverAsync(string pool, IdentityId id, IReadOnlyList<LoginRow> logins,
        IReadOnlyList<string> awaited, bool isClosed, KeyValuePair<string, byte[]?> alongside,
        CancellationToken cancellationToken)
    {
        IdentityRow? row;
        using (await locks.EnterAsync(pool, cancellationToken, id).ConfigureAwait(false))
        {
            row = await FindAsync(pool, id, cancellationToken).ConfigureAwait(false);
            if (row is null)
            {
                row = new IdentityRow
                {
                    Pool = pool, Id = id, CreatedAt = time.GetUtcNow(), AwaitedProviders = awaited,
                    IsOpen = logins.Count == 0 && !isClosed,
                };
                await rows.WriteAsync(RowOf(row), alongside).ConfigureAwait(false);
            }
        }

        if (row.State != IdentityState.Active) return row;
        foreach (LoginRow login in logins.Where(login => !row.Logins.Any(
            known => known.Provider == login.Provider && known.Subject == login.Subject)))
            row = await LinkAsync(pool, id, login, cancellationToken).ConfigureAwait(false);
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
