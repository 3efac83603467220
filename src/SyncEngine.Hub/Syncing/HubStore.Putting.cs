using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Syncing;

internal sealed partial class HubStore
{
    private int _sweeping;

    /// <summary>Puts away what nobody has used for a while, and the least recently used beyond the bound.</summary>
    public async Task SweepAsync()
    {
        if (Interlocked.Exchange(ref _sweeping, 1) != 0) return;
        try
        {
            foreach (Slot slot in TakeIdle()) await PutAwayAsync(slot).ConfigureAwait(false);
        }
        catch (SyncException)
        {
            // The storage fails at the moment: what is open stays open, and is looked at again.
        }
        finally
        {
            Volatile.Write(ref _sweeping, 0);
        }
    }

    /// <summary>Rows that lie beside an identity's datasets, and go with them, have keys that begin so.</summary>
    public static string BesideOf(string pool, IdentityId id) => $"beside/{pool}/{id}/";

    /// <summary>Removes all datasets of an identity and what lies beside them, together with other rows. Whoever uses it must
    /// have let go.</summary>
    /// <exception cref="SyncException">Somebody is using it.</exception>
    public async Task DeleteAsync(
        string pool, IdentityId id, IEnumerable<KeyValuePair<string, byte[]?>> rows, CancellationToken cancellationToken)
    {
        using IdentityLease lease = await LeaseAsync(pool, id, cancellationToken).ConfigureAwait(false);
        Identity identity = lease.Identity;
        IReadOnlyList<KeyValuePair<string, byte[]>> beside = await Rows.ReadRangeAsync(
            BesideOf(pool, id), null, int.MaxValue, cancellationToken).ConfigureAwait(false);
        foreach (Dataset dataset in identity.Opened) dataset.Discard();
        Task done = TogetherAsync(() =>
        {
            foreach (int number in identity.StoredNumbers) _journal.Drop(number, null, Dataset.RowPrefixesOf(number));
            return
            [
                new(RowOf(pool, id), null), .. rows,
                .. beside.Select(static row => new KeyValuePair<string, byte[]?>(row.Key, null)),
            ];
        });
        lock (_gate) _slots.Remove((pool, id));
        identity.Close();
        await done.ConfigureAwait(false);
    }

    private List<Slot> TakeIdle()
    {
        var taken = new List<Slot>();
        lock (_gate)
        {
            if (_isDisposed) return taken;
            List<Slot> idle = [.. _slots.Values.Where(static slot => slot is { Leases: 0, Busy: null })];
            idle.Sort(static (left, right) => left.LastUsed.CompareTo(right.LastUsed));
            int surplus = idle.Count - _options.Memory.IdleIdentitiesMax;
            foreach (Slot slot in idle)
            {
                if (surplus-- <= 0 && _time.GetElapsedTime(slot.LastUsed) < _options.Memory.IdleTime) break;
                slot.Busy = NewCompletion();
                taken.Add(slot);
            }
        }

        return taken;
    }

    private async Task PutAwayAsync(Slot slot)
    {
        Identity identity = slot.Identity!;
        bool isClosed = false;
        try
        {
            IReadOnlyList<Dataset> opened = identity.Opened;
            await ForgetDeletesAsync(slot.Pool, identity).ConfigureAwait(false);
            foreach (Dataset dataset in opened) await dataset.FlushAsync().ConfigureAwait(false);
            identity.Close();
            isClosed = true;

            // Closed, nothing can slip in between what is flushed and what is read anew later.
            foreach (Dataset dataset in opened)
            {
                await dataset.FlushAsync().ConfigureAwait(false);
                await _journal.ReleaseAsync(dataset).ConfigureAwait(false);
            }
        }
        finally
        {
            TaskCompletionSource busy = slot.Busy!;
            lock (_gate)
            {
                slot.Busy = null;
                if (isClosed) _slots.Remove((slot.Pool, slot.Id));
            }

            busy.SetResult();
        }
    }
}
