using SyncEngine.Causality;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Accounts;

/// <summary>What a caller may do in a session: the policy of its role as it is now, the pool's limits, the fences.</summary>
internal sealed class SessionCallers(PoolRegistry pools, Fences fences)
{
    /// <exception cref="EntryException">Its pool is gone, or gives it no role any more.</exception>
    public async ValueTask<SyncCaller> OfAsync(HubCaller caller, CancellationToken cancellationToken)
    {
        IdentityRow row = caller.Row;
        IdentityPool pool = await pools.FindAsync(row.Pool, cancellationToken).ConfigureAwait(false)
            ?? throw new EntryException(EntryFault.NotAccepted, "credential-over", "The credential's pool is gone.");
        string role = PoolAccess.RoleOf(pool, row) ?? throw new EntryException(EntryFault.NoRole, "no-role",
            "This pool gives this identity no role. Ask the hub's operator.");
        fences.Note(row);
        HashSet<ulong>? foreign = pool.RelaysAllowed ? null
            : [.. row.Devices.Where(device => device.Id != caller.Device.Id).SelectMany(static device => device.Declared)];
        return new SyncCaller(row.Pool, row.Id, caller.Device.Id, caller.Claims.Expires, new SessionAccess
        {
            Allows = CompiledPool.Of(pool).DatasetsOf(role, row, caller.Device.Id),
            Limits = PoolAccess.LimitsOf(pool),
            Fence = FenceOf(row.Pool, row.Id),
            IsForeign = ForeignTo(foreign),
        });
    }

    // Apart, so that a session that lasts for an hour does not hold on to the row that it began with.
    private Func<ReplicaId, long?> FenceOf(string pool, IdentityId id) => replica => fences.Find(pool, id, replica);

    private static Func<ReplicaId, bool> ForeignTo(HashSet<ulong>? declared) =>
        declared is null ? static _ => false : replica => declared.Contains(replica.Bits);
}
