using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Identities;
using SyncEngine.Storage;
using SyncEngine.Sync;
using SyncEngine.Tests.Simulation;
using SyncEngine.Tests.Wire;
using SyncEngine.Wire;
using Xunit;

namespace SyncEngine.Tests.Sync;

/// <summary>Clocks that are wrong, jump or run backwards: causality beats them, all converge, and nothing is lost.</summary>
public sealed class ClockTests
{
    private const long Year = 31_557_600_000, Hour = 3_600_000;

    public static TheoryData<string, long> WrongClocks() => new()
    {
        { "right", 0 },
        { "ten years ahead", 10 * Year },
        { "ten years behind", -10 * Year },
        { "at 1970", -1_700_000_000_000 },
        { "90 years ahead", 90 * Year },
    };

    [Theory]
    [MemberData(nameof(WrongClocks))]
    public async Task Who_saw_a_value_and_writes_wins_whatever_the_clocks_say(string name, long skew)
    {
        using var devices = await Devices.Open(0, skew, 0);
        devices.At(1)["x"] = "seen";
        await devices.Sync();
        devices.At(0)["x"] = "later";
        await devices.Sync();
        devices.AssertAll("x", "later");
        devices.At(1)["x"] = "latest";
        await devices.Sync();
        devices.AssertAll("x", "latest");
        Assert.True(devices.At(2).Conflicts.Count == 0, name);
    }

    [Theory]
    [MemberData(nameof(WrongClocks))]
    public async Task Concurrent_writes_all_stay_and_all_devices_show_the_same(string name, long skew)
    {
        using var devices = await Devices.Open(0, skew, Hour);
        for (int i = 0; i < 3; i++)
        {
            devices.At(i)["x"] = i;
            devices.At(i).Counter("n").Add(1);
            devices.At(i).Set("s").Add(i);
        }

        await devices.Sync();
        for (int i = 0; i < 3; i++)
        {
            Dataset dataset = devices.At(i);
            Assert.Equal(3, dataset.Counter("n").Value);
            Assert.Equal(3, dataset.Set("s").Count);
            Conflict conflict = Assert.Single(dataset.Conflicts);
            Assert.Equal(2, conflict.Losers.Count);
        }

        // The greatest time is shown: a device that is ahead wins concurrent writes, one that is behind loses them.
        devices.AssertAll("x", skew > Hour ? 1 : 2);
        Assert.NotEmpty(name);
    }

    /// <summary>Who is behind must not lose concurrent writes for ever against itself: its own later ones follow what it
    /// saw.</summary>
    [Theory]
    [MemberData(nameof(WrongClocks))]
    public async Task Later_writes_of_one_device_win_over_its_earlier_ones_through_jumps(string name, long jump)
    {
        using var devices = await Devices.Open(0, 0, 0);
        for (int i = 0; i < 6; i++)
        {
            devices.At(0)["x"] = i;
            devices.Times[0].Jump(i % 2 == 0 ? jump : -jump);
            devices.Times[0].Advance(10);
            if (i % 3 == 1) await devices.Sync();
            Assert.Equal(i, devices.At(0)["x"].AsInteger());
        }

        await devices.Sync();
        devices.AssertAll("x", 5);
        Assert.True(devices.At(1).Conflicts.Count == 0, name);
    }

    [Fact]
    public async Task A_leap_backwards_at_a_restart_loses_no_write()
    {
        var disk = new MemoryDisk();
        var time = new ManualTime(1_800_000_000_000 + Year);
        IdentityId identity;
        await using (SyncStore before = await SyncStore.OpenAsync(disk.Open, new SyncStoreOptions { TimeProvider = time }))
        {
            identity = before.Identity.Id;
            await before.Identity.Dataset("save").PutAsync("x", "before");
            await before.Identity.Dataset("save").PutAsync("y", "before");
        }

        time.Jump(-20 * Year);
        await using SyncStore store = await SyncStore.OpenAsync(disk.Open, new SyncStoreOptions { TimeProvider = time });
        Dataset save = store.Identity.Dataset("save");
        await save.PutAsync("x", "after");
        using SyncStore other = SyncStore.OpenInMemory(new SyncStoreOptions { TimeProvider = new ManualTime() });
        await other.AdoptIdentityAsync(identity);
        Exchange(store, other);
        await store.FlushAsync();
        Exchange(store, other);
        Dataset there = other.Identity.Dataset("save");
        Assert.Equal(("after", "before"), (there["x"].AsString(), there["y"].AsString()));
        Assert.Equal(save.Digest, there.Digest);
        Assert.Empty(there.Conflicts);
    }

    [Fact]
    public async Task A_time_zone_changes_nothing()
    {
        using var devices = await Devices.Open(0, 0, 0);
        devices.Times[1].MoveTo(TimeZoneInfo.CreateCustomTimeZone("east", TimeSpan.FromHours(14), "east", "east"));
        devices.Times[2].MoveTo(TimeZoneInfo.CreateCustomTimeZone("west", TimeSpan.FromHours(-12), "west", "west"));
        for (int i = 2; i >= 0; i--)
        {
            devices.Times[i].Advance((2 - i) * 1000);
            devices.At(i)["x"] = i;
        }

        await devices.Sync();
        devices.AssertAll("x", 0);
    }

    [Fact]
    public async Task A_time_far_ahead_never_drags_the_own_clock_along()
    {
        using var devices = await Devices.Open(0, 6 * 60_000, 0);
        devices.At(1)["x"] = 1;
        await devices.Sync();
        devices.At(0)["y"] = 1;
        Assert.Equal(devices.Times[0].WallMilliseconds, ClockOf(devices.At(0), "y").WallMilliseconds);
    }

    [Fact]
    public async Task A_time_a_little_ahead_is_followed_so_that_what_is_written_after_is_later()
    {
        using var devices = await Devices.Open(0, 0, 4 * 60_000);
        devices.At(2)["z"] = 1;
        await devices.Sync();
        devices.At(0)["y"] = 1;
        Assert.True(ClockOf(devices.At(0), "y") > ClockOf(devices.At(0), "z"));
    }

    [Fact]
    public void The_counter_of_a_time_carries_into_its_milliseconds()
    {
        var clock = new HybridClock(new ManualTime(1_000));
        HybridTimestamp first = clock.Next(out _), last = first;
        for (int i = 0; i < 70_000; i++)
        {
            HybridTimestamp next = clock.Next(out _);
            Assert.True(next > last);
            last = next;
        }

        Assert.Equal((1_001, 70_000 - 65_536), (last.WallMilliseconds, last.Counter));
        Assert.Equal(0, first.Counter);
    }

    [Fact]
    public void A_write_more_than_a_hundred_years_ahead_is_refused_and_changes_nothing()
    {
        using var site = new Site(4);
        site.Dataset.Put("mine", 1);
        string before = CellReader.Fingerprint(site.Dataset);
        long now = site.Time.WallMilliseconds, floor = 1_767_225_600_000;
        SyncException refusal = Assert.Throws<SyncException>(() => site.Apply(FrameAt(floor + (36_525L * 24 * Hour) + 1)));
        Assert.Equal(SyncErrorCode.ClockAhead, refusal.Code);
        Assert.Contains("ClockAheadMax", refusal.Message, StringComparison.Ordinal);
        Assert.Throws<SyncException>(() => site.Apply(FrameAt((1L << 48) - 1)));
        Assert.Equal(before, CellReader.Fingerprint(site.Dataset));
        Assert.True(now < floor);
        Assert.Equal(JoinOutcome.Joined, site.Apply(FrameAt(floor + (36_525L * 24 * Hour))));
    }

    /// <summary>No time orders them, so that none of them is kept out, nor can keep others out.</summary>
    [Fact]
    public void Counters_sets_and_deletes_are_taken_from_any_time()
    {
        using var site = new Site(4);
        using var ahead = new Site(5, skewMilliseconds: 200 * Year);
        ahead.Dataset.Counter("n").Add(3);
        ahead.Dataset.Set("s").Add(1);
        ahead.Dataset.Max("m").Raise(7);
        ahead.Dataset.Put("x", 1);
        ahead.Dataset.Delete("x");
        Assert.Equal(JoinOutcome.Joined, site.Apply(ahead.Delta(VersionVector.Empty)));
        Assert.Equal((3, 1, 7), (site.Dataset.Counter("n").Value, site.Dataset.Set("s").Count, site.Dataset.Max("m").Value));
        ahead.Dataset.Map("map")["f"] = 1;
        Assert.Throws<SyncException>(() => site.Apply(ahead.Delta(VersionVector.Empty)));
    }

    /// <summary>A device without a clock battery stands at 1970 and must take the real data of its peers.</summary>
    [Fact]
    public void A_device_whose_clock_stands_at_1970_takes_data_of_today_and_of_a_clock_ahead()
    {
        using var site = new Site(4, skewMilliseconds: -1_700_000_000_000);
        Assert.Equal(JoinOutcome.Joined, site.Apply(FrameAt(1_795_000_000_000)));
        Assert.Equal(JoinOutcome.Joined, site.Apply(FrameAt(1_795_000_000_000 + (90 * Year))));
        var patient = new FrameLimits { ClockAheadMax = TimeSpan.MaxValue };
        var any = new Dataset("save", 1, new DatasetContext { FrameLimits = patient });
        Assert.Equal(JoinOutcome.Joined, any.Join(FrameAt((1L << 48) - 1)).Outcome);
    }

    internal static byte[] FrameAt(long milliseconds)
    {
        using var site = new Site((ulong)milliseconds);
        site.Dataset.Put("late" + milliseconds, 1);
        return FrameSurgeon.WithColumns(site.Delta(VersionVector.Empty),
            columns => columns[11] = FrameSurgeon.Encode(unchecked((long)((ulong)milliseconds << 16)), 1));
    }

    private static HybridTimestamp ClockOf(Dataset dataset, string key) =>
        new(CellReader.Standing(dataset).Where(entry => entry.Key == key).Max(static entry => entry.Clock));

    /// <summary>One exchange of two stores, message by message.</summary>
    internal static void Exchange(SyncStore left, SyncStore right)
    {
        using var l = new SyncSession(left.Identity, new SessionOptions { IsInitiator = true });
        using var r = new SyncSession(right.Identity, new SessionOptions());
        for (bool any = true; any;)
        {
            any = false;
            while (l.TryTake(out ReadOnlyMemory<byte> message))
            {
                r.Receive(message.ToArray());
                any = true;
            }

            while (r.TryTake(out ReadOnlyMemory<byte> message))
            {
                l.Receive(message.ToArray());
                any = true;
            }
        }
    }

    /// <summary>Three stores of one identity, each with a clock of its own, that sync over connections in memory.</summary>
    private sealed class Devices : IDisposable
    {
        private readonly List<SyncStore> _stores = [];

        public List<ManualTime> Times { get; } = [];

        public static async Task<Devices> Open(params long[] skews)
        {
            var devices = new Devices();
            foreach (long skew in skews)
            {
                var time = new ManualTime(1_700_000_000_000 + skew);
                devices.Times.Add(time);
                devices._stores.Add(SyncStore.OpenInMemory(new SyncStoreOptions { TimeProvider = time }));
                await devices._stores[^1].AdoptIdentityAsync(devices._stores[0].Identity.Id);
            }

            return devices;
        }

        public Dataset At(int device) => _stores[device].Identity.Dataset("save");

        /// <summary>Each pair in turn, until all have everything.</summary>
        public async Task Sync()
        {
            using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            foreach ((int from, int to) in new[] { (0, 1), (1, 2), (0, 2), (0, 1) })
            {
                (MemoryTransport l, MemoryTransport r) = MemoryTransport.CreatePair();
                Task<SyncResult> serving = _stores[to].ServeAsync(r, null, soon.Token).AsTask();
                Assert.True((await _stores[from].SynchronizeAsync(l, null, null, soon.Token)).IsComplete);
                await serving;
            }

            for (int i = 1; i < _stores.Count; i++)
                Assert.Equal((At(0).Digest, At(0).Version), (At(i).Digest, At(i).Version));
        }

        public void AssertAll(string key, SyncEngine.Values.Value expected)
        {
            for (int i = 0; i < _stores.Count; i++) Assert.Equal(expected, At(i)[key]);
        }

        public void Dispose() => _stores.ForEach(static store => store.Dispose());
    }
}
