using System.Collections.Concurrent;
using System.Reactive.Linq;
using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Storage;
using SyncEngine.Sync;
using SyncEngine.Tests.Simulation;
using Xunit;

namespace SyncEngine.Tests.Sync;

/// <summary>
/// Copied and restored files whose fingerprint goes unnoticed, by the ways in which they come about; whole stores that sync
/// over sessions.
/// </summary>
public sealed class CopiedFileTests : IAsyncDisposable
{
    private static readonly SyncOptions _adopts = new() { Adopts = true };
    private readonly List<SyncStore> _stores = [];
    private readonly List<MemoryDisk> _disks = [];
    private readonly List<CloneRandom> _clones = [];

    private static CancellationToken Soon => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    public async ValueTask DisposeAsync()
    {
        foreach (SyncStore store in _stores) await store.DisposeAsync();
    }

    [Fact]
    public async Task A_file_copied_while_closed_and_used_on_both_sides_keeps_all_writes()
    {
        SyncStore original = await NewStore();
        Save(original).Counter("coins").Add(5);
        Save(original)["player"] = "Ann";
        MemoryDisk disk = await Close(original);
        SyncStore first = await Open(disk), second = await Open(disk.Copy(isNoticed: false));
        Save(first).Counter("coins").Add(1);
        Save(second).Counter("coins").Add(10);
        Save(first)["player"] = "Bea";
        Save(second)["player"] = "Cem";
        await Converge(first, second);
        Assert.Equal(16, Save(first).Counter("coins").Value);
        Assert.Equal(["Bea", "Cem"], Values(first, "player"));
        Assert.Equal(2, Save(first).Version.Count);
    }

    [Fact]
    public async Task A_file_copied_while_open_keeps_what_both_wrote_after()
    {
        SyncStore running = await NewStore();
        await Save(running).WriteAsync(w => w.Counter("coins").Add(5));
        SyncStore copy = await Open(Disk(running).Copy(isNoticed: false));
        for (int i = 0; i < 3; i++) Save(running).Counter("coins").Add(1);
        Save(copy).Counter("coins").Add(10);
        Save(copy)["only here"] = true;
        await Converge(running, copy);
        Assert.Equal(18, Save(running).Counter("coins").Value);
        Assert.True(Save(running)["only here"].AsBoolean());
    }

    [Fact]
    public async Task A_backup_restored_over_the_file_gets_back_what_peers_had_and_adds_what_is_new()
    {
        SyncStore device = await NewStore(), peer = await NewStore();
        await Save(device).WriteAsync(w => w.Counter("coins").Add(5));
        MemoryDisk backup = Disk(device).Copy(isNoticed: false);
        await Save(device).WriteAsync(w => w.Counter("coins").Add(2));
        await Converge(peer, device);
        await Close(device);
        SyncStore restored = await Open(backup);
        Save(restored).Counter("coins").Add(100);
        await Converge(peer, restored);
        Assert.Equal(107, Save(peer).Counter("coins").Value);
    }

    [Fact]
    public async Task Two_machines_from_one_image_are_two_replicas()
    {
        SyncStore golden = await NewStore();
        Save(golden)["installed"] = true;
        MemoryDisk image = await Close(golden);
        SyncStore one = await Open(image.Copy(isNoticed: false)), two = await Open(image.Copy(isNoticed: false));
        for (int i = 0; i < 5; i++)
        {
            Save(one)["a" + i] = i;
            Save(two)["b" + i] = i;
        }

        await Converge(one, two);
        Assert.Equal(11, Save(one).Count);
        Assert.NotEqual(Save(one).ReplicaId, Save(two).ReplicaId);
        Assert.InRange(Save(one).Version.Count, 2, 3);
    }

    [Fact]
    public async Task A_copy_that_writes_first_and_syncs_first_keeps_its_writes()
    {
        SyncStore original = await NewStore(), peer = await NewStore();
        Save(original)["base"] = 1;
        await Converge(peer, original);
        SyncStore copy = await Open(Disk(original).Copy(isNoticed: false));
        Save(copy)["copy"] = 1;
        await Converge(peer, copy);
        Save(original)["original"] = 1;
        await Converge(peer, original);
        await Converge(peer, copy);
        foreach (SyncStore store in (SyncStore[])[peer, original, copy]) Assert.Equal(3, Save(store).Count);
    }

    [Fact]
    public async Task A_rollback_met_first_by_a_third_peer_heals_everywhere()
    {
        SyncStore device = await NewStore(), first = await NewStore(), third = await NewStore();
        Save(device)["base"] = 1;
        await Converge(first, device);
        await Converge(third, device);
        MemoryDisk backup = Disk(device).Copy(isNoticed: false);
        Save(device)["known to first"] = 1;
        await Converge(first, device);
        await Close(device);
        SyncStore restored = await Open(backup);
        Save(restored)["known to third"] = 1;
        await Converge(third, restored);
        await Converge(first, third);
        await Converge(first, restored);
        await Converge(third, restored);
        foreach (SyncStore store in (SyncStore[])[first, third, restored]) Assert.Equal(3, Save(store).Count);
        Assert.Equal(Save(first).Version, Save(restored).Version);
        Assert.Equal(Save(first).Digest, Save(restored).Digest);
    }

    [Fact]
    public async Task A_rename_survives_a_crash_before_and_after_its_commit()
    {
        SyncStore original = await NewStore();
        Save(original)["base"] = 1;
        MemoryDisk disk = await Close(original);
        SyncStore first = await Open(disk), second = await Open(disk.Copy(isNoticed: false));
        await Save(first).PutAsync("a", 1);
        await Save(second).PutAsync("b", 1);
        MemoryDisk before = Disk(second).Copy(isNoticed: false);
        await Converge(first, second);
        MemoryDisk after = Disk(second).Copy(isNoticed: false);
        foreach (MemoryDisk image in (MemoryDisk[])[before, after])
        {
            SyncStore again = await Open(image);
            await Converge(first, again);
            Assert.Equal(3, Save(again).Count);
            Assert.Equal(Save(first).Version, Save(again).Version);
        }
    }

    [Fact]
    public async Task Copies_that_are_connected_live_rename_and_go_on()
    {
        SyncStore original = await NewStore();
        Save(original)["base"] = 1;
        MemoryDisk disk = await Close(original);
        SyncStore left = await Open(disk), right = await Open(disk.Copy(isNoticed: false));
        Save(left)["l"] = -1;
        Save(right)["r"] = -1;
        (MemoryTransport l, MemoryTransport r) = MemoryTransport.CreatePair();
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        Task<SyncResult> serving = right.ServeAsync(r, null, stop.Token).AsTask();
        Task<SyncResult> running = left.ExchangeAsync(l, null, stop.Token).AsTask();
        for (int i = 0; i < 10; i++)
        {
            Save(left)["l"] = i;
            Save(right)["r"] = i;
            await Until(() => Save(right)["l"] == i && Save(left)["r"] == i, stop.Token);
        }

        stop.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await Task.WhenAny(serving);
        Assert.Equal(3, Save(left).Count);
    }

    [Fact]
    public async Task A_process_cloned_with_its_memory_is_found_by_the_digest_and_healed_by_both_alike()
    {
        // Two processes that go on in the same opening write different things under the same dots, with the same lines.
        SyncStore left = await OpenClone(seed: 5), right = await OpenClone(seed: 5);
        var told = new ConcurrentBag<Divergence>();
        using IDisposable l = left.Divergences.Subscribe(told.Add), r = right.Divergences.Subscribe(told.Add);
        Save(left)["same"] = 1;
        Save(right)["same"] = 1;
        Save(left)["player"] = "Ann";
        Save(right)["player"] = "Bea";
        Save(left)["left"] = 1;
        Save(right)["right"] = 1;
        await left.FlushAsync();
        await right.FlushAsync();
        Assert.Equal(Save(left).Version, Save(right).Version);
        _clones.ForEach(clone => clone.Part());
        await Converge(left, right);
        Assert.Equal(["Ann", "Bea"], Values(left, "player"));
        Assert.Equal(4, Save(left).Count);
        await Until(() => !told.IsEmpty, Soon);
        Assert.All(told, divergence => Assert.Equal("save", divergence.Dataset));
        Save(left)["more"] = 1;
        Save(right)["more too"] = 1;
        await Converge(left, right);
        Assert.Equal(6, Save(right).Count);
        Assert.InRange(told.Count, 1, 2);
    }

    [Fact]
    public async Task Who_is_told_of_writes_under_its_own_id_takes_another_one()
    {
        SyncStore original = await NewStore();
        await Save(original).PutAsync("base", 1);
        SyncStore copy = await Open(Disk(original).Copy(isNoticed: false));
        ReplicaId shared = Save(original).ReplicaId;
        Save(copy)["copy"] = 1;
        await Converge(original, copy);
        Save(original)["original"] = 1;
        Assert.NotEqual(shared, Save(original).ReplicaId);
        await Converge(original, copy);
        Assert.Equal(3, Save(copy).Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ids_grow_with_copies_only_and_a_line_by_16_bytes_an_opening(bool copies)
    {
        SyncStore store = await NewStore(), peer = await NewStore();
        for (int i = 0; i < 50; i++)
        {
            MemoryDisk disk = await Close(store);
            if (copies && i % 10 == 9) disk = disk.Copy(isNoticed: false);
            store = await Open(disk);
            Save(store).Counter("plays").Add(1);
            await Converge(peer, store);
        }

        Assert.Equal(50, Save(peer).Counter("plays").Value);
        Assert.InRange(Save(peer).Version.Count, 1, 1);
        byte[] one = await Save(peer).DeltaAsync(Save(peer).Version);
        Assert.InRange(one.Length, 50 * 9, (50 * 16) + 200);

        // What a session pushes to a peer that is known to have the rest tells of no opening but the last.
        VersionVector known = Save(peer).Version;
        Save(store)["level"] = 2;
        await Converge(peer, store);
        Assert.InRange(Save(peer).TryEncode(known, long.MaxValue, out _, out _, out _)!.Length, 60, 160);
    }

    private static Dataset Save(SyncStore store) => store.Identity.Dataset("save");

    private static IEnumerable<string> Values(SyncStore store, string key) => CellReader.Standing(Save(store))
        .Where(entry => entry.Key == key && !entry.Value.IsMissing).Select(entry => entry.Value.AsString())
        .Order(StringComparer.Ordinal);

    private static async Task Until(Func<bool> condition, CancellationToken cancellationToken)
    {
        while (!condition()) await Task.Delay(1, cancellationToken);
    }

    private static async Task Converge(SyncStore left, SyncStore right)
    {
        await right.FlushAsync();
        for (int round = 0; round < 2; round++)
        {
            (MemoryTransport l, MemoryTransport r) = MemoryTransport.CreatePair();
            Task<SyncResult> serving = right.ServeAsync(r, _adopts, Soon).AsTask();
            Assert.True((await left.SynchronizeAsync(l, _adopts, null, Soon)).IsComplete);
            Assert.True((await serving).IsComplete);
        }

        await left.FlushAsync();
        await right.FlushAsync();
        CellReader.AssertFiguresAreRight(Save(left));
        CellReader.AssertFiguresAreRight(Save(right));
        Assert.Equal(Save(left).Version, Save(right).Version);
        Assert.Equal(CellReader.Print(Save(left), liveOnly: true), CellReader.Print(Save(right), liveOnly: true));
    }

    private Task<SyncStore> NewStore() => Open(new MemoryDisk());

    private async Task<SyncStore> Open(MemoryDisk disk)
    {
        SyncStore store = await SyncStore.OpenAsync(disk.Open);
        _stores.Add(store);
        _disks.Add(disk);
        return store;
    }

    /// <summary>Two of the same seed draw the same ids, stamps and identity, as a cloned virtual machine would.</summary>
    private async Task<SyncStore> OpenClone(ulong seed)
    {
        if (_stores.Count == 0)
        {
            SyncStore origin = await NewStore();
            Save(origin)["x"] = 0;
            Save(origin).Delete("x");
            await Close(origin);
            MemoryDisk image = Disk(origin);
            (_stores[0], _disks[0]) = (await Reopen(image, seed), image);
            return _stores[0];
        }

        MemoryDisk copy = _disks[0].Copy(isNoticed: false);
        SyncStore clone = await Reopen(copy, seed);
        _stores.Add(clone);
        _disks.Add(copy);
        return clone;
    }

    private async Task<SyncStore> Reopen(MemoryDisk disk, ulong seed)
    {
        _clones.Add(new CloneRandom(seed));
        return await SyncStore.OpenAsync(disk.Open,
            new SyncStoreOptions { RandomSource = _clones[^1], TimeProvider = new ManualTime() });
    }

    private MemoryDisk Disk(SyncStore store) => _disks[_stores.IndexOf(store)];

    private async Task<MemoryDisk> Close(SyncStore store)
    {
        await store.DisposeAsync();
        return Disk(store);
    }

    /// <summary>The same bits on every clone until they part.</summary>
    private sealed class CloneRandom(ulong seed) : RandomSource
    {
        private RandomSource _source = Seeded(seed);

        public void Part() => _source = System;

        public override void Fill(Span<byte> buffer) => _source.Fill(buffer);
    }
}
