using FsCheck.Xunit;
using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Identities;
using SyncEngine.Storage;
using SyncEngine.Sync;
using SyncEngine.Tests.Simulation;
using SyncEngine.Values;
using SyncEngine.Wire;
using Xunit;

namespace SyncEngine.Tests.Sync;

/// <summary>A hub tells the time: wrong clocks of devices win nothing there, lose nothing, and block nothing.</summary>
public sealed class HubTimeTests
{
    private const long Minute = 60_000, Day = 24 * 60 * Minute;
    private const string Save = "save";
    private readonly Place _hub = new(1, 0, new FrameLimits { ClockAheadMax = TimeSpan.FromDays(366) });
    private readonly Place _right = new(2, 0);

    [Theory]
    [InlineData(200)]
    [InlineData(400)]
    public void An_unsent_write_of_a_clock_ahead_loses_to_a_later_one(int days)
    {
        var wrong = new Place(3, days * Day);
        wrong.Data["x"] = "older";
        Advance(Minute, wrong);
        _right.Data["x"] = "newer";
        Advance(Minute, wrong);
        Sync(_right);
        Sync(wrong);
        Sync(_right);
        AssertAll("x", "newer", wrong);
        Assert.Equal(["older"], _right.Data.Conflicts.Single().Losers.Select(static loser => loser.Value.AsString()));
    }

    [Theory]
    [InlineData(200)]
    [InlineData(-200)]
    public void What_is_written_after_the_hub_was_met_has_the_hubs_time(int days)
    {
        var wrong = new Place(3, days * Day);
        Sync(wrong);
        wrong.Data["x"] = 1;
        Assert.Equal(_hub.Time.WallMilliseconds, TimeOf(wrong.Data, "x").WallMilliseconds);
        Advance(Day, wrong);
        wrong.Data["x"] = 2;
        Assert.Equal(_hub.Time.WallMilliseconds, TimeOf(wrong.Data, "x").WallMilliseconds);
    }

    [Fact]
    public void A_clock_that_is_right_within_minutes_is_left_alone()
    {
        var near = new Place(3, 4 * Minute);
        near.Data["x"] = 1;
        long revision = near.Data.Revision;
        Sync(near);
        Assert.Equal(revision, near.Data.Revision);
        near.Data["y"] = 1;
        Assert.Equal(near.Time.WallMilliseconds, TimeOf(near.Data, "y").WallMilliseconds);
    }

    [Fact]
    public void A_clock_that_is_set_is_taken_as_it_is()
    {
        var wrong = new Place(3, 200 * Day);
        Sync(wrong);
        wrong.Time.Jump(-200 * Day);
        wrong.Data["x"] = 1;
        Assert.Equal(_hub.Time.WallMilliseconds, TimeOf(wrong.Data, "x").WallMilliseconds);
        wrong.Time.Jump(-10 * Minute);
        wrong.Data["x"] = 2;
        Assert.Equal(wrong.Time.WallMilliseconds, TimeOf(wrong.Data, "x").WallMilliseconds);
        Sync(wrong);
        wrong.Data["x"] = 3;
        Assert.Equal(_hub.Time.WallMilliseconds, TimeOf(wrong.Data, "x").WallMilliseconds);
    }

    [Theory]
    [InlineData("a peer that is no hub")]
    [InlineData("a hub that knows no date")]
    [InlineData("a hub that answers late")]
    public void Nobody_else_sets_the_clock(string peer)
    {
        var wrong = new Place(3, -200 * Day);
        if (peer.EndsWith("no date", StringComparison.Ordinal)) _hub.Time.Jump(-20_000 * Day);
        using var left = new SyncSession(wrong.Identity, new SessionOptions
        {
            IsInitiator = true, TellsTime = peer != "a peer that is no hub",
        });
        using var right = new SyncSession(_hub.Identity, new SessionOptions());
        if (peer.EndsWith("late", StringComparison.Ordinal)) wrong.Time.Advance(2 * Minute);
        Run(left, right);
        wrong.Data["x"] = 1;
        Assert.Equal(wrong.Time.WallMilliseconds, TimeOf(wrong.Data, "x").WallMilliseconds);
    }

    /// <summary>Over a connection that does not say that a hub is at its other end.</summary>
    [Theory]
    [InlineData(false, 256 * 1024)]
    [InlineData(true, 256 * 1024)]
    [InlineData(false, 200)]
    public void A_write_too_far_ahead_is_written_anew_and_blocks_nothing(bool isSetRight, int partBytes)
    {
        var wrong = new Place(3, 400 * Day);
        wrong.Data["x"] = "ahead";
        for (int i = 0; i < 50; i++) wrong.Data.Map("m")["f" + i] = i;
        if (isSetRight) wrong.Time.Jump(-400 * Day);
        wrong.Data["y"] = "with it";
        wrong.Identity.Dataset("other")["z"] = 1;
        Assert.Empty(Sync(wrong, tellsTime: false, partBytes));
        Assert.Equal(("ahead", "with it"), (_hub.Data["x"], _hub.Data["y"]));
        Assert.Equal((50, 1), (_hub.Data.Map("m").Count, _hub.Identity.Dataset("other")["z"]));
        Assert.InRange(TimeOf(_hub.Data, "x").WallMilliseconds, 0, _hub.Time.WallMilliseconds);
        Assert.Empty(wrong.Data.Refused);
        wrong.Data["x"] = "again";
        Assert.Empty(Sync(wrong, tellsTime: false));
        Assert.Equal("again", _hub.Data["x"]);
    }

    [Fact]
    public void What_another_device_wrote_too_far_ahead_is_written_anew_by_whoever_brings_it()
    {
        var wrong = new Place(3, 400 * Day);
        wrong.Data["x"] = "ahead";
        wrong.Data.Counter("n").Add(5);
        Meet(wrong, _right);
        _right.Data.Counter("n").Add(1);
        Assert.Empty(Sync(_right));
        Assert.Equal(("ahead", 6), (_hub.Data["x"], _hub.Data.Counter("n").Value));
        Advance(Minute, wrong);
        Sync(wrong);
        Sync(_right);
        AssertAll("x", "ahead", wrong);
        Assert.All([_hub, _right, wrong], static place => Assert.Equal(6, place.Data.Counter("n").Value));
    }

    [Fact]
    public void A_transaction_comes_whole_and_what_the_hub_has_is_not_written_again()
    {
        var wrong = new Place(3, 0);
        wrong.Data["sent"] = 1;
        Sync(wrong);
        wrong.Time.Jump(200 * Day);
        wrong.Data.Write(static transaction =>
        {
            transaction["x"] = 1;
            transaction["y"] = 1;
        });
        long before = _hub.Data.Revision;
        HybridTimestamp sent = TimeOf(wrong.Data, "sent");
        Sync(wrong);
        Assert.Equal(before + 1, _hub.Data.Revision);
        Assert.Equal((1, 1), (_hub.Data["x"], _hub.Data["y"]));
        Assert.Equal(TimeOf(wrong.Data, "x"), TimeOf(wrong.Data, "y"));
        Assert.Equal(sent, TimeOf(wrong.Data, "sent"));
    }

    /// <summary>What lies at other devices already is not unsent: a delete that was made there must not be undone.</summary>
    [Fact]
    public void What_a_peer_has_got_is_not_written_again()
    {
        var wrong = new Place(3, 200 * Day);
        wrong.Data["x"] = "deleted by who saw it";
        Meet(wrong, _right);
        _right.Data.Delete("x");
        Sync(wrong);
        Sync(_right);
        Sync(wrong);
        AssertAll("x", default, wrong);
    }

    [Theory]
    [InlineData("")]
    [InlineData("session")]
    [InlineData("delta")]
    public async Task What_was_given_away_is_known_after_a_restart(string by)
    {
        var disk = new MemoryDisk();
        var options = new SyncStoreOptions { TimeProvider = new ManualTime(_hub.Time.WallMilliseconds + (200 * Day)) };
        await using (SyncStore before = await SyncStore.OpenAsync(disk.Open, options))
        {
            await before.AdoptIdentityAsync(_hub.Identity.Id);
            Dataset data = before.Identity.Dataset(Save);
            await data.PutAsync("x", 1);
            if (by == "session") Meet(before.Identity, _right.Identity);
            if (by == "delta") await data.SnapshotAsync();
        }

        await using SyncStore store = await SyncStore.OpenAsync(disk.Open, options);
        HybridTimestamp made = TimeOf(store.Identity.Dataset(Save), "x");
        await SyncAsync(store);
        Assert.Equal(by.Length > 0, made == TimeOf(_hub.Data, "x"));
        await store.Identity.DeleteDatasetAsync(Save);
        Assert.Empty(await store.Journal!.ReadRowsAsync("shared/", null, 10));
    }

    [Fact]
    public async Task While_the_storage_fails_the_hub_waits()
    {
        var disk = new MemoryDisk();
        var faults = new Faults();
        await using SyncStore store = await SyncStore.OpenAsync(() => new FaultyStorage(disk.Open(), faults),
            new SyncStoreOptions { TimeProvider = new ManualTime(_hub.Time.WallMilliseconds + (200 * Day)) });
        await store.AdoptIdentityAsync(_hub.Identity.Id);
        Dataset data = store.Identity.Dataset(Save);
        await data.PutAsync("x", 1);
        faults.BeforeCommit = static _ => new SyncException(SyncErrorCode.StorageFull, "planted");
        await Assert.ThrowsAsync<SyncException>(() => data.PutAsync("y", 1).AsTask());
        using var left = new SyncSession(store.Identity, new SessionOptions { IsInitiator = true, TellsTime = true });
        using var right = new SyncSession(_hub.Identity, new SessionOptions { Guard = new OpenGuard() });
        Run(left, right);
        Assert.Equal(0, _hub.Data.Count);
        faults.BeforeCommit = static _ => null;

        // A commit tells who waits for it before it tells sessions.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (_hub.Data["x"].IsMissing || _hub.Data["y"].IsMissing)
        {
            await data.FlushAsync();
            Run(left, right);
            await Task.Delay(1, patience.Token);
        }

        Assert.Equal((1, 1), (_hub.Data["x"], _hub.Data["y"]));
        Assert.True(TimeOf(_hub.Data, "x").WallMilliseconds <= _hub.Time.WallMilliseconds);
        Assert.Empty(left.Progress.Refusals);
    }

    /// <summary>Whatever devices write whose clocks are ahead, all ends as if the clocks were right; but for the order of lists,
    /// which is drawn.</summary>
    [Property(MaxTest = 150)]
    public void Every_kind_ends_as_with_right_clocks(int seed)
    {
        var random = new System.Random(seed);
        long[] skews = [random.Next(4) * 200 * Day, random.Next(4) * 200 * Day];
        string[] ends = [Play(seed, [0, 0], tellsTime: true), Play(seed, skews, tellsTime: true)];
        Assert.Equal(ends[0], ends[1]);
        Play(seed, skews, tellsTime: false);
    }

    private static string Play(int seed, long[] skews, bool tellsTime)
    {
        var random = new System.Random(seed);
        var hub = new Place(1, 0, new FrameLimits { ClockAheadMax = TimeSpan.FromDays(366) });
        Place[] devices = [new(2, skews[0]), new(3, skews[1])];
        for (int round = 0; round < 5; round++)
        {
            foreach (Place device in devices)
            {
                for (int i = random.Next(6); i > 0; i--)
                {
                    foreach (Place each in (Place[])[hub, .. devices]) each.Time.Advance(1000);
                    GuardTests.Write(device.Data, random);
                }

                if (random.Next(2) == 0) Sync(device, hub, tellsTime, random.Next(2) == 0 ? 256 * 1024 : 50);
            }
        }

        for (int i = 0; i < 4; i++) Sync(devices[i % 2], hub, tellsTime);
        string end = GuardTests.Describe(hub.Data);
        foreach (Place device in devices)
        {
            Assert.Equal(end, GuardTests.Describe(device.Data));
            Assert.Empty(device.Data.Refused);
            CellReader.AssertFiguresAreRight(device.Data);
        }

        return string.Join("; ", end.Split("; ").Where(static record => !record.Contains("List", StringComparison.Ordinal)));
    }

    private static HybridTimestamp TimeOf(Dataset dataset, string key) =>
        new(CellReader.Standing(dataset).Where(entry => entry.Key == key).Max(static entry => entry.Clock));

    private void Advance(long milliseconds, Place other)
    {
        foreach (Place place in (Place[])[_hub, _right, other]) place.Time.Advance(milliseconds);
    }

    private void AssertAll(string key, Value expected, Place other) =>
        Assert.All([_hub, _right, other], place => Assert.Equal(expected, place.Data[key]));

    private Dictionary<string, SyncException> Sync(Place device, bool tellsTime = true, int partBytes = 256 * 1024) =>
        Sync(device, _hub, tellsTime, partBytes);

    private static Dictionary<string, SyncException> Sync(
        Place device, Place hub, bool tellsTime, int partBytes = 256 * 1024)
    {
        using var left = new SyncSession(device.Identity, new SessionOptions
        {
            IsInitiator = true, TellsTime = tellsTime, PartBytes = partBytes,
        });
        using var right = new SyncSession(hub.Identity, new SessionOptions { Guard = new OpenGuard(), PartBytes = partBytes });
        Run(left, right);
        Assert.True(left.Progress.IsRoundComplete);
        return left.Progress.Refusals;
    }

    private static void Meet(Place one, Place two) => Meet(one.Identity, two.Identity);

    private static void Meet(Identity one, Identity two)
    {
        using var left = new SyncSession(one, new SessionOptions { IsInitiator = true });
        using var right = new SyncSession(two, new SessionOptions());
        Run(left, right);
    }

    /// <summary>As often as something must become durable on the way.</summary>
    private async Task SyncAsync(SyncStore store)
    {
        using var left = new SyncSession(store.Identity, new SessionOptions { IsInitiator = true, TellsTime = true });
        using var right = new SyncSession(_hub.Identity, new SessionOptions { Guard = new OpenGuard() });
        for (int i = 0; i < 3; i++)
        {
            Run(left, right);
            await store.FlushAsync();
        }

        Assert.True(left.Progress.IsRoundComplete);
    }

    private static void Run(SyncSession left, SyncSession right)
    {
        int sent = 0;
        for (bool any = true; any;)
        {
            any = false;
            foreach ((SyncSession from, SyncSession to) in ((SyncSession, SyncSession)[])[(left, right), (right, left)])
            {
                while (from.TryTake(out ReadOnlyMemory<byte> message))
                {
                    any = true;
                    to.Receive(message.ToArray());
                    Assert.True(sent++ < 20_000, "They never come to an end.");
                }
            }
        }
    }

    /// <summary>The hub, or a device, with a clock of its own.</summary>
    private sealed class Place
    {
        public Place(ulong seed, long skew, FrameLimits? limits = null)
        {
            int datasets = 0;
            Time = new ManualTime(1_795_000_000_000 + skew);
            Identity = new Identity(1, new IdentityPage(7, 7, IsPaired: true, [1], []), new DatasetContext
            {
                Time = Time, Random = RandomSource.Seeded(seed), FrameLimits = limits ?? new FrameLimits(),
            }, new IdentityHome(() => ++datasets, static _ => Task.CompletedTask));
        }

        public ManualTime Time { get; }

        public Identity Identity { get; }

        public Dataset Data => Identity.Dataset(Save);
    }

    private sealed class OpenGuard : SessionGuard
    {
        public override bool MayRead(string dataset) => true;

        public override FrameRefusal? Judge(Dataset dataset, FrameInspection inspection) => null;
    }
}
