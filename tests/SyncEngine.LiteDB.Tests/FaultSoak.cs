using SyncEngine.Causality;
using SyncEngine.LiteDB.Tests.Simulation;

namespace SyncEngine.LiteDB.Tests;

/// <summary>
/// One history, run again and again: each time another operation of the disk fails, or the disk is full.
/// </summary>
public static class FaultSoak
{
    private const int StepsPerHistory = 15;
    private const int RetriesMax = 3;

    /// <summary>Fails the n-th operation for every n, or for every <paramref name="stride"/>-th.</summary>
    /// <param name="seed">The history's seed.</param>
    /// <param name="stride">1 for every operation.</param>
    /// <param name="log">Told about progress.</param>
    /// <returns>What went wrong, each with its seed and operation.</returns>
    public static IReadOnlyList<string> RunFailures(int seed, int stride, Action<string> log) =>
        ForEach(seed, stride, log, (disk, n) =>
        {
            disk.FailingReads = true;
            disk.FailAt = n;
        });

    /// <summary>Fills the disk at every n-th operation, and gives it room again once a commit was refused.</summary>
    /// <param name="seed">The history's seed.</param>
    /// <param name="stride">1 for every operation.</param>
    /// <param name="log">Told about progress.</param>
    /// <returns>What went wrong, each with its seed and operation.</returns>
    public static IReadOnlyList<string> RunFullDisks(int seed, int stride, Action<string> log) =>
        ForEach(seed, stride, log, (disk, n) => disk.FullAt = n);

    private static List<string> ForEach(int seed, int stride, Action<string> log, Action<SimulatedDisk, long> arm)
    {
        var failures = new List<string>();
        var operations = long.MaxValue;
        for (var n = 1L + Math.Abs(seed) % stride; n <= operations; n += stride)
        {
            var disk = new SimulatedDisk();
            arm(disk, n);
            var at = n;
            if (StorageThread.Run(n % 2 == 0, () => RunHistory(seed, disk)) is { } failure)
            {
                failures.Add($"seed {seed}, operation {at}: {failure}");
            }

            operations = disk.Operations;
            if (n % 100 == 0) log($"operation {n} of {operations}, {failures.Count} failures");
        }

        return failures;
    }

    private static string? RunHistory(int seed, SimulatedDisk disk)
    {
        var history = new StorageHistory(new Random(seed));
        var options = new LiteDbStorageOptions
        {
            Files = disk,
            LocalStateFolder = "/state",
            MachineIdentity = () => [1],
        };
        try
        {
            for (var opening = 0; opening < 2; opening++)
            {
                using var storage = Retrying(disk, () => LiteDbStorage.Open("/store.db", options));
                for (var step = 0; step < StepsPerHistory; step++) RunStep(disk, storage, history);
                if (Retrying(disk, () => history.Reopened(storage)) is { } lost) return "in the same process: " + lost;
            }

            using var last = Retrying(disk, () => LiteDbStorage.Open("/store.db", options));
            if (last.IsCopied) return "a failure looks like a copy";
            var faults = Retrying(disk, () => last.Verify(null, CancellationToken.None));
            return Retrying(disk, () => history.Reopened(last)) ?? (faults.Count > 0 ? faults[0].Description : null);
        }
        catch (Exception e)
        {
            return e.ToString();
        }
    }

    private static void RunStep(SimulatedDisk disk, LiteDbStorage storage, StorageHistory history)
    {
        try
        {
            history.Step(storage);
        }
        catch (SyncException e) when (e.Code is SyncErrorCode.StorageFailed or SyncErrorCode.StorageFull)
        {
            // While the disk is full, what was acknowledged must still be readable.
            if (e.Code == SyncErrorCode.StorageFull) CheckReadable(storage, history);
            Retrying(disk, () =>
            {
                history.Retry(storage);
                return 0;
            });
        }
    }

    private static void CheckReadable(LiteDbStorage storage, StorageHistory history)
    {
        var actual = StorageModel.Describe(storage, StorageHistory.DatasetMax);
        if (actual != history.Acknowledged.Describe() && actual != history.InFlight?.Describe())
        {
            throw new InvalidOperationException("A full disk hides what was acknowledged.");
        }
    }

    private static T Retrying<T>(SimulatedDisk disk, Func<T> action)
    {
        for (var retry = 0; ; retry++)
        {
            try
            {
                return action();
            }
            catch (SyncException e) when (retry < RetriesMax
                && e.Code is SyncErrorCode.StorageFailed or SyncErrorCode.StorageFull)
            {
                // The second attempt meets a disk with room again.
                if (retry > 0 || e.Code == SyncErrorCode.StorageFailed) disk.Capacity = long.MaxValue;
            }
        }
    }
}
