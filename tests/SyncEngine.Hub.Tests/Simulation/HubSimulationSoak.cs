using System.Diagnostics;

namespace SyncEngine.Hub.Tests.Simulation;

/// <summary>Histories with a hub for as long as one likes.</summary>
public static class HubSimulationSoak
{
    /// <summary>Plays histories from a seed on for so many seconds, and tells those that go wrong.</summary>
    /// <returns>How many went wrong.</returns>
    public static int Run(int seed, int seconds, Action<string> say)
    {
        ArgumentNullException.ThrowIfNull(say);
        var watch = Stopwatch.StartNew();
        var counts = new HubCounts();
        int failures = 0;
        for (ulong next = (ulong)seed; watch.Elapsed.TotalSeconds < seconds; next++)
        {
            if (HubHistory.Fail(next, counts) is not { } failure) continue;
            failures++;
            say(failure);
        }

        say(counts.ToString());
        return failures;
    }
}
