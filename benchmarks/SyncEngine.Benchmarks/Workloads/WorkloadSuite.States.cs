using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using static SyncEngine.Benchmarks.Workloads.Measure;

namespace SyncEngine.Benchmarks.Workloads;

internal sealed partial class WorkloadSuite
{
    private const int AuthorRecords = 100;

    private JsonObject CatchUp()
    {
        WarmUp(() => PullRounds(Math.Max(100, count / 10)));
        List<Exchange> pulls = PullRounds(count);
        double deltaBytes = Median(pulls.Select(static pull => (double)pull.DeltaBytes));
        return new JsonObject
        {
            ["converged"] = true,
            ["versionMs"] = Round(Median(pulls.Select(static pull => pull.Version))),
            ["encodeMs"] = Round(Median(pulls.Select(static pull => pull.Encode))),
            ["applyMs"] = Round(Median(pulls.Select(static pull => pull.Apply))),
            ["totalMs"] = Round(Median(pulls.Select(static pull => pull.Total))),
            ["bestTotalMs"] = Round(pulls.Min(static pull => pull.Total)),
            ["upBytes"] = Median(pulls.Select(static pull => (double)pull.UpBytes)),
            ["deltaBytes"] = deltaBytes,
            ["bytesPerChange"] = deltaBytes / 100,
        };
    }

    /// <summary>
    /// Overwrites a hundred records and pulls them, again and again; the two must be equal in the end.
    /// </summary>
    private List<Exchange> PullRounds(int records)
    {
        const int RoundsMax = 200, FirstRounds = 100;
        using IReplica source = Filled(0, records, 1), target = engine.Open();
        Exchange.Pull(target, source);
        var pulls = new List<Exchange>();
        var clock = Stopwatch.StartNew();
        for (int round = 0; round < RoundsMax && clock.Elapsed < _patience; round++)
        {
            source.WriteAll(RecordSet.Hundred(records, round));
            Exchange pull = Exchange.Pull(target, source);
            if (round >= FirstRounds || clock.Elapsed > _patience / 3) pulls.Add(pull);
        }

        Require(AreEqual(source, target, records));
        return pulls;
    }

    private JsonObject EncodeState()
    {
        using IReplica replica = Filled(0, count, 1);
        var result = new JsonObject { ["bytesPerRecord"] = PerRecord(replica.EncodeAll()), ["alt"] = Others(replica) };
        foreach (int generation in (int[])[2, 3]) replica.WriteAll(RecordSet.Range(0, count, generation));
        result["after2Overwrites"] = PerRecord(replica.EncodeAll());
        result["alt2"] = Others(replica);
        return result;
    }

    private JsonObject Others(IReplica replica)
    {
        var sizes = new JsonObject();
        foreach ((string name, Func<IReplica, byte[]> encode) in engine.OtherEncodings)
            sizes[name] = PerRecord(encode(replica));
        return sizes;
    }

    private double PerRecord(byte[] bytes) => Round((double)bytes.Length / count, 2);

    private JsonObject HoldInMemory()
    {
        // What the first use of the engine and of the data set leaves behind is not the records' cost.
        using (IReplica warmUp = Filled(0, 100, 1))
        using (IReplica copy = Loaded(warmUp.EncodeAll())) RequireValues(copy, 100);
        (long rss, long heap, byte[] state) = MeasureWritten();
        long loaded = MeasureLoaded(state);
        return new JsonObject
        {
            ["writtenRssPerRecord"] = rss / count,
            ["writtenHeapPerRecord"] = heap / count,
            ["loadedHeapPerRecord"] = loaded / count,
        };
    }

    /// <summary>In a method of its own, so that nothing of the replica stays reachable from a local.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private (long Rss, long Heap, byte[] State) MeasureWritten()
    {
        const int ChunkLength = 1000;
        (long Heap, long WorkingSet) before = Memory();
        using IReplica replica = engine.Open();
        for (int i = 0; i < count; i += ChunkLength)
            replica.WriteAll(RecordSet.Range(i, Math.Min(ChunkLength, count - i), 1));
        (long Heap, long WorkingSet) after = Memory();
        return (after.WorkingSet - before.WorkingSet, after.Heap - before.Heap, replica.EncodeAll());
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private long MeasureLoaded(byte[] state)
    {
        long before = Memory().Heap;
        using IReplica replica = Loaded(state);

        // Nothing may hide by being decoded only when it is read.
        for (int i = 0; i < count; i++) replica.Read(RecordSet.KeyOf(i));
        long heap = Memory().Heap - before;
        RequireValues(replica, count, 97);
        return heap;
    }

    private JsonObject MergeManyAuthors()
    {
        int authors = Math.Max(10, Math.Min(1000, count / AuthorRecords));
        var runs = Best(authors, n =>
        {
            using IReplica target = engine.Open();
            byte[] version = target.EncodeVersion();
            var deltas = new List<byte[]>();
            for (int i = 0; i < n; i++)
            {
                using IReplica author = engine.OpenAuthor();
                author.WriteAll(RecordSet.Range(i * AuthorRecords, AuthorRecords, 1));
                deltas.Add(author.EncodeDelta(version));
            }

            double time = Milliseconds(() =>
            {
                foreach (byte[] delta in deltas) target.Apply(delta);
            });
            RequireValues(target, n * AuthorRecords, 37);
            long bytes = deltas.Sum(static delta => (long)delta.Length);
            return (Time: time, In: bytes, Full: target.EncodeAll().LongLength);
        });
        double best = runs.Min(static run => run.Time);
        return new JsonObject
        {
            ["replicas"] = authors,
            ["ms"] = Round(best),
            ["recordsPerS"] = PerSecond(authors * AuthorRecords, best),
            ["bytesIn"] = runs[0].In,
            ["fullBytesPerRecord"] = Round((double)runs[0].Full / (authors * AuthorRecords), 2),
        };
    }
}
