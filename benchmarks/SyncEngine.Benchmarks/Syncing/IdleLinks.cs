using System.Text.Json.Nodes;
using SyncEngine.Benchmarks.Workloads;
using SyncEngine.Sync;

namespace SyncEngine.Benchmarks.Syncing;

/// <summary>What a connected peer that says nothing costs.</summary>
internal static class IdleLinks
{
    private const int Links = 1000;

    public static async Task<JsonObject> RunAsync()
    {
        using SyncStore left = SyncStore.OpenInMemory(), right = SyncStore.OpenInMemory();
        await right.AdoptIdentityAsync(left.Identity.Id);
        left.Identity.Dataset("save")["x"] = 1;
        (CancellationTokenSource warmUp, List<Task> first) = Connect(left, right, 1);
        await Task.Delay(1000);
        (long before, _) = Measure.Memory();
        (CancellationTokenSource stop, List<Task> runs) = Connect(left, right, Links);
        await Task.Delay(3000);
        (long after, _) = Measure.Memory();
        long alive = runs.Count(static run => !run.IsCompleted);
        await stop.CancelAsync();
        await warmUp.CancelAsync();
        await Task.WhenAll(runs.Concat(first)).ContinueWith(static _ => { }, TaskScheduler.Default);
        return new JsonObject
        {
            ["links"] = alive / 2,
            ["bytesPerLinkEnd"] = (after - before) / (2 * Links),
        };
    }

    private static (CancellationTokenSource Stop, List<Task> Runs) Connect(SyncStore left, SyncStore right, int count)
    {
        var stop = new CancellationTokenSource();
        var runs = new List<Task>();
        for (int i = 0; i < count; i++)
        {
            (MemoryTransport l, MemoryTransport r) = MemoryTransport.CreatePair();
            runs.Add(right.ServeAsync(r, null, stop.Token).AsTask());
            runs.Add(left.ExchangeAsync(l, null, stop.Token).AsTask());
        }

        return (stop, runs);
    }
}
