using System.Diagnostics;
using System.Text.Json.Nodes;
using SyncEngine.Benchmarks.Workloads;
using SyncEngine.Datasets;
using SyncEngine.Sync;

namespace SyncEngine.Benchmarks.Syncing;

/// <summary>How long a put takes to be a change event on another store.</summary>
internal static class LiveLatency
{
    private const int Puts = 1000;
    private const int WarmUps = 200;

    public static async Task<JsonObject> RunAsync(string folder)
    {
        var result = new JsonObject();
        await AddAsync(result, "memory", SyncStore.OpenInMemory(), SyncStore.OpenInMemory());
        await AddAsync(result, "durable", StoreEngine.OpenFile(folder), StoreEngine.OpenFile(folder));
        return result;
    }

    private static async Task AddAsync(JsonObject result, string name, SyncStore left, SyncStore right)
    {
        await using (left)
        await using (right)
        {
            await right.AdoptIdentityAsync(left.Identity.Id);
            double[] sorted = (await MeasureAsync(left, right)).Order().ToArray();
            result[name + "MedianMs"] = Measure.Round(sorted[sorted.Length / 2]);
            result[name + "P99Ms"] = Measure.Round(sorted[sorted.Length * 99 / 100]);
        }
    }

    private static async Task<List<double>> MeasureAsync(SyncStore left, SyncStore right)
    {
        (ISyncTransport opener, ISyncTransport accepted) = await Loopback.ConnectAsync();
        using var stop = new CancellationTokenSource();
        Task<SyncResult> serving = right.ServeAsync(accepted).AsTask();
        Task<SyncResult> running = left.ExchangeAsync(opener, null, stop.Token).AsTask();
        Dataset here = left.Identity.Dataset("live"), there = right.Identity.Dataset("live");
        var arrived = new SemaphoreSlim(0);
        var times = new List<double>();
        using (there.Changes.Subscribe(_ => arrived.Release()))
        {
            for (int i = 0; i < WarmUps + Puts; i++)
            {
                long start = Stopwatch.GetTimestamp();
                here["key"] = i;
                if (!await arrived.WaitAsync(TimeSpan.FromSeconds(10)))
                    throw new InvalidOperationException("A change did not arrive.");
                if (i >= WarmUps) times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }

        await stop.CancelAsync();
        try
        {
            await running;
        }
        catch (OperationCanceledException)
        {
            // Stopped above.
        }

        await serving;
        return times;
    }
}
