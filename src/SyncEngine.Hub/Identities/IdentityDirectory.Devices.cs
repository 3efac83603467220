using SyncEngine.Identities;

namespace SyncEngine.Hub.Identities;

internal sealed partial class IdentityDirectory
{
    /// <summary>Most replicas that are remembered of one device: it takes a new one for each dataset, and when its file was
    /// copied.</summary>
    private const int ReplicasMax = 4096;

    /// <summary>Notes the replicas under which a device says that it writes. What another device has declared stays that
    /// one's.</summary>
    public Task<IdentityRow> DeclareAsync(
        string pool, IdentityId id, string device, IReadOnlyCollection<ulong> replicas, CancellationToken cancellationToken) =>
        ChangeAsync(pool, id, row =>
        {
            if (row.FindDevice(device) is not { } known) return row;
            List<ulong> added = [.. replicas.Except(row.Devices.SelectMany(static other => other.Declared))];
            if (added.Count == 0) return row;
            return row with
            {
                Devices =
                [
                    .. row.Devices.Where(other => other.Id != device),
                    known with { Declared = [.. known.Declared.Concat(added).TakeLast(ReplicasMax)] },
                ],
            };
        }, cancellationToken);
}
