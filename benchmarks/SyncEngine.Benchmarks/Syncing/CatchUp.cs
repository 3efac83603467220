using System.Text.Json.Nodes;
using SyncEngine.Benchmarks.Durable;
using SyncEngine.Benchmarks.Workloads;
using SyncEngine.Causality;
using SyncEngine.Sync;

namespace SyncEngine.Benchmarks.Syncing;

/// <summary>How much longer a first sync over a connection takes than encoding and merging the same in one
/// process.</summary>
internal static class CatchUp
{
    public static async Task<JsonObject> RunAsync(string folder, int records, int repeats)
    {
        await using SyncStore source = StoreEngine.OpenFile(folder);
        Record[] all = RecordSet.Range(0, records, 0);
        await source.Identity.Dataset("records").WriteAsync(transaction =>
        {
            foreach (Record record in all) transaction.Put(record.Key, record.Value);
        });
        double connected = double.MaxValue, alone = double.MaxValue;
        long bytes = 0;
        for (int i = 0; i < repeats; i++)
        {
            alone = Math.Min(alone, await InOneProcessAsync(folder, source));
            (double milliseconds, bytes) = await OverTcpAsync(folder, source, records);
            connected = Math.Min(connected, milliseconds);
        }

        return new JsonObject
        {
            ["records"] = records,
            ["tcpMs"] = Measure.Round(connected, 1),
            ["oneProcessMs"] = Measure.Round(alone, 1),
            ["ratio"] = Measure.Round(connected / alone, 2),
            ["recordsPerSecond"] = Measure.PerSecond(records, connected),
            ["bytes"] = bytes,
        };
    }

    private static async Task<double> InOneProcessAsync(string folder, SyncStore source)
    {
        await using SyncStore target = await PairAsync(folder, source);
        Measure.Collect();
        return await Measure.MillisecondsAsync(async () =>
        {
            byte[] delta = await source.Identity.Dataset("records").DeltaAsync(VersionVector.Empty);
            await target.Identity.Dataset("records").JoinAsync(delta);
        });
    }

    private static async Task<(double Milliseconds, long Bytes)> OverTcpAsync(string folder, SyncStore source, int records)
    {
        await using SyncStore target = await PairAsync(folder, source);
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

    private static async Task<SyncStore> PairAsync(string folder, SyncStore source)
    {
        SyncStore target = StoreEngine.OpenFile(DurableSuite.Fresh(folder));
        await target.AdoptIdentityAsync(source.Identity.Id);
        return target;
    }
}
