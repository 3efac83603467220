using System.Text.Json.Nodes;
using SyncEngine.Benchmarks.Durable;
using SyncEngine.Benchmarks.Workloads;
using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Sync;

namespace SyncEngine.Benchmarks.Syncing;

/// <summary>
/// How much longer a first sync over a connection takes than the same work done at once: a store in a file encodes all it has,
/// another in a fresh file decodes, merges and flushes it. Beside it the same into memory, where nothing becomes durable.
/// </summary>
internal static class CatchUp
{
    /// <summary>Rounds before the clock counts: what runs once a transfer is compiled for good only after many.</summary>
    private const int WarmUps = 10;

    public static async Task<JsonObject> RunAsync(string folder, int records, int repeats)
    {
        await using SyncStore source = StoreEngine.OpenFile(folder);
        Record[] all = RecordSet.Range(0, records, 0);
        await source.Identity.Dataset("records").WriteAsync(transaction =>
        {
            foreach (Record record in all) transaction.Put(record.Key, record.Value);
        });
        List<double> connected = [], durable = [], inMemory = [];
        long bytes = 0;
        for (int i = -WarmUps; i < repeats; i++)
        {
            double atOnce = await AtOnceAsync(source, StoreEngine.OpenFile(DurableSuite.Fresh(folder)));
            (double overTcp, bytes) = await OverTcpAsync(folder, source, records);
            double intoMemory = await AtOnceAsync(source, SyncStore.OpenInMemory());
            if (i < 0) continue;
            durable.Add(atOnce);
            connected.Add(overTcp);
            inMemory.Add(intoMemory);
        }

        double median = Measure.Median(connected);
        return new JsonObject
        {
            ["records"] = records,
            ["tcpMedianMs"] = Measure.Round(median, 1),
            ["tcpBestMs"] = Measure.Round(connected.Min(), 1),
            ["atOnceDurableMedianMs"] = Measure.Round(Measure.Median(durable), 1),
            ["atOnceDurableBestMs"] = Measure.Round(durable.Min(), 1),
            ["atOnceInMemoryMedianMs"] = Measure.Round(Measure.Median(inMemory), 1),
            ["atOnceInMemoryBestMs"] = Measure.Round(inMemory.Min(), 1),
            ["ratio"] = Measure.Round(median / Measure.Median(durable), 2),
            ["ratioOfBests"] = Measure.Round(connected.Min() / durable.Min(), 2),
            ["recordsPerSecond"] = Measure.PerSecond(records, median),
            ["bytes"] = bytes,
        };
    }

    private static async Task<double> AtOnceAsync(SyncStore source, SyncStore opened)
    {
        await using SyncStore target = opened;
        await target.AdoptIdentityAsync(source.Identity.Id);
        Measure.Collect();
        return await Measure.MillisecondsAsync(async () =>
        {
            byte[] delta = await source.Identity.Dataset("records").DeltaAsync(VersionVector.Empty);
            Dataset dataset = target.Identity.Dataset("records");
            dataset.Join(delta);
            await dataset.FlushAsync();
        });
    }

    private static async Task<(double Milliseconds, long Bytes)> OverTcpAsync(string folder, SyncStore source, int records)
    {
        await using SyncStore target = StoreEngine.OpenFile(DurableSuite.Fresh(folder));
        await target.AdoptIdentityAsync(source.Identity.Id);
        (ISyncTransport opener, ISyncTransport accepted) = await Loopback.ConnectAsync();
        long bytes = 0;
        Measure.Collect();
        double milliseconds = await Measure.MillisecondsAsync(async () =>
        {
            Task<SyncResult> serving = source.ServeAsync(accepted).AsTask();
            bytes = (await target.SynchronizeAsync(opener)).BytesReceived;
            await serving;
        });
        if (target.Identity.Dataset("records").Count != records)
            throw new InvalidOperationException("Not all records came.");
        return (milliseconds, bytes);
    }
}
