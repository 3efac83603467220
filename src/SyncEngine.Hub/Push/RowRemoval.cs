using SyncEngine.Hub.Rows;

namespace SyncEngine.Hub.Push;

/// <summary>Removes rows by prefix.</summary>
internal static class RowRemoval
{
    private const int RowsPerWrite = 1000;

    public static async Task RemoveAllAsync(HubRows rows, string prefix, CancellationToken cancellationToken)
    {
        while (true)
        {
            var found = await rows.ReadRangeAsync(prefix, null, RowsPerWrite, cancellationToken).ConfigureAwait(false);
            if (found.Count == 0) return;
            await rows.WriteAsync(found.Select(row => new KeyValuePair<string, byte[]?>(row.Key, null)).ToList())
                .ConfigureAwait(false);
        }
    }
}
