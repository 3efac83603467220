using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;
using SyncEngine.Storage;
using SyncEngine.Sync;
using SyncEngine.Wire;
using Xunit;

namespace SyncEngine.Hub.Tests.Syncing;

/// <summary>How long, and how many, deletes a hub remembers, and what becomes of a device that was away longer.</summary>
public sealed class ForgettingTests : IAsyncLifetime
{
    private const string Pool = "game", Name = "save";
    private static readonly IdentityId _id = new(7, 7);
    private readonly HubClock _time = new();
    private readonly MemoryDisk _disk = new();
    private readonly List<long> _told = [];
    private HubStore _store = null!;
    private SessionLimits _limits = new();
    private int _devices;

    public async Task InitializeAsync() => _store = await OpenAsync(_disk);

    public async Task DisposeAsync() => await _store.DisposeAsync();

    [Fact]
    public async Task A_delete_is_forgotten_an_age_after_it_came_and_nobody_is_told()
    {
        await OnHubAsync(hub => Churn(hub, "old", 500));
        await _store.SweepAsync();
        Assert.Equal(0, _store.OpenedCount);
        long large = await OnHubAsync(static hub => hub.StoredBytes);
        _time.Advance(TimeSpan.FromDays(79));
        Assert.Equal(500, await TombstonesAfterSweepAsync());
        await OnHubAsync(hub => Churn(hub, "late", 1));
        Assert.Equal(501, await TombstonesAfterSweepAsync());
        (long revision, int told) = (await OnHubAsync(static hub => hub.Revision), _told.Count);
        _time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(1, await TombstonesAfterSweepAsync());
        Assert.True(await OnHubAsync(static hub => hub.StoredBytes) < large / 10);

        // As durable as anything, and no change for anybody.
        await using (HubStore other = await OpenAsync(_disk.Copy(isNoticed: false)))
        {
            using IdentityLease lease = await other.LeaseAsync(Pool, _id);
            Assert.Equal(1, lease.Identity.OpenForJoin(Name).State.Tombstones);
            Assert.Equal(revision, lease.Identity.OpenForJoin(Name).Revision);
        }

        Assert.Equal(told, _told.Count);
        _time.Advance(TimeSpan.FromDays(79));
        Assert.Equal(0, await TombstonesAfterSweepAsync());
        Assert.Empty(await _store.Rows.ReadRangeAsync(HubStore.BesideOf(Pool, _id), null, 10));
        await OnHubAsync(static hub => hub.Write(static write => write["next"] = 1));
        await _store.FlushAsync();
        Assert.Equal(revision + 1, _told[^1]);
    }

    [Fact]
    public async Task What_is_in_use_all_the_time_is_looked_at_too()
    {
        using IdentityLease lease = await _store.LeaseAsync(Pool, _id);
        Dataset hub = lease.Identity.OpenForJoin(Name);
        for (int day = 0; day < 400; day++)
        {
            Churn(hub, "day" + day, 1);
            await _store.ForgetDeletesAsync(default);
            _time.Advance(TimeSpan.FromDays(1));
        }

        Assert.InRange(hub.State.Tombstones, 80, 91);
    }

    [Fact]
    public async Task A_clock_that_goes_back_only_begins_the_age_anew()
    {
        await OnHubAsync(hub => Churn(hub, "a", 3));
        _time.Advance(TimeSpan.FromDays(1000));
        await _store.SweepAsync();
        _time.Advance(TimeSpan.FromDays(-1000));
        Assert.Equal(3, await TombstonesAfterSweepAsync());
        _time.Advance(TimeSpan.FromDays(79));
        Assert.Equal(3, await TombstonesAfterSweepAsync());
        _time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(0, await TombstonesAfterSweepAsync());
    }

    [Theory]
    [InlineData(256 * 1024)]
    [InlineData(300)]
    public async Task A_device_that_was_away_for_longer_loses_nothing(int partBytes)
    {
        Identity here = NewDevice(), away = NewDevice();
        Dataset a = here.Dataset(Name), b = away.Dataset(Name);
        for (int i = 0; i < 60; i++) a["k" + i] = i;
        a.Set("badges").Add("first");
        await SyncAsync(here, partBytes);
        await SyncAsync(away, partBytes);

        // While one writes on its own, the other deletes most of what it knows.
        b["mine"] = "new";
        b["k1"] = "updated";
        b.Counter("coins").Add(5);
        b.Set("badges").Add("second");
        b.Delete("k2");
        a["k2"] = "updated";
        for (int i = 0; i < 60; i++) if (i is not (2 or 3)) a.Delete("k" + i);
        a.Set("badges").Remove("first");
        a.Counter("coins").Add(1);
        await SyncAsync(here, partBytes);
        Assert.Equal(59, await TombstonesAfterSweepAsync());
        _time.Advance(TimeSpan.FromDays(400));
        Assert.Equal(0, await TombstonesAfterSweepAsync());
        for (int round = 0; round < 2; round++)
        {
            await SyncAsync(away, partBytes);
            await SyncAsync(here, partBytes);
        }

        foreach (Dataset dataset in (Dataset[])[a, b])
        {
            Assert.Equal("new", dataset["mine"]);
            Assert.Equal("updated", dataset["k1"]);
            Assert.Equal("updated", dataset["k2"]);
            Assert.Equal(3, dataset["k3"]);
            Assert.Equal(6, dataset.Counter("coins").Value);
            Assert.Equal(["second"], dataset.Set("badges").ToArray().Select(static badge => badge.AsString()));
            Assert.Equal(6, dataset.Count);
            Assert.Empty(dataset.Refused);
            Assert.Equal(await OnHubAsync(static hub => hub.Digest), dataset.Digest);
        }
    }

    [Fact]
    public async Task A_flood_of_deletes_takes_no_more_room_than_some()
    {
        _limits = new SessionLimits { RecordsMax = 10 };
        Identity flooding = NewDevice(), quiet = NewDevice();
        Dataset flood = flooding.Dataset(Name), other = quiet.Dataset(Name);
        other["kept"] = 1;
        await SyncAsync(quiet);
        for (int round = 0; round < 40; round++)
        {
            // Some are deleted before the hub hears of them, some after it has taken them, some because it does not.
            Churn(flood, "early" + round, 60);
            for (int i = 0; i < 6; i++) flood["late" + round + i] = i;
            await SyncAsync(flooding);
            if (round % 4 == 0) for (int i = 0; i < 50; i++) flood["more" + round + i] = i;
            await SyncAsync(flooding);
            for (int i = 0; i < 6; i++) flood.Delete("late" + round + i);
            foreach (RecordName record in flood.Records) if (record.Key != "kept") flood.Delete(record.Key);
            await SyncAsync(flooding);
            (int deletes, int live) = await OnHubAsync(static hub => (hub.State.Tombstones, hub.Count));
            Assert.InRange(deletes, 0, DatasetRoom.DeletesFactor * 10);
            Assert.Equal(1, live);
        }

        // The 46 or so surplus keys of each of ten rounds were refused, nothing else was.
        Assert.All(flood.Refused, static refused => Assert.StartsWith("more", refused.Key));
        Assert.True(flood.State.Tombstones > 2500, "there was no flood");
        Assert.InRange(await OnHubAsync(static hub => hub.StoredBytes), 1, 50_000);
        await SyncAsync(quiet);
        Assert.Equal(1, other["kept"]);
        Assert.Equal(1, other.Count);
        other["after"] = 2;
        await SyncAsync(quiet);
        await SyncAsync(flooding);
        Assert.Equal(2, flood["after"]);
        Assert.Equal(other.Digest, flood.Digest);
    }

    [Fact]
    public async Task Deletes_of_large_elements_take_no_more_room_than_records()
    {
        _limits = new SessionLimits { RecordsMax = 10, DatasetBytesMax = 10_000 };
        Identity flooding = NewDevice(), quiet = NewDevice();
        Dataset flood = flooding.Dataset(Name), other = quiet.Dataset(Name);
        flood.Set("s").Add("kept");
        for (int round = 0; round < 20; round++)
        {
            for (int i = 0; i < 3; i++) flood.Set("s").Add($"{round} {i} {new string('x', 2_000)}");
            if (round % 2 == 0) await SyncAsync(flooding);
            for (int i = 0; i < 3; i++) flood.Set("s").Remove($"{round} {i} {new string('x', 2_000)}");
            await SyncAsync(flooding);
            Assert.InRange(await OnHubAsync(static hub => hub.State.TombstoneBytes), 0, 10_000);
            if (round == 5) await SyncAsync(quiet);
        }

        Assert.Equal(60, flood.State.Tombstones);
        await SyncAsync(quiet);
        Assert.Equal("kept", other.Set("s").ToArray().Single().AsString());
        Assert.Equal(flood.Digest, other.Digest);
        Assert.Equal(0, await OnHubAsync(static hub => hub.ForgetDeletes(hub.Version) > 0 ? hub.State.TombstoneBytes : -1));
    }

    private static bool Churn(Dataset dataset, string prefix, int count)
    {
        for (int i = 0; i < count; i++) dataset[prefix + i + new string('.', 60)] = i;
        for (int i = 0; i < count; i++) dataset.Delete(prefix + i + new string('.', 60));
        return true;
    }

    private async Task<HubStore> OpenAsync(MemoryDisk disk)
    {
        HubStore store = await HubStore.OpenAsync(disk.Open, new HubStoreOptions
        {
            StoresByHand = true, Time = _time, Memory = new HubMemoryOptions { IdleTime = TimeSpan.Zero },
            DeletesKept = TimeSpan.FromDays(80), SnapshotSlackBytes = 2000,
        });
        store.Advanced = (_, _, _, revision, _) => _told.Add(revision);
        return store;
    }

    private async Task<int> TombstonesAfterSweepAsync()
    {
        await OnHubAsync(static hub => hub.Revision);
        await _store.SweepAsync();
        return await OnHubAsync(static hub => hub.State.Tombstones);
    }

    private async Task OnHubAsync(Action<Dataset> change)
    {
        using IdentityLease lease = await _store.LeaseAsync(Pool, _id);
        change(lease.Identity.OpenForJoin(Name));
    }

    private async Task<T> OnHubAsync<T>(Func<Dataset, T> look)
    {
        using IdentityLease lease = await _store.LeaseAsync(Pool, _id);
        return look(lease.Identity.OpenForJoin(Name));
    }

    private Identity NewDevice()
    {
        int datasets = 0;
        return new Identity(1, new IdentityPage(_id.High, _id.Low, IsPaired: true, [1], []),
            new DatasetContext { Time = _time, Random = RandomSource.Seeded((ulong)++_devices) },
            new IdentityHome(() => ++datasets, static _ => Task.CompletedTask));
    }

    private async Task SyncAsync(Identity device, int partBytes = 256 * 1024)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        using IdentityLease lease = await _store.LeaseAsync(Pool, _id);
        var access = new SessionAccess { Allows = static (_, _) => true, Limits = _limits };
        var guard = new HubGuard(lease.Identity, new SyncCaller(Pool, _id, "device", DateTimeOffset.MaxValue, access), null,
            static _ => { });
        using var left = new SyncSession(device, new SessionOptions { IsInitiator = true, PartBytes = partBytes });
        using var right = new SyncSession(lease.Identity, new SessionOptions { Guard = guard, PartBytes = partBytes });
        for (bool any = true; any;)
        {
            await _store.FlushAsync();
            any = false;
            foreach ((SyncSession from, SyncSession to) in ((SyncSession, SyncSession)[])[(left, right), (right, left)])
            {
                while (from.TryTake(out ReadOnlyMemory<byte> message))
                {
                    any = true;
                    to.Receive(message.ToArray());
                }
            }
        }
    }
}
