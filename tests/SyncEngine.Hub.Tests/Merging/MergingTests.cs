using FsCheck.Xunit;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Merging;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;
using SyncEngine.Storage;
using SyncEngine.Values;
using Xunit;

namespace SyncEngine.Hub.Tests.Merging;

public sealed class MergingTests
{
    private const string Pool = "game";
    private static readonly string[] _datasets = ["save", "settings"];

    [Property(MaxTest = 60)]
    public void Every_mode_shows_what_it_promises_and_loses_no_write(int seed, byte modeByte)
    {
        var mode = (MergeMode)(modeByte % 4);
        Run(async () =>
        {
            await using World world = await World.OpenAsync(seed);
            var before = await world.ReadAsync(world.Account);
            var guest = await world.ReadAsync(world.Guest);
            await world.Merging.MergeAsync(Pool, world.Guest, world.Account, mode, null, false, default);
            var after = await world.ReadAsync(world.Account);
            foreach (string name in _datasets)
            {
                if (mode == MergeMode.KeepDestination) Assert.Equal(before[name], after[name]);
                bool has = await world.HasAsync(world.Guest, name);
                if (mode == MergeMode.KeepSource) Assert.Equal(has ? guest[name] : before[name], after[name]);
                if (mode == MergeMode.Manual) Assert.Equal(before[name], after[name]);
                if (mode == MergeMode.Manual && has) Assert.Equal(guest[name], after[$"{name}.{world.Guest}"]);
                if (mode == MergeMode.Union) Assert.Equal(await world.TogetherAsync(name), after[name]);
            }
        });
    }

    [Property(MaxTest = 60)]
    public void An_undone_merge_shows_what_was_before(int seed, byte modeByte)
    {
        Run(async () =>
        {
            await using World world = await World.OpenAsync(seed);
            var before = await world.ReadAsync(world.Account);
            var guest = await world.ReadAsync(world.Guest);
            IdentityRow row = await world.Merging.MergeAsync(
                Pool, world.Guest, world.Account, (MergeMode)(modeByte % 4), null, false, default);
            await world.Merging.UndoAsync(Pool, world.Account, row.Merges[^1].Id, default);
            var after = await world.ReadAsync(world.Account);
            foreach (string name in _datasets) Assert.Equal(before[name], after[name]);
            Assert.Equal(guest, await world.ReadAsync(world.Guest));
            Assert.Equal(IdentityState.Active, (await world.Directory.FindAsync(Pool, world.Guest))!.State);
            var again = await Assert.ThrowsAsync<DirectoryException>(
                () => world.Merging.UndoAsync(Pool, world.Account, row.Merges[^1].Id, default));
            Assert.Equal(DirectoryFault.NotUndoable, again.Fault);
        });
    }

    [Property(MaxTest = 60)]
    public void A_merge_after_one_that_was_taken_back_shows_what_that_one_showed(int seed, byte modeByte)
    {
        var mode = (MergeMode)(modeByte % 4);
        Run(async () =>
        {
            await using World world = await World.OpenAsync(seed);
            var before = await world.ReadAsync(world.Account);
            Dictionary<string, string>? first = null;
            for (int i = 0; i < 3; i++)
            {
                IdentityRow row = await world.Merging.MergeAsync(Pool, world.Guest, world.Account, mode, null, false, default);
                var merged = await world.ReadAsync(world.Account);
                first ??= merged;
                Assert.Equal(first, merged);
                await world.Merging.UndoAsync(Pool, world.Account, row.Merges[^1].Id, default);
                var undone = await world.ReadAsync(world.Account);
                foreach (string name in _datasets) Assert.Equal(before[name], undone[name]);
            }
        });
    }

    [Fact]
    public async Task Undoing_keeps_what_was_written_since_and_takes_back_only_what_counters_gained()
    {
        await using World world = await World.OpenAsync(1, fills: false);
        await world.WriteAsync(world.Guest, save =>
        {
            save.Counter("coins").Add(3);
            save["name"] = "guest";
            save["only"] = "guest";
        });
        await world.WriteAsync(world.Account, save =>
        {
            save.Counter("coins").Add(5);
            save["other"] = "account";
        });
        IdentityRow row = await world.Merging.MergeAsync(Pool, world.Guest, world.Account, MergeMode.Union, null, false, default);
        await world.WriteAsync(world.Account, save =>
        {
            save.Counter("coins").Add(2);
            save["name"] = "later";
        });
        await world.Merging.UndoAsync(Pool, world.Account, row.Merges[^1].Id, default);
        using IdentityLease lease = await world.Store.LeaseAsync(Pool, world.Account);
        Dataset save = lease.Identity.Dataset("save");
        Assert.Equal(7, save.Counter("coins").Value);
        Assert.Equal("later", save["name"]);
        Assert.True(save["only"].IsMissing);
        Assert.Equal("account", save["other"]);
    }

    [Fact]
    public async Task A_guest_is_merged_once_and_its_alias_leads_to_where_it_went()
    {
        await using World world = await World.OpenAsync(2, fills: false);
        await world.WriteAsync(world.Guest, save => save.Counter("coins").Add(3));
        await world.Merging.MergeAsync(Pool, world.Guest, world.Account, MergeMode.Union, null, false, default);
        await Assert.ThrowsAsync<DirectoryException>(
            () => world.Merging.MergeAsync(Pool, world.Guest, world.Account, MergeMode.Union, null, false, default));
        using IdentityLease lease = await world.Store.LeaseAsync(Pool, world.Account);
        Assert.Equal(3, lease.Identity.Dataset("save").Counter("coins").Value);
        Assert.Equal(world.Account, (await world.Directory.ResolveAsync(Pool, world.Guest))!.Id);
    }

    [Property(MaxTest = 25)]
    public void A_merge_is_whole_after_the_hub_was_opened_again(int seed)
    {
        Run(async () =>
        {
            var disk = new MemoryDisk();
            IdentityId guest, account;
            Dictionary<string, string> before, guestBefore, merged;
            await using (World world = await World.OpenAsync(seed, disk: disk))
            {
                (guest, account) = (world.Guest, world.Account);
                (before, guestBefore) = (await world.ReadAsync(account), await world.ReadAsync(guest));
            }

            MemoryDisk copy = disk.Copy(isNoticed: false);
            await using (World world = await World.ReopenAsync(copy, guest, account))
            {
                await world.Merging.MergeAsync(Pool, guest, account, MergeMode.Union, null, false, default);
                merged = await world.ReadAsync(account);
            }

            await using World old = await World.ReopenAsync(disk, guest, account);
            Assert.Equal(before, await old.ReadAsync(account));
            Assert.Equal(guestBefore, await old.ReadAsync(guest));
            Assert.Equal(IdentityState.Active, (await old.Directory.FindAsync(Pool, guest))!.State);
            await using World done = await World.ReopenAsync(copy, guest, account);
            Assert.Equal(merged, await done.ReadAsync(account));
            Assert.Equal(IdentityState.Merged, (await done.Directory.FindAsync(Pool, guest))!.State);
        });
    }

    [Fact]
    public async Task What_is_kept_for_undoing_goes_when_its_time_is_over()
    {
        await using World world = await World.OpenAsync(3);
        await world.Merging.MergeAsync(Pool, world.Guest, world.Account, MergeMode.Union, null, false, default);
        Assert.Equal(0, await world.Merging.SweepAsync(default));
        world.Time.Advance(IdentityMerging.UndoTime + TimeSpan.FromSeconds(1));
        Assert.Equal(1, await world.Merging.SweepAsync(default));
        Assert.Empty(await world.Store.Rows.ReadRangeAsync("undo/", null, 10));
        Assert.Null(await world.Store.Rows.ReadAsync($"data/{Pool}/{world.Guest}"));
        Assert.Equal(world.Account, (await world.Directory.ResolveAsync(Pool, world.Guest))!.Id);
    }

    [Fact]
    public async Task A_preview_tells_what_a_merge_then_does()
    {
        await using World world = await World.OpenAsync(4);
        IReadOnlyList<DatasetPreview> previews = await world.Merging.PreviewAsync(
            Pool, world.Guest, world.Account, MergeMode.Union, new SessionLimits { RecordsMax = 1 }, default);
        await world.Merging.MergeAsync(Pool, world.Guest, world.Account, MergeMode.Union, null, false, default);
        using IdentityLease lease = await world.Store.LeaseAsync(Pool, world.Account);
        foreach (DatasetPreview preview in previews)
        {
            Assert.Equal(preview.TogetherRecords, lease.Identity.Dataset(preview.Name).Count);
            Assert.Equal(preview.TogetherRecords > 1, preview.ExceedsLimit);
        }
    }

    private static void Run(Func<Task> test) => Task.Run(test).GetAwaiter().GetResult();

    private sealed class World : IAsyncDisposable
    {
        private World(HubStore store, HubClock time, IdentityId guest, IdentityId account)
        {
            (Store, Time, Guest, Account) = (store, time, guest, account);
            var locks = new KeyedLocks();
            Directory = new IdentityDirectory(store.Rows, locks, time);
            Merging = new IdentityMerging(store, Directory, locks, new OpenSessions(), time);
        }

        public HubStore Store { get; }

        public HubClock Time { get; }

        public IdentityDirectory Directory { get; }

        public IdentityMerging Merging { get; }

        public IdentityId Guest { get; }

        public IdentityId Account { get; }

        public static async Task<World> OpenAsync(int seed, bool fills = true, MemoryDisk? disk = null)
        {
            World world = await ReopenAsync(disk ?? new MemoryDisk(), default, default);
            IdentityId guest = await world.RegisterAsync(), account = await world.RegisterAsync();
            var random = new System.Random(seed);
            world = new World(world.Store, world.Time, guest, account);
            foreach (IdentityId id in (IdentityId[])[guest, account])
            {
                using IdentityLease lease = await world.Store.LeaseAsync(Pool, id);
                foreach (string name in _datasets)
                    if (fills) Fill(lease.Identity.Dataset(name), random);
            }

            return world;
        }

        public static async Task<World> ReopenAsync(MemoryDisk disk, IdentityId guest, IdentityId account)
        {
            var time = new HubClock();
            HubStore store = await HubStore.OpenAsync(disk.Open, new HubStoreOptions { Time = time });
            return new World(store, time, guest, account);
        }

        public async Task WriteAsync(IdentityId id, Action<Records> write)
        {
            using IdentityLease lease = await Store.LeaseAsync(Pool, id);
            Dataset save = lease.Identity.Dataset("save");
            write(save);
            await save.FlushAsync();
        }

        public async Task<Dictionary<string, string>> ReadAsync(IdentityId id)
        {
            using IdentityLease lease = await Store.LeaseAsync(Pool, id);
            return lease.Identity.DatasetNames.Union(_datasets).ToDictionary(
                name => name, name => Describe(lease.Identity.Dataset(name)));
        }

        public async Task<bool> HasAsync(IdentityId id, string name)
        {
            using IdentityLease lease = await Store.LeaseAsync(Pool, id);
            return lease.Identity.StoredNumbers.Count > 0 && lease.Identity.Dataset(name).Revision > 0;
        }

        public async Task<string> TogetherAsync(string name)
        {
            using IdentityLease guest = await Store.LeaseAsync(Pool, Guest), account = await Store.LeaseAsync(Pool, Account);
            var together = new Dataset(name, 1, new DatasetContext());
            together.Join(await guest.Identity.Dataset(name).SnapshotAsync());
            together.Join(await account.Identity.Dataset(name).SnapshotAsync());
            return Describe(together);
        }

        public ValueTask DisposeAsync() => Store.DisposeAsync();

        private static void Fill(Dataset dataset, System.Random random)
        {
            for (int i = random.Next(1, 12); i > 0; i--)
            {
                string key = "k" + random.Next(4);
                Value value = random.Next(3);
                switch (random.Next(9))
                {
                    case 0: dataset.Put(key, value); break;
                    case 1: dataset.Counter(key).Add(random.Next(-5, 9)); break;
                    case 2: dataset.Max(key).Raise(value); break;
                    case 3: dataset.Min(key).Lower(value); break;
                    case 4: dataset.Set(key).Add(value); break;
                    case 5: dataset.Map(key)["f" + random.Next(3)] = value; break;
                    case 6: dataset.List(key).Insert(random.Next(dataset.List(key).Count + 1), value); break;
                    case 7: dataset.Delete(key); break;
                    default: dataset.Set(key).Remove(value); break;
                }
            }
        }

        private static string Describe(Dataset dataset) => string.Join("; ", dataset.Records.Order().Select(name => name + "=" +
            (name.Kind switch
            {
                RecordKind.Register => dataset[name.Key].ToString(),
                RecordKind.Counter => dataset.Counter(name.Key).ToString(),
                RecordKind.Max => dataset.Max(name.Key).Value.ToString(),
                RecordKind.Min => dataset.Min(name.Key).Value.ToString(),
                RecordKind.Set => string.Join(',', dataset.Set(name.Key).ToArray().Select(value => value.ToString()).Order()),
                RecordKind.Map => string.Join(',', dataset.Map(name.Key).ToArray().OrderBy(field => field.Key)),
                _ => string.Join(',', dataset.List(name.Key).ToArray()),
            })).Where(text => !text.EndsWith("Counter }=0", StringComparison.Ordinal)));

        private async Task<IdentityId> RegisterAsync()
        {
            byte[] key = DeviceKey.PublicOf(DeviceKey.Create());
            return (await Directory.RegisterGuestAsync(Pool, key, null, null, default)).Row.Id;
        }
    }
}
