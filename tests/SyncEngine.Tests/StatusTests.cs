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
        var closed = new TaskCompletionSource();
        SyncStore store = await SyncStore.OpenAsync(() => new FaultyStorage(disk.Open(), faults));
        using IDisposable subscription = store.Status.Subscribe(status =>
        {
            lock (seen) seen.Add(status.State);
        }, closed.SetResult);
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
        await closed.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(
            [SyncStoreState.Ready, SyncStoreState.StorageFailed, SyncStoreState.Ready, SyncStoreState.Closed],
            seen.WithoutRepetitions());
        await using SyncStore again = await SyncStore.OpenAsync(disk.Open);
        Assert.Equal(3, again.Identity.Dataset("save").Count);
    }

    [Fact]
    public async Task An_observer_of_the_status_that_throws_harms_nobody()
    {
        var faults = new Faults();
        var told = new TaskCompletionSource<Exception>();
        var options = new SyncStoreOptions { ObserverFailed = failure => told.TrySetResult(failure) };
        await using SyncStore store = await SyncStore.OpenAsync(
            () => new FaultyStorage(new MemoryDisk().Open(), faults), options);
        using IDisposable subscription = store.Status.Subscribe(static _ => throw new InvalidOperationException("mine"));
        Assert.Equal("mine", (await told.Task.WaitAsync(TimeSpan.FromSeconds(30))).Message);
        await store.Identity.Dataset("save").PutAsync("a", 1);
    }

    [Fact]
    public async Task Everyone_who_waits_is_told_when_a_commit_fails()
    {
        var faults = new Faults();
        SyncStore store = await SyncStore.OpenAsync(() => new FaultyStorage(new MemoryDisk().Open(), faults));
        Dataset first = store.Identity.Dataset("first"), second = store.Identity.Dataset("second");
        faults.BeforeCommit = static _ => new SyncException(SyncErrorCode.StorageFull, "The disk is full.");
        faults.Waiting.Reset();
        faults.Gate.Reset();
        Task one = first.PutAsync("a", 1).AsTask();
        Assert.True(faults.Waiting.Wait(TimeSpan.FromSeconds(30)));
        Task two = second.PutAsync("b", 2).AsTask();
        faults.Gate.Set();
        await Assert.ThrowsAsync<SyncException>(() => one.WaitAsync(TimeSpan.FromSeconds(30)));
        await Assert.ThrowsAsync<SyncException>(() => two.WaitAsync(TimeSpan.FromSeconds(30)));
        faults.BeforeCommit = static _ => null;
        await store.FlushAsync();
        Assert.True(second.DurableRevision == second.Revision);
        await store.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(
            () => store.CreateIdentityAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30)));
    }
}

/// <summary>Drops repetitions, since a failing storage is tried again and tells each time.</summary>
internal static class Repetitions
{
    public static List<T> WithoutRepetitions<T>(this IReadOnlyList<T> items) =>
        items.Where((item, i) => i == 0 || !Equals(item, items[i - 1])).ToList();
}
