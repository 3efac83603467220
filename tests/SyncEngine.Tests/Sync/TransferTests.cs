using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Storage;
using SyncEngine.Sync;
using SyncEngine.Tests.Simulation;
using SyncEngine.Wire;
using Xunit;

namespace SyncEngine.Tests.Sync;

/// <summary>Large first syncs in parts: resumed after a cut and a restart, by another peer, under changes meanwhile.</summary>
public sealed class TransferTests
{
    /// <summary>Without a storage thread what is sent does not depend on when it runs.</summary>
    private static readonly SyncStoreOptions _byHand = new() { StoresByHand = true };

    private const int PartBytes = 2000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_interrupted_first_sync_goes_on_where_it_stopped_also_after_a_restart(bool isSnapshot)
    {
        MemoryDisk source = await Filled(isSnapshot), target = new();
        SyncStore sender = await SyncStore.OpenAsync(source.Open, _byHand);
        SyncStore receiver = await SyncStore.OpenAsync(target.Open, _byHand);
        await receiver.AdoptIdentityAsync(sender.Identity.Id);
        long whole = (await sender.Identity.Dataset("save").SnapshotAsync()).Length, carried = 0;
        int rounds = 0;
        for (bool isDone = false; !isDone; rounds++)
        {
            (isDone, long bytes) = await Exchange(sender, receiver, stopAfterBytes: 20_000);
            carried += bytes;
            Assert.True(isDone || receiver.Identity.Dataset("save").Count == 0, "Parts could be read before all were there.");
            await sender.DisposeAsync();
            await receiver.DisposeAsync();
            sender = await SyncStore.OpenAsync(source.Open, _byHand);
            receiver = await SyncStore.OpenAsync(target.Open, _byHand);
        }

        Assert.InRange(rounds, 4, 100);
        Assert.InRange(carried, whole, whole * 14 / 10);
        AssertEqual(sender, receiver);
        Assert.Null(receiver.Identity.Dataset("save").MarkFor(this));
        await sender.DisposeAsync();
        await receiver.DisposeAsync();
    }

    [Fact]
    public async Task Writes_on_both_sides_during_a_transfer_arrive()
    {
        MemoryDisk source = await Filled(false);
        await using SyncStore sender = await SyncStore.OpenAsync(source.Open, _byHand);
        await using SyncStore receiver = await SyncStore.OpenAsync(new MemoryDisk().Open, _byHand);
        await receiver.AdoptIdentityAsync(sender.Identity.Id);
        Dataset there = sender.Identity.Dataset("save"), here = receiver.Identity.Dataset("save");
        bool isDone = false;
        for (int i = 0; !isDone; i++)
        {
            there["k" + (i * 37 % 1000)] = $"changed {i}";
            there.Delete("k" + (i * 53 % 1000));
            there["new" + i] = i;
            here["own" + i] = i;
            here["k" + i] = "mine";
            (isDone, _) = await Exchange(sender, receiver, stopAfterBytes: 15_000);
            Assert.InRange(i, 0, 100);
        }

        AssertEqual(sender, receiver);
    }

    [Fact]
    public async Task Another_peer_that_saw_as_much_goes_on_with_a_transfer()
    {
        MemoryDisk source = await Filled(false);
        await using SyncStore first = await SyncStore.OpenAsync(source.Open, _byHand);
        await using SyncStore second = await SyncStore.OpenAsync(new MemoryDisk().Open, _byHand);
        await using SyncStore receiver = await SyncStore.OpenAsync(new MemoryDisk().Open, _byHand);
        await second.AdoptIdentityAsync(first.Identity.Id);
        await receiver.AdoptIdentityAsync(first.Identity.Id);
        while (!(await Exchange(first, second, long.MaxValue)).IsDone)
        {
        }

        long whole = (await first.Identity.Dataset("save").SnapshotAsync()).Length;
        (bool isDone, long bytes) = await Exchange(first, receiver, whole / 2);
        Assert.False(isDone);
        second.Identity.Dataset("save")["k1"] = "changed by the second";
        await second.FlushAsync();
        (isDone, long rest) = await Exchange(second, receiver, long.MaxValue);
        Assert.True(isDone);
        Assert.InRange(bytes + rest, whole, whole * 13 / 10);
        AssertEqual(second, receiver);
    }

    [Fact]
    public async Task Two_peers_that_bring_the_same_at_once_do_not_disturb_each_other()
    {
        MemoryDisk source = await Filled(false);
        await using SyncStore first = await SyncStore.OpenAsync(source.Open, _byHand);
        await using SyncStore second = await SyncStore.OpenAsync(new MemoryDisk().Open, _byHand);
        await using SyncStore receiver = await SyncStore.OpenAsync(new MemoryDisk().Open, _byHand);
        await second.AdoptIdentityAsync(first.Identity.Id);
        await receiver.AdoptIdentityAsync(first.Identity.Id);
        Assert.True((await Exchange(first, second, long.MaxValue)).IsDone);
        await second.Identity.Dataset("save").PutAsync("other", 1);
        using Line one = new(first, receiver), two = new(second, receiver);
        for (int i = 0; i < 3000 && !(one.IsLive && two.IsLive); i++)
        {
            one.Step();
            two.Step();
            if (i % 300 == 299)
            {
                one.Resend();
                two.Resend();
            }

            foreach (SyncStore store in (SyncStore[])[first, second, receiver]) await store.FlushAsync();
        }

        Assert.True(one.IsLive && two.IsLive);
        AssertEqual(second, receiver);
        long whole = (await first.Identity.Dataset("save").SnapshotAsync()).Length;
        Assert.InRange(one.Bytes + two.Bytes, whole, whole * 14 / 10);
    }

    [Fact]
    public async Task Deletes_that_are_forgotten_during_a_transfer_start_it_anew()
    {
        MemoryDisk source = await Filled(false);
        await using SyncStore sender = await SyncStore.OpenAsync(source.Open, _byHand);
        await using SyncStore receiver = await SyncStore.OpenAsync(new MemoryDisk().Open, _byHand);
        await receiver.AdoptIdentityAsync(sender.Identity.Id);
        Dataset there = sender.Identity.Dataset("save");
        Assert.False((await Exchange(sender, receiver, 30_000)).IsDone);
        for (int i = 0; i < 1000; i += 3) there.Delete("k" + i);
        await sender.FlushAsync();
        there.ForgetDeletes(there.Version);
        while (!(await Exchange(sender, receiver, 30_000)).IsDone)
        {
        }

        AssertEqual(sender, receiver);
        Assert.False(receiver.Identity.Dataset("save").Contains("k3"));
    }

    [Fact]
    public async Task Parts_without_end_are_refused()
    {
        MemoryDisk source = await Filled(false);
        await using SyncStore sender = await SyncStore.OpenAsync(source.Open, _byHand);
        var options = new SyncStoreOptions { FrameLimits = new FrameLimits { TransferBytesMax = 30_000 } };
        using SyncStore receiver = SyncStore.OpenInMemory(options);
        await receiver.AdoptIdentityAsync(sender.Identity.Id);
        using var line = new Line(sender, receiver);
        while (line.Step())
        {
        }

        Assert.Equal(SyncErrorCode.LimitExceeded, line.Receiver.Progress.Refusals["save"].Code);
        Assert.Equal(SyncErrorCode.LimitExceeded, line.Sender.Progress.Refusals["save"].Code);
        Assert.Equal(0, receiver.Identity.Dataset("save").Count);
    }

    [Theory]
    [InlineData(10_000, 0, true)]
    [InlineData(long.MaxValue, 1001, true)]
    [InlineData(long.MaxValue, 10, false)]
    public async Task A_crash_costs_what_came_last_and_no_more(long unstagedBytesMax, int millisecondsAPart, bool isStaged)
    {
        MemoryDisk source = await Filled(false), target = new();
        var time = new ManualTime();
        var options = new SyncStoreOptions { StoresByHand = true, UnstagedBytesMax = unstagedBytesMax, TimeProvider = time };
        await using SyncStore sender = await SyncStore.OpenAsync(source.Open, _byHand);
        await using SyncStore receiver = await SyncStore.OpenAsync(target.Open, options);
        await receiver.AdoptIdentityAsync(sender.Identity.Id);
        receiver.Journal!.RunNow();
        long whole = (await sender.Identity.Dataset("save").SnapshotAsync()).Length;
        using var line = new Line(sender, receiver);
        while (line.Bytes < 35_000 && line.Step())
        {
            time.Jump(millisecondsAPart);
            receiver.Journal!.RunNow();
        }

        MemoryDisk afterCrash = target.Copy(isNoticed: false);
        await using SyncStore restarted = await SyncStore.OpenAsync(afterCrash.Open, _byHand);
        Assert.NotNull(receiver.Identity.Dataset("save").MarkFor(line.Receiver));
        Assert.Equal(isStaged, restarted.Identity.Dataset("save").MarkFor(this) is not null);
        (bool isDone, long bytes) = await Exchange(sender, restarted, long.MaxValue);
        Assert.True(isDone);
        Assert.InRange(bytes, isStaged ? whole / 4 : whole, isStaged ? whole - 20_000 : whole * 11 / 10);
        AssertEqual(sender, restarted);
    }

    [Fact]
    public async Task Parts_that_a_session_left_behind_are_staged()
    {
        MemoryDisk source = await Filled(false), target = new();
        var options = new SyncStoreOptions { StoresByHand = true, TimeProvider = new ManualTime() };
        await using SyncStore sender = await SyncStore.OpenAsync(source.Open, _byHand);
        await using SyncStore receiver = await SyncStore.OpenAsync(target.Open, options);
        await receiver.AdoptIdentityAsync(sender.Identity.Id);
        using (var line = new Line(sender, receiver))
        {
            while (line.Bytes < 35_000) Assert.True(line.Step());
        }

        receiver.Journal!.RunNow();
        MemoryDisk afterCrash = target.Copy(isNoticed: false);
        await using SyncStore restarted = await SyncStore.OpenAsync(afterCrash.Open, _byHand);
        Assert.Equal(
            receiver.Identity.Dataset("save").MarkFor(this)!.Cursor, restarted.Identity.Dataset("save").MarkFor(this)!.Cursor);
    }

    private static async Task<MemoryDisk> Filled(bool isSnapshot)
    {
        var disk = new MemoryDisk();
        await using SyncStore store = await SyncStore.OpenAsync(disk.Open, _byHand);
        Dataset save = store.Identity.Dataset("save");
        for (int i = 0; i < 1000; i++) save["k" + i] = $"a value of some length, number {i}, so that there are parts";
        for (int i = 0; i < 30; i++) save.Map("map")["f" + i] = i;
        for (int i = 0; i < 30; i++) save.List("list").Add("entry " + i);
        save.Delete("k0");
        await store.FlushAsync();
        if (isSnapshot) save.ForgetDeletes(save.Version);
        return disk;
    }

    private static async Task<(bool IsDone, long Bytes)> Exchange(SyncStore sender, SyncStore receiver, long stopAfterBytes)
    {
        await sender.FlushAsync();
        await receiver.FlushAsync();
        using var line = new Line(sender, receiver);
        for (int idle = 0; idle < 20;)
        {
            if (line.Bytes > stopAfterBytes) return (false, line.Bytes);
            idle = line.Step() ? 0 : idle + 1;
            await sender.FlushAsync();
            await receiver.FlushAsync();
            if (idle > 0) await Task.Delay(1);
        }

        return (line.IsLive, line.Bytes);
    }

    private static void AssertEqual(SyncStore left, SyncStore right)
    {
        Dataset a = left.Identity.Dataset("save"), b = right.Identity.Dataset("save");
        CellReader.AssertFiguresAreRight(b);
        Assert.Equal(a.Version, b.Version);
        Assert.Equal(CellReader.Print(a, liveOnly: true), CellReader.Print(b, liveOnly: true));
    }

    /// <summary>A lossless connection between two sessions, a message at a time.</summary>
    private sealed class Line(SyncStore sender, SyncStore receiver) : IDisposable
    {
        public SyncSession Sender { get; } =
            new(sender.Identity, new SessionOptions { IsInitiator = true, PartBytes = PartBytes });

        public SyncSession Receiver { get; } = new(receiver.Identity, new SessionOptions { PartBytes = PartBytes });

        /// <summary>Bytes of messages from the sender.</summary>
        public long Bytes { get; private set; }

        public bool IsLive => Sender.Progress.IsLive && Receiver.Progress.IsLive;

        public bool Step()
        {
            bool any = Sender.TryTake(out ReadOnlyMemory<byte> message);
            if (any)
            {
                Bytes += message.Length;
                Receiver.Receive(message);
            }

            if (!Receiver.TryTake(out message)) return any;
            Sender.Receive(message);
            return true;
        }

        public void Resend()
        {
            Sender.Resend();
            Receiver.Resend();
        }

        public void Dispose()
        {
            Sender.Dispose();
            Receiver.Dispose();
        }
    }
}
