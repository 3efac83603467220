using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Storage;
using SyncEngine.Tests.Simulation;
using Xunit;

namespace SyncEngine.Tests;

public sealed class StatusTests
{
    [Fact]
    public async Task The_status_tells_of_a_failing_storage_and_of_its_recovery()
    {
        var faults = new Faults();
        var disk = new MemoryDisk();
        var seen = new List<SyncStoreState>();
        SyncStore store = await SyncStore.OpenAsync(() => new FaultyStorage(disk.Open(), faults));
        using IDisposable subscription = store.Status.Subscribe(status =>
        {
            lock (seen) seen.Add(status.State);
        });
        Dataset save = store.Identity.Dataset("save");
        await save.PutAsync("a", 1);
        faults.BeforeCommit = static _ => new SyncException(SyncErrorCode.StorageFull, "The disk is full.");
        var failed = await Assert.ThrowsAsync<SyncException>(async () => await save.PutAsync("b", 2));
        Assert.Equal(SyncErrorCode.StorageFull, failed.Code);
        Assert.Equal(2, save.Get<int>("b"));
        Assert.Throws<SyncException>(() => save["c"] = 3);
        faults.BeforeCommit = static _ => null;
        await store.FlushAsync();
        await save.PutAsync("c", 3);
        await store.DisposeAsync();
        Assert.Equal(
            [SyncStoreState.Ready, SyncStoreState.StorageFailed, SyncStoreState.Ready, SyncStoreState.Closed],
            seen.WithoutRepetitions());
        await using SyncStore again = await SyncStore.OpenAsync(disk.Open);
        Assert.Equal(3, again.Identity.Dataset("save").Count);
    }
}

/// <summary>Drops repetitions, since a failing storage is tried again and tells each time.</summary>
internal static class Repetitions
{
    public static List<T> WithoutRepetitions<T>(this IReadOnlyList<T> items) =>
        items.Where((item, i) => i == 0 || !Equals(item, items[i - 1])).ToList();
}
