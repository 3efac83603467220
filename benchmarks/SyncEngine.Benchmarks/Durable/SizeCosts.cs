using System.Text.Json.Nodes;
using SyncEngine.Benchmarks.Workloads;
using SyncEngine.Datasets;
using static SyncEngine.Benchmarks.Workloads.Measure;

namespace SyncEngine.Benchmarks.Durable;

/// <summary>What a write costs in datasets of several sizes: in memory, and durable.</summary>
internal static class SizeCosts
{
    private const int Puts = 50_000;
    private const int AwaitedPuts = 200;

    public static async Task<JsonObject> RunAsync(string folder, int[] sizes)
    {
        using SyncStore memory = SyncStore.OpenInMemory();
        await using SyncStore file = await StoreEngine.OpenFileAsync(DurableSuite.Fresh(folder));
        Dataset light = memory.Identity.Dataset("records"), durable = file.Identity.Dataset("records");
        var rows = new JsonArray();
        var costs = new List<(double InMemory, double Awaited)>();
        int filled = 0;
        foreach (int size in sizes)
        {
            await Reopening.FillAsync(light, filled, size);
            await Reopening.FillAsync(durable, filled, size);
            filled = size;
            Collect();

            // The first pass compiles and warms the caches as far as they reach.
            double inMemory = Enumerable.Range(0, 4).Select(pass => PutCost(light, size, pass)).Skip(1).Min();
            double awaited = await AwaitedCostAsync(durable, size);
            costs.Add((inMemory, awaited));
            rows.Add(new JsonObject
            {
                ["records"] = size, ["putNs"] = Round(inMemory, 0), ["awaitedPutMs"] = Round(awaited),
            });
        }

        return new JsonObject
        {
            ["rows"] = rows,
            ["putRatio"] = Round(costs[^1].InMemory / costs[0].InMemory, 2),
            ["awaitedPutRatio"] = Round(costs[^1].Awaited / costs[0].Awaited, 2),
        };
    }

    private static double PutCost(Dataset dataset, int size, int pass)
    {
        Record[] records = Scattered(size, pass, Puts);
        double time = Milliseconds(() =>
        {
            foreach (Record record in records) dataset.Put(record.Key, record.Value);
        });
        return time * 1e6 / Puts;
    }

    private static async Task<double> AwaitedCostAsync(Dataset dataset, int size)
    {
        var times = new List<double>();
        foreach (Record record in Scattered(size, 9, AwaitedPuts))
            times.Add(await MillisecondsAsync(async () => await dataset.PutAsync(record.Key, record.Value)));
        return Median(times);
    }

    /// <summary>Newer values for records that lie all over the dataset.</summary>
    private static Record[] Scattered(int size, int pass, int count)
    {
        const long Stride = 7_368_787;
        return Enumerable.Range(0, count).Select(i => RecordSet.Of((int)(i * Stride % size), 2 + pass)).ToArray();
    }
}
