using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Merging;

/// <summary>Deletes identities with all their data, and shuts them out or lets them in again.</summary>
internal sealed class IdentityRemoval(HubStore store, IdentityDirectory directory, KeyedLocks locks, OpenSessions sessions)
{
    private const int AtOnce = 100;

    /// <summary>Told of an identity whose credentials must not be taken any more.</summary>
    public Func<string, IdentityId, CancellationToken, Task> Revoking { get; set; } = static (_, _, _) => Task.CompletedTask;

    /// <summary>Deletes an identity, its datasets, its logins, and what was merged into it.</summary>
    /// <exception cref="DirectoryException">There is no such identity.</exception>
    public async Task DeleteAsync(string pool, IdentityId id, CancellationToken cancellationToken)
    {
        IdentityRow row = await directory.FindAsync(pool, id, cancellationToken).ConfigureAwait(false)
            ?? throw IdentityDirectory.Missing(id);
        foreach (MergeRow merge in row.Merges)
        {
            if (!merge.IsUndone && await directory.FindAsync(pool, merge.Source, cancellationToken).ConfigureAwait(false)
                is { State: IdentityState.Merged } source && source.MergedInto == id)
                await DeleteAsync(pool, merge.Source, cancellationToken).ConfigureAwait(false);
        }

        using IDisposable held = await locks.EnterAsync(pool, cancellationToken, id).ConfigureAwait(false);
        row = await directory.FindAsync(pool, id, cancellationToken).ConfigureAwait(false) ?? throw IdentityDirectory.Missing(id);
        await Revoking(pool, id, cancellationToken).ConfigureAwait(false);
        using IDisposable frozen = await sessions.FreezeAsync(pool, id).ConfigureAwait(false);
        var rows = new List<KeyValuePair<string, byte[]?>>(IdentityDirectory.RowsOf(row));
        foreach (MergeRow merge in row.Merges)
        {
            IReadOnlyList<KeyValuePair<string, byte[]>> kept = await store.Rows.ReadRangeAsync(
                $"undo/{pool}/{merge.Id}/", null, int.MaxValue, cancellationToken).ConfigureAwait(false);
            rows.AddRange(kept.Select(static chunk => new KeyValuePair<string, byte[]?>(chunk.Key, null)));
        }

        IReadOnlyList<KeyValuePair<string, byte[]>> pushes = await store.Rows.ReadRangeAsync(
            $"push/{pool}/{id}/", null, int.MaxValue, cancellationToken).ConfigureAwait(false);
        rows.AddRange(pushes.Select(static push => new KeyValuePair<string, byte[]?>(push.Key, null)));
        await store.DeleteAsync(pool, id, rows, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Deletes every identity of a pool.</summary>
    public async Task DeleteAllAsync(string pool, CancellationToken cancellationToken)
    {
        while (true)
        {
            IReadOnlyList<IdentityRow> found =
                await directory.ListAsync(pool, null, AtOnce, cancellationToken).ConfigureAwait(false);
            if (found.Count == 0) return;
            foreach (IdentityRow row in found)
            {
                try
                {
                    await DeleteAsync(pool, row.Id, cancellationToken).ConfigureAwait(false);
                }
                catch (DirectoryException e) when (e.Fault == DirectoryFault.NotFound)
                {
                    // It went with the one that it had been merged into.
                }
            }
        }
    }

    /// <summary>Shuts an identity out: its sessions end and its credentials are refused until it is enabled again.</summary>
    /// <exception cref="DirectoryException">There is no such identity, or it was merged into another.</exception>
    public async Task<IdentityRow> SetEnabledAsync(
        string pool, IdentityId id, bool isEnabled, CancellationToken cancellationToken)
    {
        IdentityRow row = await directory.ChangeAsync(pool, id, static row => row.State == IdentityState.Merged
            ? throw new DirectoryException(DirectoryFault.PlanOver,
                $"The identity was merged into {row.MergedInto}: disable that one.") : row, cancellationToken)
                    .ConfigureAwait(false);
        row = await directory.ChangeAsync(pool, id, row => row with
        {
            State = isEnabled ? IdentityState.Active : IdentityState.Disabled,
        }, cancellationToken).ConfigureAwait(false);
        if (isEnabled) return row;
        await Revoking(pool, id, cancellationToken).ConfigureAwait(false);
        await sessions.CutAsync(pool, id).ConfigureAwait(false);
        return row;
    }
}
