using SyncEngine.Datasets;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Syncing;

internal sealed partial class HubStore
{
    /// <summary>Forgets the deletes that the hub has had for long enough, of identities that are in use. Those of others are
    /// forgotten when they are put away.</summary>
    public async Task ForgetDeletesAsync(CancellationToken cancellationToken)
    {
        List<Slot> used;
        lock (_gate) used = [.. _slots.Values.Where(static slot => slot.Leases > 0)];
        foreach (Slot slot in used)
        {
            using IdentityLease lease = await LeaseAsync(slot.Pool, slot.Id, cancellationToken).ConfigureAwait(false);
            try
            {
                await ForgetDeletesAsync(slot.Pool, lease.Identity).ConfigureAwait(false);
            }
            catch (ObjectDisposedException)
            {
                // It was deleted, or merged into another one, meanwhile.
            }
        }
    }

    private async Task ForgetDeletesAsync(string pool, Identity identity)
    {
        var due = new List<(Dataset Dataset, long Through)>();
        var rows = new List<KeyValuePair<string, byte[]?>>();
        foreach (Dataset dataset in identity.Opened)
        {
            if (dataset.State.Tombstones == 0) continue; // As it is at the moment: the next time is early enough.
            string key = BesideOf(pool, identity.Id) + "deletes/" + dataset.Name;
            DeleteMarks marks = DeleteMarks.Decode(await Rows.ReadAsync(key).ConfigureAwait(false));
            if (!marks.Pass(dataset.Revision, _time.GetUtcNow(), _options.DeletesKept, out long through)) continue;
            rows.Add(new(key, marks.Encode()));
            if (through > 0) due.Add((dataset, through));
        }

        if (rows.Count == 0) return;
        await TogetherAsync(() =>
        {
            foreach ((Dataset dataset, long through) in due) dataset.ForgetDeletesThrough(through);
            return rows;
        }).ConfigureAwait(false);
    }
}

/// <summary>Has the hub forget old deletes from time to time.</summary>
internal sealed class DeleteForgetting(HubStore store) : IPeriodicTask
{
    public string Name => "forget deletes";

    public Task RunAsync(CancellationToken cancellationToken) => store.ForgetDeletesAsync(cancellationToken);
}
