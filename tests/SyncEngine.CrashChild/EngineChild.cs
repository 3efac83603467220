using SyncEngine.Datasets;
using SyncEngine.LiteDB;

namespace SyncEngine.CrashChild;

/// <summary>
/// Writes through the engine until killed: register n % 50 gets n and a ballast that soon calls for snapshots, a counter
/// gets 1; prints n once the transaction was acknowledged.
/// </summary>
public static class EngineChild
{
    private const int BallastBytes = 20_000;

    public static async Task RunAsync(string path, string stateFolder, bool withContext)
    {
        if (withContext) SynchronizationContext.SetSynchronizationContext(new ChildContext());
        using Stream output = Console.OpenStandardOutput();
        SyncStore store = await OpenAsync(path, stateFolder).ConfigureAwait(false);
        Dataset save = store.Identity.Dataset("save");
        for (long n = save.Counter("count").Value + 1; ; n++)
        {
            long number = n;
            await save.WriteAsync(w =>
            {
                w["r" + (number % 50)] = number;
                w["ballast"] = new byte[BallastBytes];
                w.Counter("count").Add(1);
            }).ConfigureAwait(false);
            output.Write(System.Text.Encoding.ASCII.GetBytes(n + "\n"));
            output.Flush();
        }
    }

    /// <summary>What the store must show: all that was acknowledged, and each transaction whole.</summary>
    public static async Task<(long Count, string? Fault)> CheckAsync(string path, string stateFolder)
    {
        await using SyncStore store = await OpenAsync(path, stateFolder).ConfigureAwait(false);
        if ((await store.VerifyAsync().ConfigureAwait(false)).Count > 0) return (0, "the file has faults");
        Dataset save = store.Identity.Dataset("save");
        long count = save.Counter("count").Value;
        if (save.IsDamaged) return (count, "the dataset is damaged");
        for (long n = Math.Max(1, count - 49); n <= count; n++)
            if (save.Get<long>("r" + (n % 50)) != n) return (count, $"write {n} of {count} is not there");
        return (count, save.Version.Count > 1 ? "a kill looked like a copy" : null);
    }

    private static ValueTask<SyncStore> OpenAsync(string path, string stateFolder) => LiteDbSyncStore.OpenAsync(
        path, storageOptions: new LiteDbStorageOptions { LocalStateFolder = stateFolder });
}
