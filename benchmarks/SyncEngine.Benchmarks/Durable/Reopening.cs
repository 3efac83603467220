using System.Text.Json.Nodes;
using SyncEngine.Benchmarks.Workloads;
using SyncEngine.Datasets;
using static SyncEngine.Benchmarks.Workloads.Measure;

namespace SyncEngine.Benchmarks.Durable;

/// <summary>How long a closed file takes to be usable again, and what its dataset then takes in memory.</summary>
internal static class Reopening
{
    private const int Rounds = 3;

    public static async Task<JsonObject> RunAsync(string folder, int[] sizes)
    {
        string small = DurableSuite.Fresh(folder);
        await FillAsync(small, 0, 10_000);
        for (int i = 0; i < 8; i++) await ReopenAsync(small, 10_000);
        var rows = new JsonArray();
        foreach (int size in sizes) rows.Add(await MeasureAsync(DurableSuite.Fresh(folder), size));
        return new JsonObject { ["rounds"] = Rounds, ["rows"] = rows };
    }

    /// <summary>Adds records to the store in a folder, ten thousand a transaction.</summary>
    public static async Task FillAsync(string folder, int from, int to)
    {
        await using SyncStore store = await StoreEngine.OpenFileAsync(folder);
        await FillAsync(store.Identity.Dataset("records"), from, to);
    }

    public static async Task FillAsync(Dataset dataset, int from, int to)
    {
        const int ChunkLength = 10_000;
        for (int first = from; first < to; first += ChunkLength)
        {
            Record[] records = RecordSet.Range(first, Math.Min(ChunkLength, to - first), 1);
            await dataset.WriteAsync(transaction =>
            {
                foreach (Record record in records) transaction.Put(record.Key, record.Value);
            });
        }
    }

    private static async Task<JsonObject> MeasureAsync(string folder, int size)
    {
        await FillAsync(folder, 0, size);
        var runs = new List<(double Open, double Load, long Heap)>();
        for (int i = 0; i < Rounds; i++) runs.Add(await ReopenAsync(folder, size));
        long fileBytes = Directory.GetFiles(folder).Sum(static path => new FileInfo(path).Length);
        return new JsonObject
        {
            ["records"] = size,
            ["openMs"] = Round(Median(runs.Select(static run => run.Open)), 1),
            ["loadMs"] = Round(Median(runs.Select(static run => run.Load)), 1),
            ["totalMs"] = Round(Median(runs.Select(static run => run.Open + run.Load)), 1),
            ["heapPerRecord"] = (long)Median(runs.Select(static run => (double)run.Heap)) / size,
            ["fileBytesPerRecord"] = Round((double)fileBytes / size, 1),
        };
    }

    private static async Task<(double Open, double Load, long Heap)> ReopenAsync(string folder, int size)
    {
        (double open, double load, long heap) = await OpenAndCloseAsync(folder, size);

        // Whatever an earlier round left behind is in both figures, so their difference is what the store held.
        return (open, load, heap - Memory().Heap);
    }

    private static async Task<(double Open, double Load, long Heap)> OpenAndCloseAsync(string folder, int size)
    {
        SyncStore store = null!;
        Dataset dataset = null!;
        Collect();
        double open = await MillisecondsAsync(async () => store = await StoreEngine.OpenFileAsync(folder));
        await using (store)
        {
            double load = await MillisecondsAsync(
                async () => dataset = await store.Identity.OpenDatasetAsync("records"));
            long heap = Memory().Heap;
            if (dataset.Count != size)
                throw new InvalidOperationException($"{dataset.Count} of {size} records came back.");
            for (int i = 0; i < size; i += 97)
            {
                if (dataset.Get<string>(RecordSet.KeyOf(i)) != RecordSet.ValueOf(i, 1))
                    throw new InvalidOperationException("A record came back with another value.");
            }

            return (open, load, heap);
        }
    }
}
