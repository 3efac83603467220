using System.Diagnostics;

namespace SyncEngine.Benchmarks.Workloads;

/// <summary>Clocks and memory, read the same way everywhere.</summary>
internal static class Measure
{
    public static double Milliseconds(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    public static async Task<double> MillisecondsAsync(Func<Task> action)
    {
        long start = Stopwatch.GetTimestamp();
        await action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <summary>
    /// Takes the garbage of what ran before off the clock of what runs next. Keeps the memory, as a running app
    /// would:
    /// getting it anew from the system, page by page, would be on the clock.
    /// </summary>
    public static void Collect() => Collect(GCCollectionMode.Forced);

    /// <summary>The heap's bytes, and the working set once the system has got back what is free.</summary>
    public static (long Heap, long WorkingSet) Memory()
    {
        Collect(GCCollectionMode.Aggressive);
        return (GC.GetTotalMemory(forceFullCollection: true), Environment.WorkingSet);
    }

    private static void Collect(GCCollectionMode mode)
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect(2, mode, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
    }

    public static double Round(double value, int digits = 3) => Math.Round(value, digits);

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    public static long PerSecond(double count, double milliseconds) => (long)(count / milliseconds * 1000);

    /// <summary>The system's load over the last minute, where it tells.</summary>
    public static double Load()
    {
        const string source = "/proc/loadavg";
        if (!File.Exists(source)) return 0;
        string first = File.ReadAllText(source).Split(' ')[0];
        return double.Parse(first, System.Globalization.CultureInfo.InvariantCulture);
    }
}
