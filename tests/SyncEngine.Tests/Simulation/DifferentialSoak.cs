using SyncEngine.Storage;

namespace SyncEngine.Tests.Simulation;

/// <summary>Many random histories of engine against model, each named by its seed.</summary>
public static class DifferentialSoak
{
    /// <summary>Runs a range of seeds and logs each failing one.</summary>
    /// <returns>How many failed.</returns>
    public static int Run(int firstSeed, int count, Action<string> log)
    {
        ArgumentNullException.ThrowIfNull(log);
        int failures = 0;
        for (int seed = firstSeed; seed < firstSeed + count; seed++)
        {
            if (WhyItFails(seed) is not { } why) continue;
            failures++;
            log($"seed {seed}: {why}");
        }

        log($"{count} random histories from seed {firstSeed}: {failures} failed");
        return failures;
    }

    /// <summary>Runs one history; null if engine and model agree to its end.</summary>
    internal static string? WhyItFails(int seed, Func<ulong, MemoryDisk?, long, Site>? makeSite = null)
    {
        DifferentialRun? run = null;
        try
        {
            run = new DifferentialRun(seed, makeSite);
            run.Run();
            return null;
        }
        catch (Exception e)
        {
            return e.ToString();
        }
        finally
        {
            run?.Dispose();
        }
    }
}
