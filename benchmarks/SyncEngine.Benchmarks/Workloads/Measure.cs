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

    /// <summary>Takes the garbage of what ran before off the clock of what runs next.</summary>
    public static void Collect()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
    }

    public static long HeapBytes()
    {
        Collect();
        return GC.GetTotalMemory(forceFullCollection: true);
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
