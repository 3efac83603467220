using SyncEngine.Hub.Push;
using SyncEngine.Hub.Rows;
using Xunit;

namespace SyncEngine.Hub.Tests.Push;

public sealed class ChangeHubTests
{
    [Fact]
    public async Task Everybody_of_the_identity_but_the_sender_hears_of_a_change()
    {
        await using ChangeFeed feed = PushFixture.Feed(new HubRows(), new ManualTime());
        await using ChangeHub hub = PushFixture.Hub(feed);
        using ChangeSubscription sender = hub.Subscribe(PushFixture.Pool, PushFixture.Ann, PushFixture.Device(1));
        using ChangeSubscription other = hub.Subscribe(PushFixture.Pool, PushFixture.Ann, PushFixture.Device(2));
        using ChangeSubscription stranger = hub.Subscribe(PushFixture.Pool, PushFixture.Bob, PushFixture.Device(3));
        hub.Publish(PushFixture.Change(PushFixture.Ann, "save", 1, PushFixture.Device(1)));
        hub.Publish(PushFixture.Change(PushFixture.Ann, "save", 2));
        Assert.Equal(1, (await other.ReadAsync().AsTask().Soon())?.Revision);
        Assert.Equal(2, (await other.ReadAsync().AsTask().Soon())?.Revision);
        Assert.Equal(2, (await sender.ReadAsync().AsTask().Soon())?.Revision);
        Assert.False(stranger.TryRead(out _));
    }

    [Fact]
    public async Task A_subscriber_that_does_not_read_gets_one_resync_instead_of_what_it_missed()
    {
        await using ChangeFeed feed = PushFixture.Feed(new HubRows(), new ManualTime());
        await using ChangeHub hub = PushFixture.Hub(feed);
        using ChangeSubscription slow = hub.Subscribe(PushFixture.Pool, PushFixture.Ann, null, capacity: 4);
        using ChangeSubscription quick = hub.Subscribe(PushFixture.Pool, PushFixture.Ann, null);
        for (int revision = 1; revision <= 10; revision++)
            hub.Publish(PushFixture.Change(PushFixture.Ann, "save", revision));
        for (int revision = 1; revision <= 10; revision++)
            Assert.Equal(revision, (await quick.ReadAsync().AsTask().Soon())?.Revision);
        Assert.True((await slow.ReadAsync().AsTask().Soon())?.IsResync);
        Assert.False(slow.TryRead(out _));
        hub.Publish(PushFixture.Change(PushFixture.Ann, "save", 11));
        Assert.Equal(11, (await slow.ReadAsync().AsTask().Soon())?.Revision);
    }

    [Fact]
    public async Task More_than_can_wait_becomes_a_resync_for_all_and_an_interruption_in_the_feed()
    {
        using var hold = new ManualResetEventSlim();
        using var held = new ManualResetEventSlim();
        ChangeFeed feed = PushFixture.Feed(new HubRows(), new ManualTime(), isKept: _ =>
        {
            held.Set();
            return hold.Wait(TimeSpan.FromSeconds(30));
        });
        ChangeHub hub = PushFixture.Hub(feed, capacity: 4);
        using ChangeSubscription ann = hub.Subscribe(PushFixture.Pool, PushFixture.Ann, null);
        using ChangeSubscription bob = hub.Subscribe(PushFixture.Pool, PushFixture.Bob, null);
        hub.Publish(PushFixture.Change(PushFixture.Ann, "save", 0));
        Assert.True(held.Wait(TimeSpan.FromSeconds(30)));
        for (int revision = 1; revision <= 20; revision++)
            hub.Publish(PushFixture.Change(PushFixture.Ann, "save" + revision, revision));
        hold.Set();
        Assert.True((await bob.ReadAsync().AsTask().Soon())?.IsResync);
        var heard = new List<ChangeNotice>();
        await hub.DisposeAsync();
        while (await ann.ReadAsync().AsTask().Soon() is { } notice) heard.Add(notice);
        Assert.Single(heard, notice => notice.IsResync);
        Assert.InRange(heard.Count, 2, 6);
        await feed.FlushAsync(PushFixture.Pool);
        FeedPage page = await feed.ReadAsync(PushFixture.Pool, null, 100);
        Assert.Single(page.Entries, entry => entry.Type == FeedEntryType.Interrupted);
        await feed.DisposeAsync();
    }

    [Fact]
    public async Task The_end_hands_out_what_was_published_and_ends_each_subscription()
    {
        await using ChangeFeed feed = PushFixture.Feed(new HubRows(), new ManualTime());
        ChangeHub hub = PushFixture.Hub(feed);
        using ChangeSubscription subscription = hub.Subscribe(PushFixture.Pool, PushFixture.Ann, null);
        hub.Publish(PushFixture.Change(PushFixture.Ann, "save", 1));
        await hub.DisposeAsync();
        hub.Publish(PushFixture.Change(PushFixture.Ann, "save", 2));
        Assert.Equal(1, (await subscription.ReadAsync().AsTask().Soon())?.Revision);
        Assert.Null(await subscription.ReadAsync().AsTask().Soon());
        using ChangeSubscription late = hub.Subscribe(PushFixture.Pool, PushFixture.Ann, null);
        Assert.Null(await late.ReadAsync().AsTask().Soon());
    }
}
