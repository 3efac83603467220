using System.Diagnostics;
using System.Text.Json.Nodes;
using static SyncEngine.Benchmarks.Workloads.Measure;

namespace SyncEngine.Benchmarks.Workloads;

/// <summary>
/// The workloads W1 to W7. Each times only what its name says, checks what it made, and reports the best of several
/// runs, since others' load can only make a run slower.
/// </summary>
internal sealed partial class WorkloadSuite(IEngine engine, int count, int repeats)
{
    private const int WarmUpsMin = 8;
    private static readonly TimeSpan _warmUp = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan _compilation = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(50);

    public static IReadOnlyList<string> Names { get; } = ["W1", "W1s", "W2", "W3", "W4", "W5", "W6", "W7"];

    public JsonObject Run(string name)
    {
        Collect();
        JsonObject result = name switch
        {
            "W1" => WriteTogether(),
            "W1s" => WriteSingly(),
            "W2" => Replicate(),
            "W3" => MergeConcurrent(),
            "W4" => CatchUp(),
            "W5" => EncodeState(),
            "W6" => HoldInMemory(),
            "W7" => MergeManyAuthors(),
            _ => throw new ArgumentException($"There is no workload {name}.", nameof(name)),
        };
        result["n"] = count;
        result["load"] = Load();
        return result;
    }

    private JsonObject WriteTogether()
    {
        double best = Best(count, n =>
        {
            Record[] records = RecordSet.Range(0, n, 1);
            using IReplica replica = engine.Open();
            double time = Milliseconds(() => replica.WriteAll(records));
            Require(replica.Read(records[n / 2].Key) == records[n / 2].Value);
            return time;
        }).Min();
        return new JsonObject { ["ms"] = Round(best), ["opsPerS"] = PerSecond(count, best) };
    }

    /// <summary>
    /// Each write is a transaction of its own; the clock stops when the last change was delivered.
    /// </summary>
    private JsonObject WriteSingly()
    {
        (int writes, double ms) = Best(count, n => WriteAndHear(RecordSet.Range(0, n, 1))).MinBy(
            static run => run.Milliseconds / run.Writes);
        return new JsonObject
        {
            ["writes"] = writes, ["ms"] = Round(ms), ["opsPerS"] = PerSecond(writes, ms), ["events"] = writes,
        };
    }

    private (int Writes, double Milliseconds) WriteAndHear(Record[] records)
    {
        const long TimeMax = 15_000;
        using IReplica replica = engine.Open();
        using ChangeCount changes = replica.CountChanges();
        var clock = Stopwatch.StartNew();
        int writes = 0;
        while (writes < records.Length)
        {
            replica.Write(records[writes++]);
            if ((writes & 63) == 0 && clock.ElapsedMilliseconds > TimeMax) break;
        }

        changes.WaitFor(writes);
        double ms = clock.Elapsed.TotalMilliseconds;
        Require(changes.Delivered == writes && !changes.IsIncomplete);
        Require(replica.Read(records[writes - 1].Key) == records[writes - 1].Value);
        return (writes, ms);
    }

    private JsonObject Replicate()
    {
        var runs = Best(count, n =>
        {
            using IReplica source = Filled(0, n, 1), target = engine.Open();
            Exchange pull = Exchange.Pull(target, source);
            double read = Milliseconds(() => RequireValues(target, n));
            byte[] full = [];
            double save = Milliseconds(() => full = source.EncodeAll());
            double load = Milliseconds(() =>
            {
                using IReplica loaded = Loaded(full);
                Require(loaded.Read(RecordSet.KeyOf(5)) is not null);
            });
            return (Pull: pull, Read: read, Save: save, Load: load);
        });
        double apply = runs.Min(static run => run.Pull.Apply);
        return new JsonObject
        {
            ["encodeMs"] = Round(runs.Min(static run => run.Pull.Encode)),
            ["applyMs"] = Round(apply),
            ["recordsPerS"] = PerSecond(count, apply),
            ["deltaBytes"] = runs[0].Pull.DeltaBytes,
            ["checkReadMs"] = Round(runs.Min(static run => run.Read)),
            ["saveMs"] = Round(runs.Min(static run => run.Save)),
            ["loadMs"] = Round(runs.Min(static run => run.Load)),
        };
    }

    private JsonObject MergeConcurrent()
    {
        bool converged = true;
        var runs = Best(count, n =>
        {
            int half = n / 2;
            using IReplica left = Filled(0, n, 1), right = Filled(half, n, 2);
            Exchange toRight = Exchange.Pull(right, left), toLeft = Exchange.Pull(left, right);
            converged &= AreEqual(left, right, half + n);
            return (Apply: toRight.Apply + toLeft.Apply, All: toRight.Total + toLeft.Total,
                Bytes: toRight.DeltaBytes + toLeft.DeltaBytes);
        });
        double apply = runs.Min(static run => run.Apply), all = runs.Min(static run => run.All);
        Require(converged);
        return new JsonObject
        {
            ["converged"] = converged,
            ["applyMs"] = Round(apply),
            ["exchangeMs"] = Round(all),
            ["mergedPerS"] = PerSecond(2.0 * count, apply),
            ["exchangedPerS"] = PerSecond(2.0 * count, all),
            ["bytes"] = runs[0].Bytes,
        };
    }

    /// <summary>Runs a measurement at a tenth of its size to warm up, then some times.</summary>
    private List<T> Best<T>(int size, Func<int, T> run)
    {
        WarmUp(() => run(Math.Max(10, size / 10)));
        var results = new List<T>();
        var clock = Stopwatch.StartNew();
        while (results.Count < repeats && (results.Count == 0 || clock.Elapsed < _patience))
        {
            Collect();
            results.Add(run(size));
        }

        return results;
    }

    /// <summary>
    /// Repeats until the code is compiled as in a running app: the runtime optimizes only what has run for a while,
    /// on a
    /// thread that needs its time, too.
    /// </summary>
    private static void WarmUp(Action run)
    {
        var clock = Stopwatch.StartNew();
        for (int i = 0; (i < WarmUpsMin && clock.Elapsed < 4 * _warmUp) || clock.Elapsed < _warmUp; i++) run();
        Thread.Sleep(_compilation);
    }

    private IReplica Filled(int from, int records, int generation)
    {
        IReplica replica = engine.Open();
        replica.WriteAll(RecordSet.Range(from, records, generation));
        return replica;
    }

    private IReplica Loaded(byte[] state)
    {
        IReplica replica = engine.Open();
        replica.Apply(state);
        return replica;
    }

    private static void RequireValues(IReplica replica, int records, int step = 1)
    {
        for (int i = 0; i < records; i += step)
            Require(replica.Read(RecordSet.KeyOf(i)) == RecordSet.ValueOf(i, 1));
    }

    private static bool AreEqual(IReplica left, IReplica right, int records)
    {
        for (int i = 0; i < records; i++)
        {
            string key = RecordSet.KeyOf(i);
            if (left.Read(key) is not { } value || value != right.Read(key)) return false;
        }

        return true;
    }

    private static void Require(bool holds)
    {
        if (!holds) throw new InvalidOperationException("A result is wrong, so its time says nothing.");
    }
}
