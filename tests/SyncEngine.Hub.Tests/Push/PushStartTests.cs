using Microsoft.Extensions.Logging.Abstractions;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Syncing;
using SyncEngine.Storage;
using SyncEngine.Tests.Simulation;
using Xunit;

namespace SyncEngine.Hub.Tests.Push;

/// <summary>What becomes of the last changes when the hub stops: the feed has them, or says that it was interrupted.</summary>
public sealed class PushStartTests
{
    private readonly MemoryDisk _disk = new();
    private readonly Faults _faults = new();
    private readonly OpenSessions _sessions = new();

    [Fact]
    public async Task What_was_taken_last_is_in_the_feed_before_that_closes()
    {
        await using HubStore store = await OpenAsync();
        await using (ChangeFeed feed = PushFixture.Feed(store.Rows, TimeProvider.System))
        {
            await using ChangeHub changes = Connect(store, feed);
            await feed.OpenAsync(PushFixture.Pool);
            using IdentityLease lease = await store.LeaseAsync(PushFixture.Pool, PushFixture.Ann);
            _faults.Gate.Reset();
            _faults.Waiting.Reset();
            lease.Identity.Dataset("save")["n"] = 1;
            Task stopping = StartOf(store, feed).StopAsync(default);
            await Task.Run(() => Assert.True(_faults.Waiting.Wait(TimeSpan.FromSeconds(30))));
            Assert.False(stopping.IsCompleted);
            _faults.Gate.Set();
            await stopping.Soon();
        }

        FeedEntry entry = Assert.Single(await ReadAsync(store));
        Assert.Equal((FeedEntryType.Change, PushFixture.Ann, "save"), (entry.Type, entry.IdentityId, entry.Dataset));
    }

    [Fact]
    public async Task Stopping_waits_for_the_sessions()
    {
        await using HubStore store = await OpenAsync();
        await using ChangeFeed feed = PushFixture.Feed(store.Rows, TimeProvider.System);
        Task stopping;
        using (_sessions.Open(PushFixture.Pool, PushFixture.Ann, PushFixture.Device(1), default))
        {
            stopping = StartOf(store, feed).StopAsync(default);
            Assert.False(stopping.IsCompleted);
        }

        await stopping.Soon();
    }

    [Fact]
    public async Task A_feed_that_may_lack_the_last_changes_says_that_it_was_interrupted()
    {
        await using (HubStore store = await OpenAsync())
        {
            await using ChangeFeed feed = PushFixture.Feed(store.Rows, TimeProvider.System);
            await using ChangeHub changes = Connect(store, feed);
            await feed.OpenAsync(PushFixture.Pool);
            using IdentityLease lease = await store.LeaseAsync(PushFixture.Pool, PushFixture.Ann);
            _faults.Gate.Reset();
            lease.Identity.Dataset("save")["n"] = 1;
            _faults.BeforeCommit = static _ => new IOException("The disk is full.");
            _faults.Gate.Set();
            await StartOf(store, feed).StopAsync(default).Soon();
        }

        _faults.BeforeCommit = static _ => null;
        await using HubStore again = await OpenAsync();
        Assert.Contains(await ReadAsync(again), static entry => entry.Type == FeedEntryType.Interrupted);
    }

    private ValueTask<HubStore> OpenAsync() => HubStore.OpenAsync(() => new FaultyStorage(_disk.Open(), _faults));

    private static ChangeHub Connect(HubStore store, ChangeFeed feed)
    {
        ChangeHub changes = PushFixture.Hub(feed);
        store.Advanced = (pool, id, dataset, revision, device) =>
            changes.Publish(new HubChange(pool, id, dataset, revision, device, 1_772_366_400_000));
        return changes;
    }

    private PushStart StartOf(HubStore store, ChangeFeed feed) => new(
        new PoolRegistry(store.Rows, TimeProvider.System), feed,
        PushFixture.Webhooks(store.Rows, feed, new HttpClient(), TimeProvider.System), store, _sessions, TimeProvider.System,
        NullLogger<PushStart>.Instance);

    private static async Task<IReadOnlyList<FeedEntry>> ReadAsync(HubStore store)
    {
        await using ChangeFeed feed = PushFixture.Feed(store.Rows, TimeProvider.System);
        return (await feed.ReadAsync(PushFixture.Pool, "start", 100)).Entries;
    }
}
