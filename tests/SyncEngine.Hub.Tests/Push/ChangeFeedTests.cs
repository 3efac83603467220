using SyncEngine.Hub.Push;
using SyncEngine.Hub.Rows;
using Xunit;

namespace SyncEngine.Hub.Tests.Push;

public sealed class ChangeFeedTests
{
    private const string Pool = PushFixture.Pool;

    private readonly HubRows _rows = new();
    private readonly ManualTime _time = new();

    [Fact]
    public async Task Entries_are_numbered_without_a_gap_across_restarts_and_from_many_threads()
    {
        var revisions = new List<long>();
        string? cursor = null;
        for (int run = 0; run < 3; run++)
        {
            await using ChangeFeed feed = PushFixture.Feed(_rows, _time);
            int begin = run * 400;
            Parallel.For(begin, begin + 400, number =>
                feed.Note(PushFixture.Change(PushFixture.Ann, "d" + number, number)));
            await feed.FlushAsync(Pool).Soon();
            FeedPage page;
            do
            {
                page = await feed.ReadAsync(Pool, cursor, 37);
                Assert.Equal(FeedOutcome.Read, page.Outcome);
                foreach (FeedEntry entry in page.Entries)
                {
                    revisions.Add(entry.Revision);
                    Assert.Equal(revisions.Count, entry.Sequence);
                    Assert.Equal(PushFixture.Ann, entry.IdentityId);
                    Assert.Equal("d" + entry.Revision, entry.Dataset);
                }

                cursor = page.Cursor;
            }
            while (page.HasMore);
        }

        Assert.Equal(Enumerable.Range(0, 1200).Select(number => (long)number), revisions.Order());
    }

    [Fact]
    public async Task Changes_that_wait_for_a_write_become_one_entry_a_dataset()
    {
        using var slow = new BlockingTime();
        await using ChangeFeed feed = PushFixture.Feed(_rows, slow);
        await feed.OpenAsync(Pool);
        slow.Hold();
        feed.NoteLoss();
        await slow.Asked.Soon();
        for (int revision = 1; revision <= 100; revision++)
        {
            feed.Note(PushFixture.Change(PushFixture.Ann, "save", revision));
            feed.Note(PushFixture.Change(PushFixture.Bob, "save", revision));
        }

        slow.Release();
        await feed.FlushAsync(Pool).Soon();
        FeedPage page = await feed.ReadAsync(Pool, "start", 1000);
        Assert.Equal([FeedEntryType.Interrupted, FeedEntryType.Change, FeedEntryType.Change],
            page.Entries.Select(entry => entry.Type));
        Assert.Equal([(PushFixture.Ann, 100), (PushFixture.Bob, 100L)],
            page.Entries.Skip(1).Select(entry => (entry.IdentityId, entry.Revision)));
    }

    [Fact]
    public async Task A_read_waits_for_the_next_entry_and_gives_up_in_time()
    {
        await using ChangeFeed feed = PushFixture.Feed(_rows, _time);
        string end = (await feed.ReadAsync(Pool, "latest", 10)).Cursor;
        Task<FeedPage> waiting = feed.ReadAsync(Pool, end, 10, TimeSpan.FromSeconds(20)).AsTask();
        await _time.TimerAsync(20, 20);
        feed.Note(PushFixture.Change(PushFixture.Ann, "save", 7));
        FeedPage page = await waiting.Soon();
        Assert.Equal(7, Assert.Single(page.Entries).Revision);
        Assert.False(page.HasMore);
        waiting = feed.ReadAsync(Pool, page.Cursor, 10, TimeSpan.FromSeconds(20)).AsTask();
        await _time.TimerAsync(20, 20);
        _time.Advance(TimeSpan.FromSeconds(20));
        FeedPage nothing = await waiting.Soon();
        Assert.Empty(nothing.Entries);
        Assert.Equal(page.Cursor, nothing.Cursor);
    }

    [Fact]
    public async Task A_hub_that_did_not_stop_in_order_leaves_an_interruption_and_one_that_did_leaves_none()
    {
        ChangeFeed killed = PushFixture.Feed(_rows, _time);
        await killed.OpenAsync(Pool);
        await using (ChangeFeed next = PushFixture.Feed(_rows, _time))
        {
            FeedEntry entry = Assert.Single((await next.ReadAsync(Pool, null, 10)).Entries);
            Assert.Equal((1, FeedEntryType.Interrupted), (entry.Sequence, entry.Type));
        }

        await using ChangeFeed last = PushFixture.Feed(_rows, _time);
        Assert.Single((await last.ReadAsync(Pool, null, 10)).Entries);
    }

    [Fact]
    public async Task Entries_beyond_the_count_are_swept_and_cursors_before_them_are_gone()
    {
        await using ChangeFeed feed = PushFixture.Feed(_rows, _time, new ChangeFeedOptions { EntriesMax = 1500 });
        string start = (await feed.ReadAsync(Pool, "latest", 1)).Cursor;
        for (int number = 1; number <= 5000; number++) feed.Note(PushFixture.Change(PushFixture.Ann, "d" + number, number));
        await feed.FlushAsync(Pool).Soon();
        string kept = (await feed.ReadAsync(Pool, "latest", 1)).Cursor;
        await feed.SweepAsync();
        Assert.Equal(FeedOutcome.Gone, (await feed.ReadAsync(Pool, start, 10)).Outcome);
        Assert.Equal(FeedOutcome.Read, (await feed.ReadAsync(Pool, kept, 10)).Outcome);
        Assert.Equal(3501, (await feed.ReadAsync(Pool, "start", 10)).Entries[0].Sequence);
        Assert.Equal(1500, (await _rows.ReadRangeAsync("feed/", null, 9999)).Count);
    }

    [Fact]
    public async Task Old_entries_are_swept_by_the_clock()
    {
        await using ChangeFeed feed = PushFixture.Feed(_rows, _time);
        feed.Note(PushFixture.Change(PushFixture.Ann, "old", 1));
        await feed.FlushAsync(Pool).Soon();
        _time.Advance(TimeSpan.FromDays(8));
        feed.Note(PushFixture.Change(PushFixture.Ann, "new", 2) with
        {
            UnixMilliseconds = _time.GetUtcNow().ToUnixTimeMilliseconds(),
        });
        await feed.FlushAsync(Pool).Soon();
        await feed.SweepAsync();
        Assert.Equal("new", Assert.Single((await feed.ReadAsync(Pool, null, 10)).Entries).Dataset);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense!")]
    [InlineData("MS5nYW1lLjA")]
    public async Task What_is_no_cursor_is_called_so(string cursor)
    {
        await using ChangeFeed feed = PushFixture.Feed(_rows, _time);
        Assert.Equal(FeedOutcome.Malformed, (await feed.ReadAsync(Pool, cursor, 10)).Outcome);
        string other = (await feed.ReadAsync("other", "latest", 10)).Cursor;
        Assert.Equal(FeedOutcome.Malformed, (await feed.ReadAsync(Pool, other, 10)).Outcome);
    }

    [Fact]
    public async Task A_cursor_of_a_deleted_pool_is_gone_in_the_next_of_its_name()
    {
        await using ChangeFeed feed = PushFixture.Feed(_rows, _time);
        feed.Note(PushFixture.Change(PushFixture.Ann, "save", 1));
        await feed.FlushAsync(Pool).Soon();
        string cursor = (await feed.ReadAsync(Pool, "latest", 10)).Cursor;
        await feed.DeleteAsync(Pool);
        Assert.Empty(await _rows.ReadRangeAsync("feed", null, 10));
        feed.Note(PushFixture.Change(PushFixture.Ann, "save", 1));
        await feed.FlushAsync(Pool).Soon();
        Assert.Equal(FeedOutcome.Gone, (await feed.ReadAsync(Pool, cursor, 10)).Outcome);
    }

    /// <summary>Holds whoever asks for the time, and so a write that is under way.</summary>
    private sealed class BlockingTime : TimeProvider, IDisposable
    {
        private readonly ManualResetEventSlim _open = new(true);
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Asked => _asked.Task;

        public void Dispose() => _open.Dispose();

        public void Hold() => _open.Reset();

        public void Release() => _open.Set();

        public override DateTimeOffset GetUtcNow()
        {
            if (!_open.IsSet) _asked.TrySetResult();
            _open.Wait(TimeSpan.FromSeconds(30));
            return DateTimeOffset.UnixEpoch;
        }
    }
}
