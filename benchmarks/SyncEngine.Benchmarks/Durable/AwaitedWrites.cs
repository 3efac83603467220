using System.Diagnostics;
using System.Text.Json.Nodes;
using SyncEngine.Benchmarks.Workloads;
using SyncEngine.Causality;
using SyncEngine.Datasets;
using static SyncEngine.Benchmarks.Workloads.Measure;

namespace SyncEngine.Benchmarks.Durable;

/// <summary>Writes that are waited for: how long one takes, and how many a second when others write, too.</summary>
internal static class AwaitedWrites
{
    private const int Writers = 64;

    /// <summary>One awaited put beside one fsynced commit of LiteDB with the same bytes, turn by turn.</summary>
    public static async Task<JsonObject> CompareAsync(string folder)
    {
        const int Blocks = 12, BlockLength = 40, WarmUpBlocks = 2;
        byte[] frame = await SmallFrameAsync();
        await using SyncStore store = await StoreEngine.OpenFileAsync(DurableSuite.Fresh(folder));
        Dataset dataset = store.Identity.Dataset("records");
        using var synced = new SyncedLiteDb(folder);
        using var plain = new PlainLiteDb(folder);
        using var bare = new SyncedFile(folder);
        var times = new List<double>[4];
        for (int i = 0; i < times.Length; i++) times[i] = [];
        for (int block = 0; block < Blocks; block++)
        {
            if (block == WarmUpBlocks)
                foreach (List<double> list in times) list.Clear();
            for (int i = 0; i < BlockLength; i++)
            {
                Record record = RecordSet.Of(block * BlockLength + i, 1);
                times[0].Add(await MillisecondsAsync(async () => await dataset.PutAsync(record.Key, record.Value)));
            }

            for (int i = 0; i < BlockLength; i++) times[1].Add(Milliseconds(() => synced.Commit(frame)));
            for (int i = 0; i < BlockLength; i++) times[2].Add(Milliseconds(() => plain.Commit(frame)));
            for (int i = 0; i < BlockLength; i++) times[3].Add(Milliseconds(() => bare.Commit(frame)));
        }

        double put = Median(times[0]), commit = Median(times[1]);
        return new JsonObject
        {
            ["putMs"] = Round(put),
            ["liteDbSyncedMs"] = Round(commit),
            ["liteDbMs"] = Round(Median(times[2])),
            ["bareFsyncMs"] = Round(Median(times[3])),
            ["ratioToLiteDbSynced"] = Round(put / commit, 2),
            ["ratioToBareFsync"] = Round(put / Median(times[3]), 2),
            ["samples"] = times[0].Count,
        };
    }

    /// <summary>Awaited puts a second with one writer and with 64 at once, who share commits.</summary>
    public static async Task<JsonObject> ShareAsync(string folder)
    {
        const int Rounds = 3;
        await using SyncStore store = await StoreEngine.OpenFileAsync(DurableSuite.Fresh(folder));
        Dataset dataset = store.Identity.Dataset("records");
        await PutsPerSecondAsync(dataset, Writers, TimeSpan.FromSeconds(0.5));
        var ones = new List<double>();
        var many = new List<double>();
        for (int i = 0; i < Rounds; i++)
        {
            ones.Add(await PutsPerSecondAsync(dataset, 1, TimeSpan.FromSeconds(1.5)));
            many.Add(await PutsPerSecondAsync(dataset, Writers, TimeSpan.FromSeconds(1.5)));
        }

        return new JsonObject
        {
            ["writers"] = Writers,
            ["onePutsPerS"] = Round(Median(ones), 0),
            ["manyPutsPerS"] = Round(Median(many), 0),
            ["ratio"] = Round(Median(many.Zip(ones, static (m, o) => m / o)), 1),
        };
    }

    private static async Task<double> PutsPerSecondAsync(Dataset dataset, int writers, TimeSpan length)
    {
        long puts = 0;
        var clock = Stopwatch.StartNew();
        async Task WriteAsync(int writer)
        {
            for (int i = 0; clock.Elapsed < length; i++)
            {
                Record record = RecordSet.Of(writer * 1000 + i % 1000, i);
                await dataset.PutAsync(record.Key, record.Value);
                Interlocked.Increment(ref puts);
            }
        }

        await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(() => WriteAsync(writer))));
        return puts / clock.Elapsed.TotalSeconds;
    }

    private static async Task<byte[]> SmallFrameAsync()
    {
        using SyncStore store = SyncStore.OpenInMemory();
        Dataset source = store.Identity.Dataset("records");
        Record record = RecordSet.Of(0, 1);
        source.Put(record.Key, record.Value);
        return await source.DeltaAsync(VersionVector.Empty);
    }
}
