using FsCheck.Xunit;
using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Identities;
using SyncEngine.Sync;
using SyncEngine.Tests.Golden;
using SyncEngine.Tests.Simulation;
using SyncEngine.Values;
using SyncEngine.Wire;
using Xunit;

namespace SyncEngine.Tests.Sync;

/// <summary>A hub that refuses single writes: what it forbids never changes there, everybody ends equal, and nothing is
/// dropped without a word.</summary>
public sealed class GuardTests
{
    private const string Closed = "closed", Open = "open";
    private const int RecordsMax = 6;
    private const int MessagesMax = 5_000;

    /// <summary>Once left a refused counter behind as 0, over and over.</summary>
    [Fact]
    public void The_seed_that_left_a_counter_behind() => Devices_end_as_the_hub_shows_and_keep_what_was_refused(25);

    [Property(MaxTest = 400)]
    public void Devices_end_as_the_hub_shows_and_keep_what_was_refused(int seed)
    {
        var random = new System.Random(seed);
        var time = new ManualTime();
        Identity hub = OpenIdentity(1, time), one = OpenIdentity(2, time), two = OpenIdentity(3, time);
        string shown = "";
        for (int round = 0; round < 6; round++)
        {
            for (int i = random.Next(4); i > 0; i--) Write(hub.Dataset(Closed), random);
            shown = Describe(hub.Dataset(Closed));
            foreach (Identity device in (Identity[])[one, two])
            {
                for (int i = random.Next(5); i > 0; i--) Write(device.Dataset(random.Next(2) == 0 ? Closed : Open), random);
                time.Advance(1000);
                if (random.Next(3) > 0) Exchange(device, hub, random.Next(4) == 0 ? random.Next(12) : int.MaxValue);
                Assert.Equal(shown, Describe(hub.Dataset(Closed)));
                Assert.True(hub.Dataset(Open).Count <= RecordsMax);
            }
        }

        // Twice, so that what the second brought reaches the first.
        for (int i = 0; i < 3; i++)
            foreach (Identity device in (Identity[])[one, two]) Exchange(device, hub, int.MaxValue);
        foreach (Identity device in (Identity[])[one, two])
        {
            Assert.Equal(shown, Describe(device.Dataset(Closed)));
            Assert.Equal(Describe(hub.Dataset(Open)), Describe(device.Dataset(Open)));
            CellReader.AssertFiguresAreRight(device.Dataset(Closed));
        }
    }

    [Property(MaxTest = 100)]
    public void An_inspection_foresees_what_a_merge_does(int seed)
    {
        var random = new System.Random(seed);
        var time = new ManualTime();
        Identity left = OpenIdentity(1, time), right = OpenIdentity(2, time);
        Dataset here = left.Dataset("save"), there = right.Dataset("save");
        for (int round = 0; round < 4; round++)
        {
            for (int i = random.Next(8); i > 0; i--) Write(here, random);
            for (int i = random.Next(8); i > 0; i--) Write(there, random);
            if (random.Next(2) == 0) here.Join(there.SnapshotAsync().AsTask().Result);
            if (random.Next(2) == 0) there.Join(here.SnapshotAsync().AsTask().Result);
        }

        var seen = new Recorder();
        string before = Describe(here);
        (int records, long bytes) = (here.Count, here.State.LiveBytes);
        using DecodedFrame frame = FrameReader.Read(there.DeltaAsync(here.Version).AsTask().Result, new FrameLimits());
        here.JoinChecked(frame, seen);
        Assert.Equal(records + seen.Made - seen.Dropped, here.Count);
        Assert.Equal(bytes + seen.Growth, here.State.LiveBytes);
        if (!seen.ChangesValues) Assert.Equal(before, Describe(here));
    }

    [Fact]
    public void Every_refused_value_is_kept_aside_with_the_reason()
    {
        var time = new ManualTime();
        Identity hub = OpenIdentity(1, time), device = OpenIdentity(2, time);
        hub.Dataset(Closed)["gold"] = 1;
        Exchange(device, hub, int.MaxValue);
        device.Dataset(Closed)["gold"] = 9;
        device.Dataset(Closed).Counter("gems").Add(5);
        device.Dataset(Closed).Set("badges").Add("first");
        device.Dataset(Closed).Map("m")["f"] = true;
        device.Dataset(Closed).List("l").Add("x");
        Exchange(device, hub, int.MaxValue);
        IReadOnlyList<RefusedWrite> refused = device.Dataset(Closed).Refused;
        Assert.Equal(["badges", "gems", "gold", "l", "m"], refused.Select(write => write.Key).Order());
        Assert.Contains(refused, write => write is { Key: "gold" } && write.Value == 9);
        Assert.Contains(refused, write => write is { Key: "m", Field: "f" } && write.Value == true);
        Assert.All(refused, write => Assert.Equal((SyncErrorCode.Unauthorized, Closed), (write.Code, write.Dataset)));
        Assert.Equal(1, device.Dataset(Closed)["gold"]);
        device.Dataset(Closed).DismissRefused(refused);
        Assert.Empty(device.Dataset(Closed).Refused);
    }

    [Fact]
    public void Refused_writes_are_taken_over_once_at_a_cost_that_grows_with_their_number()
    {
        const int Count = 2_000, BytesAWrite = 2_000;
        var time = new ManualTime();
        Identity hub = OpenIdentity(1, time), device = OpenIdentity(2, time), other = OpenIdentity(3, time);
        Dataset from = device.Dataset(Closed), to = other.Dataset(Closed);
        for (int i = 0; i < Count; i++) from["k" + i] = i;
        Exchange(device, hub, int.MaxValue);
        Assert.Equal(Count, from.Refused.Count);
        to.TakeRefused(from);
        Assert.Equal(Count, to.Refused.Count);
        from["more"] = 1;
        Exchange(device, hub, int.MaxValue);
        long before = GC.GetAllocatedBytesForCurrentThread();
        to.TakeRefused(from);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(Count + 1, to.Refused.Count);
        Assert.Equal("more", to.Refused[^1].Key);
        Assert.InRange(allocated, 0, Count * BytesAWrite);
    }

    private static Identity OpenIdentity(ulong seed, TimeProvider time)
    {
        var id = new IdentityId(7, 7);
        int datasets = 0;
        return new Identity(1, new IdentityPage(id.High, id.Low, IsPaired: true, [1], []),
            new DatasetContext { Time = time, Random = RandomSource.Seeded(seed) },
            new IdentityHome(() => ++datasets, static _ => Task.CompletedTask));
    }

    /// <summary>A session of a device with the hub, cut after so many messages.</summary>
    private static void Exchange(Identity device, Identity hub, int messages)
    {
        using var left = new SyncSession(device, new SessionOptions { IsInitiator = true });
        using var right = new SyncSession(hub, new SessionOptions { Guard = new ReadOnlyGuard(Closed, RecordsMax) });
        int sent = 0;
        for (bool any = true; any;)
        {
            any = false;
            while (left.TryTake(out ReadOnlyMemory<byte> message))
            {
                any = true;
                if (sent++ >= messages) return;
                right.Receive(message.ToArray());
            }

            while (right.TryTake(out ReadOnlyMemory<byte> message))
            {
                any = true;
                if (sent++ >= messages) return;
                left.Receive(message.ToArray());
            }

            Assert.True(sent < MessagesMax, "They never come to an end.");
        }
    }

    internal static void Write(Dataset dataset, System.Random random)
    {
        string key = "k" + random.Next(5);
        Value value = random.Next(4);
        switch (random.Next(11))
        {
            case 0: dataset.Put(key, value); break;
            case 1: dataset.Counter(key).Add(random.Next(-3, 5)); break;
            case 2: dataset.Max(key).Raise(value); break;
            case 3: dataset.Min(key).Lower(value); break;
            case 4: dataset.Set(key).Add(value); break;
            case 5: dataset.Map(key)["f" + random.Next(3)] = value; break;
            case 6: dataset.List(key).Insert(random.Next(dataset.List(key).Count + 1), value); break;
            case 7: dataset.Delete(key); break;
            case 8: dataset.Set(key).Remove(value); break;
            case 9 when dataset.List(key).Count > 1: dataset.List(key).Move(0, dataset.List(key).Count - 1); break;
            default: dataset.Counter(key).Reset(); break;
        }
    }

    internal static string Describe(Dataset dataset) => string.Join("; ", dataset.Records.Order().Select(name => name + "=" +
        (name.Kind switch
        {
            RecordKind.Register => dataset[name.Key].ToString(),
            RecordKind.Counter => dataset.Counter(name.Key).ToString(),
            RecordKind.Max => dataset.Max(name.Key).ToString(),
            RecordKind.Min => dataset.Min(name.Key).ToString(),
            RecordKind.Set => string.Join(',', dataset.Set(name.Key).ToArray().Select(value => value.ToString()).Order()),
            RecordKind.Map => string.Join(',', dataset.Map(name.Key).ToArray().OrderBy(field => field.Key)),
            _ => string.Join(',', dataset.List(name.Key).ToArray()),
        })).Where(static text => !text.EndsWith("Counter }=0", StringComparison.Ordinal)));

    private sealed class Recorder : IFrameJudge
    {
        public int Made { get; private set; }

        public int Dropped { get; private set; }

        public long Growth { get; private set; }

        public bool ChangesValues { get; private set; }

        public string Reason => "";

        public bool AllowsRenames(CellState state, IReadOnlyList<Rename> renames) => true;

        public bool Allows(FrameInspection inspection)
        {
            Made = inspection.Changes.Count(static change => change.MakesRecord);
            Dropped = inspection.RecordsDropped;
            Growth = inspection.BytesGrown;
            ChangesValues = inspection.Changes.Any(static change => change.ChangesValues);
            return true;
        }
    }
}
