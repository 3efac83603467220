using SyncEngine.Datasets;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>What is told of datasets as a whole.</summary>
internal sealed partial class LegacyDatasets
{
    /// <summary>What is told of a dataset; null if there is none.</summary>
    public async Task<LegacySummary?> DescribeAsync(
        string pool, IdentityId id, string name, CancellationToken cancellationToken)
    {
        using IdentityLease lease = await store.LeaseAsync(pool, id, cancellationToken).ConfigureAwait(false);
        return await DescribeAsync(lease, name, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>All datasets that legacy clients see, in order of their names.</summary>
    public async Task<IReadOnlyList<LegacySummary>> ListAsync(string pool, IdentityId id, CancellationToken cancellationToken)
    {
        using IdentityLease lease = await store.LeaseAsync(pool, id, cancellationToken).ConfigureAwait(false);
        var found = new List<LegacySummary>();
        foreach (string name in lease.Identity.DatasetNames)
            if (await DescribeAsync(lease, name, cancellationToken).ConfigureAwait(false) is { } summary) found.Add(summary);
        return found;
    }

    /// <summary>The datasets of identities that were merged at another service, as they were taken over from there:
    /// <c>NAME.REGION:GUID</c>.</summary>
    public async Task<IReadOnlyList<string>> TakenMergedAsync(
        string pool, IdentityId id, string name, CancellationToken cancellationToken)
    {
        using IdentityLease lease = await store.LeaseAsync(pool, id, cancellationToken).ConfigureAwait(false);
        string prefix = name + ".";
        var found = new List<string>();
        foreach (string other in lease.Identity.DatasetNames)
        {
            if (!other.StartsWith(prefix, StringComparison.Ordinal) || !CognitoIds.IsWhole(other[prefix.Length..])) continue;
            LegacyRow row = await RowAsync(lease, other, cancellationToken).ConfigureAwait(false);
            if (row.ImportedThrough > 0 && row.Shows(lease.Identity.OpenForJoin(other))) found.Add(other);
        }

        return found;
    }

    private static LegacySummary? Summarize(Dataset dataset, LegacyRow row)
    {
        if (!row.Shows(dataset)) return null;
        List<string> keys = [.. dataset.Records.Select(static record => record.Key).Distinct(StringComparer.Ordinal)];
        long first = long.MaxValue, last = 0;
        foreach (KeyState state in dataset.KeysChangedAfter(0))
        {
            first = Math.Min(first, state.Time.WallMilliseconds);
            last = Math.Max(last, state.Time.WallMilliseconds);
        }

        if (last == 0) last = row.CreatedAt; // All that it had was deleted, and the deletes are forgotten.
        return new LegacySummary(dataset.Name, Math.Min(row.CreatedAt > 0 ? row.CreatedAt : first, last), last,
            keys.Sum(key => SizeOf(key, LegacyText.Read(dataset, key))), keys.Count);
    }

    private async Task<LegacySummary?> DescribeAsync(IdentityLease lease, string name, CancellationToken cancellationToken)
    {
        if (!lease.Identity.HasDataset(name)) return null;
        LegacyRow row = await RowAsync(lease, name, cancellationToken).ConfigureAwait(false);
        Dataset dataset = lease.Identity.OpenForJoin(name);
        LegacySummary? summary = dataset.AtOneMoment(() => Summarize(dataset, row));
        await dataset.FlushAsync(cancellationToken).ConfigureAwait(false);
        return summary;
    }
}
