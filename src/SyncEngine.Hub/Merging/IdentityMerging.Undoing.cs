using System.Globalization;
using System.Security.Cryptography;
using SyncEngine.Datasets;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Merging;

internal sealed partial class IdentityMerging
{
    /// <summary>From here on the numbers under which is kept what a merge made of each dataset; below, of what.</summary>
    private const int AfterIndex = 500_000;

    /// <summary>
    /// Takes a merge back: the source is a guest of its own again, with what it had; in the destination, what the merge
    /// changed and nobody has changed since shows again what it showed before, and counters lose what they gained.
    /// </summary>
    /// <exception cref="DirectoryException">There is no such merge, it was undone, or it is too long ago.</exception>
    public async Task<IdentityRow> UndoAsync(
        string pool, IdentityId destination, string mergeId, CancellationToken cancellationToken)
    {
        IdentityRow account = await ActiveAsync(pool, destination, cancellationToken).ConfigureAwait(false);
        MergeRow found = Undoable(account, mergeId);
        using IDisposable held = await locks.EnterAsync(pool, cancellationToken, found.Source, destination).ConfigureAwait(false);
        account = await ActiveAsync(pool, destination, cancellationToken).ConfigureAwait(false);
        MergeRow merge = Undoable(account, mergeId);
        IdentityRow guest = await directory.FindAsync(pool, merge.Source, cancellationToken).ConfigureAwait(false)
            ?? throw IdentityDirectory.Missing(merge.Source);
        using IdentityLease right = await store.LeaseAsync(pool, destination, cancellationToken).ConfigureAwait(false);
        IReadOnlyDictionary<Dataset, (Dataset Before, Dataset After)> reverts =
            await ChangesOfAsync(pool, merge, right, cancellationToken).ConfigureAwait(false);

        // The devices that came with the source go back to it.
        List<DeviceRow> moved = [.. account.Devices.Where(device => guest.FindDevice(device.Id) is not null)];
        List<LoginRow> logins = [.. account.Logins.Where(login => !guest.Logins.Any(own => own.Provider == login.Provider
            && own.Subject == login.Subject))];
        account = account with
        {
            Devices = [.. account.Devices.Except(moved)], Logins = logins,
            Merges = [.. account.Merges.Select(row => row.Id == mergeId ? row with { IsUndone = true } : row)],
        };
        guest = guest with { State = IdentityState.Active, MergedInto = default, MergedBy = default };
        foreach (DeviceRow device in moved) await sessions.CutAsync(pool, destination, device.Id).ConfigureAwait(false);
        await store.TogetherAsync(() =>
        {
            foreach ((Dataset dataset, (Dataset before, Dataset after)) in reverts)
                dataset.Write(write => Readings.Revert(write, dataset, before, after));
            return
            [
                IdentityDirectory.RowOf(guest), IdentityDirectory.RowOf(account),
                .. guest.Logins.Select(login => IdentityDirectory.LinkRow(pool, login, guest.Id)),
            ];
        }).ConfigureAwait(false);
        return account;
    }

    /// <summary>
    /// What an earlier merge of the same source changed and was taken back: the join cannot bring it again, since its writes are
    /// among those that were seen and written over. Modes that end by writing what one side shows need no more than that.
    /// </summary>
    private async ValueTask<IReadOnlyDictionary<Dataset, (Dataset Before, Dataset After)>> TakenBackAsync(
        IdentityRow account, IdentityLease right, IdentityId source, MergeMode mode, CancellationToken cancellationToken)
    {
        MergeRow? undone = account.Merges.LastOrDefault(row => row.Source == source);
        bool isAgain = undone is { IsUndone: true } && mode is MergeMode.Union or MergeMode.Manual
            && (undone!.Mode == MergeMode.Manual) == (mode == MergeMode.Manual);
        return isAgain ? await ChangesOfAsync(account.Pool, undone!, right, cancellationToken).ConfigureAwait(false)
            : new Dictionary<Dataset, (Dataset, Dataset)>();
    }

    /// <summary>What the datasets of a merge's destination showed before it and after; those of which nothing is kept are left
    /// out.</summary>
    private async ValueTask<IReadOnlyDictionary<Dataset, (Dataset Before, Dataset After)>> ChangesOfAsync(
        string pool, MergeRow merge, IdentityLease right, CancellationToken cancellationToken)
    {
        var changes = new Dictionary<Dataset, (Dataset Before, Dataset After)>();
        for (int i = 0; i < merge.Datasets.Count; i++)
        {
            byte[] before = await ReadAsync(pool, merge.Id, i, cancellationToken).ConfigureAwait(false);
            byte[] after = await ReadAsync(pool, merge.Id, AfterIndex + i, cancellationToken).ConfigureAwait(false);
            if (before.Length == 0 || after.Length == 0) continue;
            string target = TargetOf(merge.Datasets[i], merge.Source, merge.Mode);
            changes.Add(right.Identity.OpenForJoin(target), (Scratch(before), Scratch(after)));
        }

        return changes;
    }

    /// <summary>Forgets what was kept for merges that can no longer be taken back; the aliases stay.</summary>
    /// <returns>How many merges were forgotten.</returns>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        const int atOnce = 100;
        int forgotten = 0;
        string now = TimeKey(time.GetUtcNow());
        while (true)
        {
            IReadOnlyList<KeyValuePair<string, byte[]>> due = await store.Rows.ReadRangeAsync(
                "unmerge/", null, atOnce, cancellationToken).ConfigureAwait(false);
            int done = 0;
            foreach ((string key, _) in due)
            {
                string[] parts = key.Split('/');
                if (string.CompareOrdinal(parts[1], now) >= 0) return forgotten;
                await ForgetAsync(key, parts[2], IdentityId.Parse(parts[3]), parts[4], cancellationToken).ConfigureAwait(false);
                (done, forgotten) = (done + 1, forgotten + 1);
            }

            if (done < atOnce) return forgotten;
        }
    }

    private async Task ForgetAsync(
        string key, string pool, IdentityId destination, string mergeId, CancellationToken cancellationToken)
    {
        IReadOnlyList<KeyValuePair<string, byte[]>> kept = await store.Rows.ReadRangeAsync(
            $"undo/{pool}/{mergeId}/", null, int.MaxValue, cancellationToken).ConfigureAwait(false);
        List<KeyValuePair<string, byte[]?>> rows = [new(key, null), .. kept.Select(static row =>
            new KeyValuePair<string, byte[]?>(row.Key, null))];
        IdentityRow? account = await directory.FindAsync(pool, destination, cancellationToken).ConfigureAwait(false);
        if (account?.Merges.FirstOrDefault(merge => merge.Id == mergeId) is { IsUndone: false } merge)
        {
            using IDisposable held = await locks.EnterAsync(pool, cancellationToken, merge.Source).ConfigureAwait(false);
            await store.DeleteAsync(pool, merge.Source, rows, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await store.Rows.WriteAsync(rows).ConfigureAwait(false);
        }
    }

    private MergeRow Undoable(IdentityRow row, string mergeId)
    {
        MergeRow merge = row.Merges.FirstOrDefault(known => known.Id == mergeId)
            ?? throw new DirectoryException(DirectoryFault.NotFound, $"This identity has no merge {mergeId}.");
        if (merge.IsUndone || merge.UndoUntil <= time.GetUtcNow())
            throw new DirectoryException(DirectoryFault.NotUndoable, merge.IsUndone ? "The merge was taken back already."
                : $"The merge could be taken back until {merge.UndoUntil:u}; what it needs for that is gone.");
        return merge;
    }

    private static IEnumerable<KeyValuePair<string, byte[]?>> Chunks(string pool, string merge, int index, byte[] frame)
    {
        for (int at = 0, chunk = 0; at < frame.Length; at += ChunkBytes, chunk++)
            yield return new(ChunkKey(pool, merge, index, chunk), frame[at..Math.Min(frame.Length, at + ChunkBytes)]);
    }

    private async Task<byte[]> ReadAsync(string pool, string merge, int index, CancellationToken cancellationToken)
    {
        var frame = new MemoryStream();
        for (int chunk = 0;; chunk++)
        {
            byte[]? bytes = await store.Rows.ReadAsync(ChunkKey(pool, merge, index, chunk), cancellationToken)
                .ConfigureAwait(false);
            if (bytes is null) return frame.ToArray();
            frame.Write(bytes);
        }
    }

    private static string ChunkKey(string pool, string merge, int index, int chunk) =>
        FormattableString.Invariant($"undo/{pool}/{merge}/{index:D6}/{chunk:D6}");

    private static string SweepKey(DateTimeOffset due, string pool, IdentityId destination, string merge) =>
        $"unmerge/{TimeKey(due)}/{pool}/{destination}/{merge}";

    private static string TimeKey(DateTimeOffset at) =>
        at.ToUnixTimeMilliseconds().ToString("D15", CultureInfo.InvariantCulture);

    private static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
}
