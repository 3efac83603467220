using System.Globalization;
using System.Security.Cryptography;
using SyncEngine.Datasets;
using SyncEngine.Hub;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Syncing;
using SyncEngine.LiteDB;

namespace SyncEngine.Cli;

/// <summary>Measures how a hub starts on a file with many identities, beside one on an empty file.</summary>
internal sealed class ManyIdentities(Terminal terminal)
{
    private const int AtOnce = 500;
    private const int RecordsEach = 10;
    private const int KeyBytes = 91;
    private const int Starts = 5;
    private static readonly TimeSpan _settling = TimeSpan.FromSeconds(10);

    /// <summary>Makes a file of so many identities, each with a device and a dataset of ten records, and starts hubs.</summary>
    public async Task MeasureAsync(int count, CancellationToken cancellationToken)
    {
        DirectoryInfo empty = Directory.CreateTempSubdirectory("syncengine-load"),
            full = Directory.CreateTempSubdirectory("syncengine-load");
        try
        {
            await MakeAsync(empty.FullName, 0, cancellationToken);
            await MakeAsync(full.FullName, count, cancellationToken);
            long bytes = full.EnumerateFiles().Sum(static file => file.Length);
            Say($"{count:N0} identities with {RecordsEach} records each: {bytes / 1048576.0:N0} MiB on disk");
            (double without, long memoryWithout) = await StartAsync(empty.FullName, cancellationToken);
            (double with, long memoryWith) = await StartAsync(full.FullName, cancellationToken);
            Say($"from the start of the process to the answer of /health: {with:N0} ms, {without:N0} ms with an empty file "
                + $"(medians of {Starts})");
            Say($"memory of the idle process: {memoryWith / 1048576.0:N1} MiB, {memoryWithout / 1048576.0:N1} MiB with an empty "
                + "file");
        }
        finally
        {
            empty.Delete(recursive: true);
            full.Delete(recursive: true);
        }
    }

    /// <summary>Starts hubs in turn and lets the last one idle.</summary>
    private static async Task<(double Milliseconds, long MemoryBytes)> StartAsync(
        string folder, CancellationToken cancellationToken)
    {
        var times = new List<double>();
        for (int start = 1;; start++)
        {
            await using HubProcess hub = await HubProcess.StartAsync(folder, cancellationToken);
            times.Add(hub.StartTime.TotalMilliseconds);
            if (start < Starts) continue;
            await Task.Delay(_settling, cancellationToken);
            return (times.Order().ElementAt(Starts / 2), hub.MemoryBytes);
        }
    }

    /// <summary>Writes the hub's file with the hub's own parts, as registering and syncing would.</summary>
    private static async Task MakeAsync(string folder, int count, CancellationToken cancellationToken)
    {
        var options = new HubStoreOptions { Memory = new HubMemoryOptions { IdleTime = TimeSpan.Zero } };
        await using HubStore store = await HubStore.OpenAsync(
            () => LiteDbStorage.Open(Path.Combine(folder, SyncHubApp.FileName)), options);
        using var pools = new PoolRegistry(store.Rows, TimeProvider.System);
        await pools.CreateAsync(new IdentityPool { Name = HubProcess.PoolName, AllowsGuests = true }, null, cancellationToken);
        var directory = new IdentityDirectory(store.Rows, new KeyedLocks(), TimeProvider.System);
        for (int made = 0; made < count; made += AtOnce)
        {
            await Parallel.ForAsync(made, Math.Min(count, made + AtOnce), new ParallelOptions
            {
                MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken,
            }, async (i, stop) =>
            {
                (IdentityRow row, _) = await directory.RegisterGuestAsync(
                    HubProcess.PoolName, RandomNumberGenerator.GetBytes(KeyBytes), "device", null, stop);
                using IdentityLease lease = await store.LeaseAsync(HubProcess.PoolName, row.Id, stop);
                Dataset save = lease.Identity.Dataset("save");
                await save.WriteAsync(write =>
                {
                    for (int key = 0; key < RecordsEach; key++)
                        write["key" + key.ToString(CultureInfo.InvariantCulture)] = $"value {key} of identity {i}";
                }, stop);
            });
            await store.SweepAsync();
        }
    }

    private void Say(string words) => terminal.Out.WriteLine(words);
}
