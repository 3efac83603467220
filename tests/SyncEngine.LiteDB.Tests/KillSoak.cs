using System.Diagnostics;
using System.Globalization;
using SyncEngine.CrashChild;
using SyncEngine.Storage;

namespace SyncEngine.LiteDB.Tests;

/// <summary>Kills a real process in the middle of its commits, again and again, and looks at what it left.</summary>
public static class KillSoak
{
    private const int CommitsMax = 60;

    /// <summary>Runs a number of kills on one store; returns what went wrong.</summary>
    /// <param name="seed">Decides after how many commits, and how long after, each child is killed.</param>
    /// <param name="count">How many kills.</param>
    /// <param name="withSynchronizationContext">Whether the child's storage thread has one.</param>
    /// <param name="log">Told about progress.</param>
    public static IReadOnlyList<string> Run(int seed, int count, bool withSynchronizationContext, Action<string> log)
    {
        var failures = new List<string>();
        var folder = Directory.CreateTempSubdirectory("kill").FullName;
        try
        {
            var random = new Random(seed);
            var acknowledged = 0L;
            for (var kill = 0; kill < count && failures.Count == 0; kill++)
            {
                acknowledged = Math.Max(acknowledged, RunChild(folder, random, withSynchronizationContext));
                if (Check(folder, ref acknowledged) is { } fault) failures.Add($"seed {seed}, kill {kill}: {fault}");
                if (kill % 50 == 49) log($"{kill + 1} kills, {acknowledged} commits, {failures.Count} failures");
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        return failures;
    }

    private static long RunChild(string folder, Random random, bool withSynchronizationContext)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        start.ArgumentList.Add(typeof(CrashFrames).Assembly.Location);
        start.ArgumentList.Add(Path.Combine(folder, "store.db"));
        start.ArgumentList.Add(Path.Combine(folder, "state"));
        start.ArgumentList.Add(withSynchronizationContext.ToString());
        using var child = Process.Start(start)!;
        var last = 0L;
        for (var left = random.Next(CommitsMax); left >= 0 && child.StandardOutput.ReadLine() is { } line; left--)
        {
            last = long.Parse(line, CultureInfo.InvariantCulture);
        }

        // Anywhere within the next commit, not just after an acknowledgement.
        Thread.SpinWait(random.Next(200_000));
        child.Kill();

        // The last line may be cut short, and then was not seen as an acknowledgement by anybody.
        var rest = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        foreach (var line in rest[..(rest.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            last = long.Parse(line, CultureInfo.InvariantCulture);
        }

        return last;
    }

    private static string? Check(string folder, ref long acknowledged)
    {
        var options = new LiteDbStorageOptions { LocalStateFolder = Path.Combine(folder, "state") };
        using var storage = LiteDbStorage.Open(Path.Combine(folder, "store.db"), options);
        if (storage.IsCopied) return "a kill looks like a copy";
        var last = CrashFrames.LastCommit(storage);
        if (last < acknowledged) return $"commit {acknowledged} was acknowledged, {last} is there";
        acknowledged = last;
        for (var dataset = 1; dataset <= 2; dataset++)
        {
            var checker = new Checker(dataset, last);
            storage.ReadFrames(dataset, checker, CancellationToken.None);
            if (checker.Failure is { } failure) return failure;
            var end = checker.LastSequence;
            if (last > 0 && end != last) return $"dataset {dataset} ends at {end}, not {last}";
        }

        return null;
    }

    private sealed class Checker(int dataset, long last) : IFrameReader
    {
        private readonly long _snapshotAt = dataset == 1 ? last / 200 * 200 : 0;

        public string? Failure { get; private set; }

        public long LastSequence { get; private set; }

        public void OnSnapshotPage(int page, ReadOnlyMemory<byte> frame)
        {
            if (!frame.Span.SequenceEqual(CrashFrames.Frame(100 + page, _snapshotAt))) Failure = $"page {page} differs";
        }

        public void OnLogFrame(long sequence, ReadOnlyMemory<byte> frame)
        {
            var expected = LastSequence == 0 ? Math.Max(1, _snapshotAt) : LastSequence + 1;
            if (sequence != expected) Failure ??= $"dataset {dataset} has {sequence} where {expected} should be";
            var isSame = frame.Span.SequenceEqual(CrashFrames.Frame(dataset, sequence));
            if (!isSame) Failure ??= $"frame {sequence} differs";
            LastSequence = sequence;
        }

        public void OnDamaged(StorageFault fault) => Failure ??= fault.ToString();
    }
}
