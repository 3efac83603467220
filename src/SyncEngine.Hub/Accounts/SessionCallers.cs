using SyncEngine.Causality;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Accounts;

/// <summary>What a caller may do in a session: the policy of its role as it is now, the pool's limits, the fences.</summary>
internal sealed class SessionCallers(PoolRegistry pools, Fences fences, Attestations attestations)
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
        Dictionary<ulong, Func<string, string, bool>> foreign = ForeignTo(pool, role, row, caller.Device.Id);
        return new SyncCaller(row.Pool, row.Id, caller.Device.Id, caller.Claims.Expires, new SessionAccess
        {
            Allows = CompiledPool.Of(pool).DatasetsOf(role, row, caller.Device.Id),
            IsCurrent = () => pools.Peek(pool.Name) == pool,
            Limits = PoolAccess.LimitsOf(pool),
            Fence = FenceOf(row.Pool, row.Id),
            IsForeign = IsIn(foreign),
            ForeignMayWrite = MayWriteOf(foreign),
            TakesRelays = pool.RelaysAllowed,
            IsOwn = IsAmong([.. caller.Device.Declared]),
            Attest = AttestTo(row.Pool, row.Id),
            Attested = AttestedOf(row.Pool, row.Id),
        });
    }

    // Apart, so that a session that lasts for an hour does not hold on to the row that it began with.
    private Func<ReplicaId, long?> FenceOf(string pool, IdentityId id) => replica => fences.Find(pool, id, replica);

    private Action<string, ReplicaId, Attestation> AttestTo(string pool, IdentityId id) =>
        (dataset, replica, attestation) => attestations.Note(pool, id, dataset, replica, attestation);

    private Func<string, ReplicaId, Attestation?> AttestedOf(string pool, IdentityId id) =>
        (dataset, replica) => attestations.Find(pool, id, dataset, replica);

    private static Func<ReplicaId, bool> IsAmong(HashSet<ulong> own) => replica => own.Contains(replica.Bits);

    private static Func<ReplicaId, bool> IsIn(Dictionary<ulong, Func<string, string, bool>> foreign) =>
        replica => foreign.ContainsKey(replica.Bits);

    private static Func<ReplicaId, string, bool> MayWriteOf(Dictionary<ulong, Func<string, string, bool>> foreign) =>
        (replica, dataset) => foreign.TryGetValue(replica.Bits, out Func<string, string, bool>? allows)
            && allows("dataset:write", dataset);

    /// <summary>For each replica that another device has declared what that device may do.</summary>
    private static Dictionary<ulong, Func<string, string, bool>> ForeignTo(
        IdentityPool pool, string role, IdentityRow row, string own)
    {
        var foreign = new Dictionary<ulong, Func<string, string, bool>>();
        foreach (DeviceRow device in row.Devices)
        {
            if (device.Id == own || device.Declared.Count == 0) continue;
            Func<string, string, bool> allows = CompiledPool.Of(pool).DatasetsOf(role, row, device.Id);
            foreach (ulong replica in device.Declared) foreign[replica] = allows;
        }

        return foreign;
    }
}
