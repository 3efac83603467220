using SyncEngine.Tests.Sync;

namespace SyncEngine.Tests.Simulation;

/// <summary>Many random histories of copied files and of sessions, each named by its seed.</summary>
public static class SyncSoak
{
    /// <summary>Copies and rollbacks, engine against model.</summary>
    /// <returns>How many failed.</returns>
    public static int RunHealing(int firstSeed, int count, Action<string> log) =>
        Run(firstSeed, count, log, static seed => HealingTests.Check(seed));

    /// <summary>Durable stores over bad networks.</summary>
    /// <returns>How many failed.</returns>
    public static int RunSessions(int firstSeed, int count, Action<string> log) =>
        Run(firstSeed, count, log, static seed => SessionHistoryTests.RunAsync(seed, 1).GetAwaiter().GetResult());

    private static int Run(int firstSeed, int count, Action<string> log, Action<int> check)
    {
        ArgumentNullException.ThrowIfNull(log);
        int failures = 0;
        for (int seed = firstSeed; seed < firstSeed + count; seed++)
        {
            try
            {
                check(seed);
            }
            catch (Exception e)
            {
                failures++;
                log($"seed {seed}: {e}");
            }
        }

        return failures;
    }
}
