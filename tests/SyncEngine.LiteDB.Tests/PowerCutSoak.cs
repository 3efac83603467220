using SyncEngine.Causality;
using SyncEngine.LiteDB.Tests.Simulation;

namespace SyncEngine.LiteDB.Tests;

/// <summary>Random histories on a simulated disk that loses power again and again.</summary>
public static class PowerCutSoak
{
    private const int CutsPerDisk = 10;

    /// <summary>Runs a number of power cuts and kills; returns what went wrong, each with its seed.</summary>
    /// <param name="seed">The first disk's seed; each further disk takes the next.</param>
    /// <param name="count">How many cuts.</param>
    /// <param name="withSynchronizationContext">Whether the storage's thread has one.</param>
    /// <param name="log">Told about progress.</param>
    public static IReadOnlyList<string> Run(int seed, int count, bool withSynchronizationContext, Action<string> log) =>
        Run(seed, count, withSynchronizationContext, log, null);

    internal static IReadOnlyList<string> Run(int seed, int count, bool withSynchronizationContext, Action<string> log,
        PlantedFaults? faults, int tornPercent = 10)
    {
        var failures = new List<string>();
        for (var first = 0; first < count; first += CutsPerDisk)
        {
            var diskSeed = seed + first / CutsPerDisk;
            var cuts = Math.Min(CutsPerDisk, count - first);
            var failure = StorageThread.Run(withSynchronizationContext,
                () => RunDisk(diskSeed, cuts, faults, tornPercent));
            if (failure is not null) failures.Add($"seed {diskSeed}, context {withSynchronizationContext}: {failure}");
            if (diskSeed % 50 == 0) log($"{first + cuts} cuts, {failures.Count} failures");
        }

        return failures;
    }

    private static string? RunDisk(int seed, int cuts, PlantedFaults? faults, int tornPercent)
    {
        var random = new Random(seed);
        var disk = new SimulatedDisk { TornPercent = tornPercent };
        var history = new StorageHistory(random);
        var options = new LiteDbStorageOptions
        {
            Files = disk,
            Faults = faults,
            LocalStateFolder = "/state",
            MachineIdentity = () => [1],
        };
        for (var cut = 0; cut < cuts; cut++)
        {
            disk.CutAt = disk.Operations + random.Next(1, random.Next(2) == 0 ? 12 : 150);
            var failure = RunUntilCut(disk, options, history, random);
            if (random.Next(4) == 0) disk.KillProcess();
            else disk.LosePower(random, keepNothing: random.Next(4) == 0);
            failure ??= Check(options, history);
            if (failure is not null) return $"cut {cut}: {failure}";
        }

        return null;
    }

    private static string? RunUntilCut(SimulatedDisk disk, LiteDbStorageOptions options, StorageHistory history,
        Random random)
    {
        try
        {
            while (true)
            {
                using var storage = LiteDbStorage.Open("/store.db", options);
                if (storage.IsCopied) return "a store that was never copied says it was";
                for (var steps = random.Next(40); steps >= 0; steps--) history.Step(storage);
            }
        }
        catch (SyncException e) when (e.Code == SyncErrorCode.StorageFailed && disk.IsDead)
        {
            return null;
        }
        catch (Exception e)
        {
            return "an operation failed: " + e;
        }
    }

    private static string? Check(LiteDbStorageOptions options, StorageHistory history)
    {
        try
        {
            using var storage = LiteDbStorage.Open("/store.db", options);
            if (storage.IsCopied) return "a crash looks like a copy";
            if (history.Reopened(storage) is { } failure) return failure;
            var faults = storage.Verify(null, CancellationToken.None);
            return faults.Count > 0 ? "after the cut: " + faults[0].Description : null;
        }
        catch (Exception e)
        {
            return "the store does not open: " + e;
        }
    }
}
