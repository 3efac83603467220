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
    private static readonly (int Records, int Commits)[] _shapes =
        [(1, 200), (10, 200), (100, 200), (1000, 100), (10_000, 20)];

    private readonly record struct Outcome(double Milliseconds, ProcessIo Written);

    public async Task<JsonObject> RunAsync()
    {
        // Everything runs once before the clock counts, so that nothing is compiled on it.
        byte[][] warmUp = await FramesAsync(100, 50);
        for (int i = 0; i < 3; i++) await RoundAsync(warmUp);
        var rows = new JsonArray();
        foreach ((int perCommit, int commits) in _shapes) rows.Add(await CompareAsync(perCommit, commits));
        return new JsonObject { ["rounds"] = Rounds, ["rows"] = rows };
    }

    private async Task<JsonObject> CompareAsync(int perCommit, int commits)
    {
        byte[][] frames = await FramesAsync(perCommit, commits);
        var rounds = new List<Outcome[]>();
        for (int i = 0; i < Rounds; i++) rounds.Add(await RoundAsync(frames));
        double merged = (double)perCommit * commits, wire = frames.Sum(static frame => (long)frame.Length);
        double RatioTo(int other) => Round(Median(rounds.Select(r => r[other].Milliseconds / r[0].Milliseconds)));
        double RateOf(int which) => PerSecond(merged, Median(rounds.Select(r => r[which].Milliseconds)));
        ProcessIo written = rounds[0][0].Written;
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
            ["liteDbDiskBytesPerRecord"] = Round(rounds[0][2].Written.Dirtied / merged, 1),
            ["writeAmplification"] = Round(written.Passed / wire, 2),
            ["diskAmplification"] = Round(written.Dirtied / wire, 2),
        };
    }

    private async Task<Outcome[]> RoundAsync(byte[][] frames) =>
    [
        await MergeAsync(frames),
        Keep(frames, static path => new SyncedFile(path)),
        Keep(frames, static path => new PlainLiteDb(path)),
        Keep(frames, static path => new SyncedLiteDb(path)),
    ];

    private async Task<Outcome> MergeAsync(byte[][] frames)
    {
        string path = DurableSuite.Fresh(folder);
        double time;
        ProcessIo before;
        await using (SyncStore store = await StoreEngine.OpenFileAsync(path))
        {
            Dataset dataset = store.Identity.Dataset("records");
            Collect();
            before = ProcessIo.Read();
            time = await MillisecondsAsync(async () =>
            {
                foreach (byte[] frame in frames) await dataset.JoinAsync(frame);
            });
            if (dataset.DurableRevision != frames.Length) throw new InvalidOperationException("A merge is not durable.");
        }

        // Closing moves what the log holds into the database: that is part of the bytes, though nobody waits for it.
        ProcessIo written = ProcessIo.Read() - before;
        Directory.Delete(path, recursive: true);
        return new Outcome(time, written);
    }

    private Outcome Keep(byte[][] frames, Func<string, ICommitLog> open)
    {
        string path = DurableSuite.Fresh(folder);
        double time;
        ProcessIo before;
        using (ICommitLog log = open(path))
        {
            Collect();
            before = ProcessIo.Read();
            time = Milliseconds(() =>
            {
                foreach (byte[] frame in frames) log.Commit(frame);
            });
        }

        ProcessIo written = ProcessIo.Read() - before;
        Directory.Delete(path, recursive: true);
        return new Outcome(time, written);
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
}
