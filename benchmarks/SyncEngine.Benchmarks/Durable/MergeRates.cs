using System.Text.Json.Nodes;
using SyncEngine.Benchmarks.Workloads;
using SyncEngine.Causality;
using SyncEngine.Datasets;
using static SyncEngine.Benchmarks.Workloads.Measure;

namespace SyncEngine.Benchmarks.Durable;

/// <summary>
/// Merges of so many records a commit, each durable before it counts, beside the same bytes with a bare fsync and as
/// documents of LiteDB.
/// </summary>
internal sealed class MergeRates(string folder, int records)
{
    private const int Rounds = 3;
    private const int Blocks = 10;
    private static readonly (int Records, int Commits)[] _shapes =
        [(1, 200), (10, 200), (100, 200), (1000, 100), (10_000, 20)];

    private static readonly Func<string, ICommitLog>[] _contenders =
    [
        static path => new MergingStore(path),
        static path => new SyncedFile(path),
        static path => new PlainLiteDb(path),
        static path => new SyncedLiteDb(path),
    ];

    public async Task<JsonObject> RunAsync()
    {
        // Everything runs once before the clock counts, so that nothing is compiled on it.
        byte[][] warmUp = await FramesAsync(100, 50);
        for (int i = 0; i < 3; i++) TakeTurns(warmUp);
        var rows = new JsonArray();
        foreach ((int perCommit, int commits) in _shapes) rows.Add(await CompareAsync(perCommit, commits));
        return new JsonObject { ["rounds"] = Rounds, ["rows"] = rows };
    }

    private async Task<JsonObject> CompareAsync(int perCommit, int commits)
    {
        byte[][] frames = await FramesAsync(perCommit, commits);
        ProcessIo written = Written(frames, _contenders[0]), plain = Written(frames, _contenders[2]);
        var rounds = new List<double[]>();
        for (int i = 0; i < Rounds; i++) rounds.Add(TakeTurns(frames));
        double merged = (double)perCommit * commits, wire = frames.Sum(static frame => (long)frame.Length);
        double RatioTo(int other) => Round(Median(rounds.Select(times => times[other] / times[0])));
        double RateOf(int which) => PerSecond(merged, Median(rounds.Select(times => times[which])));
        return new JsonObject
        {
            ["recordsPerCommit"] = perCommit,
            ["mergesPerS"] = RateOf(0),
            ["bareFsyncPerS"] = RateOf(1),
            ["liteDbPerS"] = RateOf(2),
            ["liteDbSyncedPerS"] = RateOf(3),
            ["ratioToBareFsync"] = RatioTo(1),
            ["ratioToLiteDb"] = RatioTo(2),
            ["ratioToLiteDbSynced"] = RatioTo(3),
            ["wireBytesPerRecord"] = Round(wire / merged, 1),
            ["writtenBytesPerRecord"] = Round(written.Passed / merged, 1),
            ["diskBytesPerRecord"] = Round(written.Dirtied / merged, 1),
            ["liteDbDiskBytesPerRecord"] = Round(plain.Dirtied / merged, 1),
            ["writeAmplification"] = Round(written.Passed / wire, 2),
            ["diskAmplification"] = Round(written.Dirtied / wire, 2),
        };
    }

    /// <summary>
    /// The time each contender takes for all frames. They take turns every few frames, so that what else the
    /// machine does
    /// meanwhile hits all alike.
    /// </summary>
    private double[] TakeTurns(byte[][] frames)
    {
        string path = DurableSuite.Fresh(folder);
        ICommitLog[] logs = _contenders.Select(open => open(path)).ToArray();
        var times = new double[logs.Length];
        Collect();
        foreach (byte[][] block in frames.Chunk(Math.Max(1, frames.Length / Blocks)))
        {
            for (int i = 0; i < logs.Length; i++)
            {
                ICommitLog log = logs[i];
                times[i] += Milliseconds(() =>
                {
                    foreach (byte[] frame in block) log.Commit(frame);
                });
            }
        }

        foreach (ICommitLog log in logs) log.Dispose();
        Directory.Delete(path, recursive: true);
        return times;
    }

    /// <summary>
    /// What it takes to keep all frames, with closing: that moves what the log holds into the database, which counts
    /// although nobody waits for it.
    /// </summary>
    private ProcessIo Written(byte[][] frames, Func<string, ICommitLog> open)
    {
        string path = DurableSuite.Fresh(folder);
        ProcessIo before;
        using (ICommitLog log = open(path))
        {
            before = ProcessIo.Read();
            foreach (byte[] frame in frames) log.Commit(frame);
        }

        ProcessIo written = ProcessIo.Read() - before;
        Directory.Delete(path, recursive: true);
        return written;
    }

    /// <summary>Deltas of new records; once all have been written, of newer values for them.</summary>
    private async Task<byte[][]> FramesAsync(int perCommit, int commits)
    {
        using SyncStore store = SyncStore.OpenInMemory();
        Dataset source = store.Identity.Dataset("records");
        var frames = new byte[commits][];
        for (int i = 0; i < commits; i++)
        {
            VersionVector before = source.Version;
            int first = i * perCommit;
            source.Write(transaction =>
            {
                for (int j = first; j < first + perCommit; j++)
                {
                    Record record = RecordSet.Of(j % records, 1 + j / records);
                    transaction.Put(record.Key, record.Value);
                }
            });
            frames[i] = await source.DeltaAsync(before);
        }

        return frames;
    }

    /// <summary>The engine: a frame is committed once what it merged is durable.</summary>
    private sealed class MergingStore(string path) : ICommitLog
    {
        private readonly SyncStore _store = StoreEngine.OpenFile(path);
        private Dataset? _dataset;
        private long _commits;

        public void Commit(byte[] frame)
        {
            _dataset ??= _store.Identity.Dataset("records");
            _dataset.JoinAsync(frame).AsTask().GetAwaiter().GetResult();
            if (_dataset.DurableRevision != ++_commits) throw new InvalidOperationException("A merge is not durable.");
        }

        public void Dispose() => _store.Dispose();
    }
}
