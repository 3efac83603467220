using System.Globalization;

namespace SyncEngine.Benchmarks.Durable;

/// <summary>What this process has written so far, as Linux counts it; zero elsewhere.</summary>
/// <param name="Passed">Bytes handed to write calls (wchar).</param>
/// <param name="Dirtied">Bytes of pages made dirty, and so on their way to the disk (write_bytes).</param>
internal readonly record struct ProcessIo(long Passed, long Dirtied)
{
    private const string Source = "/proc/self/io";

    public static ProcessIo Read()
    {
        if (!File.Exists(Source)) return default;
        Dictionary<string, long> counts = File.ReadLines(Source).Select(static line => line.Split(": ")).ToDictionary(
            static parts => parts[0], static parts => long.Parse(parts[1], CultureInfo.InvariantCulture));
        return new ProcessIo(counts["wchar"], counts["write_bytes"]);
    }

    public static ProcessIo operator -(ProcessIo left, ProcessIo right) =>
        new(left.Passed - right.Passed, left.Dirtied - right.Dirtied);
}
