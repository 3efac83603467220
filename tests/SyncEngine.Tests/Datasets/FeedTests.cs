using SyncEngine.Datasets;
using SyncEngine.Storage;
using SyncEngine.Tests.Simulation;
using Xunit;

namespace SyncEngine.Tests.Datasets;

public sealed class FeedTests
{
    [Fact]
    public void A_feed_delivers_only_what_is_durable()
    {
        var disk = new MemoryDisk();
        var faults = new Faults();
        using var site = new Site(1, disk, 0, () => new FaultyStorage(disk.Open(), faults));
        var seen = new Collector<ChangeSet>(c => Assert.True(c.Revision <= site.Dataset.DurableRevision));
        var visible = new Collector<ChangeSet>();
        using IDisposable feed = site.Dataset.Feed(default).Subscribe(seen);
        using IDisposable live = site.Dataset.Changes.Subscribe(visible);
        faults.Gate.Reset();
        site.Dataset.Put("k", 1);
        visible.Until(items => items.Count == 1);
        Assert.True(faults.Waiting.Wait(TimeSpan.FromSeconds(30)));
        Assert.Empty(seen.Until(static _ => true));
        Assert.Equal(0, site.Dataset.DurableRevision);
        faults.Gate.Set();
        Assert.Equal("k", seen.Until(items => items.Count == 1)[0].Single().Key);
    }

    [Fact]
    public void A_feed_goes_on_from_its_cursor_over_reopening()
    {
        var disk = new MemoryDisk();
        using var site = new Site(1, disk);
        site.Dataset.Put("a", 1);
        site.Dataset.List("l").Add("x");
        site.Dataset.List("l").Add("y");
        var first = new Collector<ChangeSet>();
        FeedCursor cursor;
        using (site.Dataset.Feed(default).Subscribe(first))
            cursor = FeedCursor.Parse(first.Until(items => items.Count > 0 && items[^1].Revision == 3)[^1].Cursor.ToString());
        site.Dataset.Put("b", 2);
        site.Dataset.Delete("a");
        site.Dataset.List("l").Move(0, 1);
        site.Reopen();
        var second = new Collector<ChangeSet>();
        using IDisposable feed = site.Dataset.Feed(cursor).Subscribe(second);
        ChangeSet missed = second.Until(items => items.Count == 1)[0];
        Assert.False(missed.IsResync);
        Assert.Equal(["a", "b", "l"], missed.Select(c => c.Key).Distinct().Order());
        Assert.Equal(ChangeType.Removed, missed.First(c => c.Key == "a").Type);
        site.Dataset.Put("c", 3);
        Assert.Equal("c", second.Until(items => items.Count == 2)[1].Single().Key);
    }

    [Fact]
    public void A_cursor_that_is_unknown_or_behind_forgotten_deletes_gets_a_resync()
    {
        var disk = new MemoryDisk();
        using var site = new Site(1, disk);
        site.Dataset.Put("a", 1);
        site.Flush();
        FeedCursor early = site.Dataset.DurableCursor;
        Assert.True(StartsWithResync(site, early with { Epoch = early.Epoch ^ 1 }));
        Assert.True(StartsWithResync(site, early with { Revision = 99 }));
        site.Dataset.Delete("a");
        Assert.False(StartsWithResync(site, early));
        site.Dataset.ForgetDeletes(CellReader.VectorOf(site.Dataset));
        Assert.True(StartsWithResync(site, early));
        site.Reopen();
        Assert.True(StartsWithResync(site, early));
    }

    [Fact]
    public async Task Forgetting_deletes_changes_nothing_for_who_has_seen_them_and_becomes_durable()
    {
        var disk = new MemoryDisk();
        using var site = new Site(1, disk);
        site.Dataset.Put("a", 1);
        site.Dataset.Delete("a");
        site.Flush();
        FeedCursor seen = site.Dataset.DurableCursor;
        site.Dataset.Put("b", 1);
        site.Dataset.Delete("b");
        site.Flush();
        FeedCursor last = site.Dataset.DurableCursor;
        Assert.Equal(1, site.Dataset.ForgetDeletesThrough(seen.Revision));
        Assert.Equal(last, site.Dataset.DurableCursor);
        await site.Dataset.FlushAsync();
        using (var other = new Site(1, disk.Copy(isNoticed: false))) Assert.Equal(1, other.Dataset.State.Tombstones);
        Assert.False(StartsWithResync(site, seen));
        Assert.Equal(1, site.Dataset.ForgetDeletes(site.Dataset.Version));
        Assert.True(StartsWithResync(site, seen));
        site.Dataset.Put("c", 1);
        Assert.False(StartsWithResync(site, last));
    }

    [Fact]
    public void A_revision_counted_anew_after_a_crash_skips_no_change()
    {
        var disk = new MemoryDisk();
        var faults = new Faults();
        using var site = new Site(1, disk, 0, () => new FaultyStorage(disk.Open(), faults));
        site.Dataset.Put("a", 1);
        site.Flush();
        var live = new Collector<ChangeSet>();
        faults.PowerFailsAfter = faults.Commits;
        using (site.Dataset.Changes.Subscribe(live))
        {
            site.Dataset.Put("lost", 1);
            live.Until(items => items.Count == 1);
        }

        FeedCursor told = live.Until(static _ => true)[0].Cursor;
        site.Close();
        faults.PowerFailsAfter = int.MaxValue;
        site.OpenAgain();
        site.Dataset.Put("other", 2);
        site.Flush();
        Assert.Equal(told.Revision, site.Dataset.Revision);
        Assert.True(StartsWithResync(site, told));
    }

    [Fact]
    public void A_feed_of_a_dataset_in_memory_never_stands_still()
    {
        using var site = new Site(1);
        Dataset dataset = site.Dataset;
        var seen = new Collector<ChangeSet>();
        using IDisposable feed = dataset.Feed(default).Subscribe(seen);
        var writers = Enumerable.Range(0, 4).Select(t => new Thread(() =>
        {
            for (int i = 0; i < 3000; i++) dataset.Put("k" + t, i);
        }) { IsBackground = true }).ToList();
        writers.ForEach(static writer => writer.Start());
        Assert.All(writers, static writer => Assert.True(writer.Join(TimeSpan.FromSeconds(30)), "A writer hangs."));
        Assert.Equal(12_000, seen.Until(items => items.Count > 0 && items[^1].Revision == 12_000).Count);
    }

    private static bool StartsWithResync(Site site, FeedCursor after)
    {
        site.Flush();
        var seen = new Collector<ChangeSet>();
        using IDisposable feed = site.Dataset.Feed(after).Subscribe(seen);
        return seen.Until(items => items.Count > 0)[0].IsResync;
    }
}
