using System.Collections.Concurrent;
using SyncEngine.Causality;
using SyncEngine.Hub.Identities;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Syncing;

/// <summary>
/// What is not taken of revoked devices: for each of their replicas everything after the last change that had come when the
/// device was revoked, from whoever brings it. Sessions that are open see a new fence at once.
/// </summary>
internal sealed class Fences(HubStore store, IdentityDirectory directory, OpenSessions sessions, TimeProvider time)
{
    private readonly ConcurrentDictionary<(string Pool, IdentityId Id), IReadOnlyDictionary<ulong, long>> _known = [];

    /// <summary>Takes over what an identity's row says, for a session that begins.</summary>
    public void Note(IdentityRow row)
    {
        if (row.Fences.Count == 0) return;
        var fences = new Dictionary<ulong, long>();
        foreach (FenceRow fence in row.Fences)
            fences[fence.Replica] = Math.Min(fence.Counter, fences.GetValueOrDefault(fence.Replica, long.MaxValue));
        _known[(row.Pool, row.Id)] = fences;
    }

    /// <summary>The last counter that is taken of a replica; null where nothing is fenced.</summary>
    public long? Find(string pool, IdentityId id, ReplicaId replica) =>
        _known.TryGetValue((pool, id), out IReadOnlyDictionary<ulong, long>? fences)
            && fences.TryGetValue(replica.Bits, out long counter) ? counter : null;

    /// <summary>Revokes a device: ends its sessions and fences its replicas.</summary>
    /// <exception cref="DirectoryException">There is no such device.</exception>
    public async Task<IdentityRow> RevokeAsync(
        string pool, IdentityId id, string device, CancellationToken cancellationToken)
    {
        IdentityRow row = await directory.ChangeAsync(pool, id, row =>
        {
            DeviceRow known = row.FindDevice(device) ?? throw new DirectoryException(DirectoryFault.NotFound,
                $"This identity has no device {device}.");
            return row with { Devices = [.. row.Devices.Select(other => other == known
                ? other with { RevokedAt = known.RevokedAt ?? time.GetUtcNow() } : other)] };
        }, cancellationToken).ConfigureAwait(false);

        // Nothing of the device comes in any more; now its counters stand.
        await sessions.CutAsync(pool, id, device).ConfigureAwait(false);
        DeviceRow revoked = row.FindDevice(device)!;
        var counters = revoked.Declared.Distinct()
            .ToDictionary(static replica => replica, static _ => 0L);
        if (counters.Count == 0) return row;
        using (IdentityLease lease = await store.LeaseAsync(pool, id, cancellationToken).ConfigureAwait(false))
        {
            foreach (string name in lease.Identity.DatasetNames)
            {
                foreach (Dot dot in lease.Identity.OpenForJoin(name).Seen)
                    if (counters.TryGetValue(dot.Replica.Bits, out long counter))
                        counters[dot.Replica.Bits] = Math.Max(counter, dot.Counter);
            }
        }

        row = await directory.ChangeAsync(pool, id, row => row with
        {
            Fences = [.. row.Fences, .. counters.Where(pair => row.Fences.All(fence => fence.Replica != pair.Key))
                .Select(static pair => new FenceRow(pair.Key, pair.Value))],
        }, cancellationToken).ConfigureAwait(false);
        Note(row);
        return row;
    }

    /// <summary>Forgets what is in memory of identities without sessions.</summary>
    public void Trim()
    {
        foreach ((string Pool, IdentityId Id) key in _known.Keys)
            if (!sessions.IsOpen(key.Pool, key.Id)) _known.TryRemove(key, out _);
    }
}
