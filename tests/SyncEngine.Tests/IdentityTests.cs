using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Identities;
using SyncEngine.Storage;
using SyncEngine.Tests.Simulation;
using Xunit;

namespace SyncEngine.Tests;

public sealed class IdentityTests
{
    [Fact]
    public async Task Identities_of_one_file_keep_their_data_apart()
    {
        var disk = new MemoryDisk();
        IdentityId first, second;
        await using (SyncStore store = await SyncStore.OpenAsync(disk.Open))
        {
            first = store.Identity.Id;
            Dataset old = store.Identity.Dataset("save");
            old["player"] = "Ann";
            Identity other = await store.CreateIdentityAsync();
            second = other.Id;
            await store.SwitchIdentityAsync(second);
            Assert.Equal(second, store.Identity.Id);
            Assert.True(store.Identity.Dataset("save")["player"].IsMissing);
            Assert.Throws<ObjectDisposedException>(() => old["player"] = "Bea");
            await store.Identity.Dataset("save").PutAsync("player", "Cid");
        }

        await using (SyncStore store = await SyncStore.OpenAsync(disk.Open))
        {
            Assert.Equal(second, store.Identity.Id);
            Assert.Equal("Cid", store.Identity.Dataset("save").Get<string>("player"));
            await store.SwitchIdentityAsync(first);
            Assert.Equal("Ann", store.Identity.Dataset("save").Get<string>("player"));
            await store.WipeIdentityAsync(first);
            Assert.Equal(second, store.Identity.Id);
            Assert.Equal("Cid", store.Identity.Dataset("save").Get<string>("player"));
        }

        await using (SyncStore store = await SyncStore.OpenAsync(disk.Open))
        {
            Assert.Equal(second, Assert.Single(store.Identities).Id);
            await store.WipeIdentityAsync(second);
            Assert.NotEqual(second, store.Identity.Id);
            Assert.Empty(store.Identity.DatasetNames);
        }
    }

    [Fact]
    public async Task A_deleted_dataset_is_gone_and_can_be_made_anew()
    {
        var disk = new MemoryDisk();
        await using (SyncStore store = await SyncStore.OpenAsync(disk.Open))
        {
            await store.Identity.Dataset("save").PutAsync("a", 1);
            Assert.Equal(["save"], store.Identity.DatasetNames);
            Assert.True(await store.Identity.DeleteDatasetAsync("save"));
            Assert.False(await store.Identity.DeleteDatasetAsync("save"));
            Assert.Empty(store.Identity.DatasetNames);
            await store.Identity.Dataset("save").PutAsync("b", 2);
        }

        await using (SyncStore store = await SyncStore.OpenAsync(disk.Open))
        {
            Assert.True(store.Identity.Dataset("save")["a"].IsMissing);
            Assert.Equal(2, store.Identity.Dataset("save").Get<int>("b"));
        }
    }

    [Fact]
    public async Task A_guest_is_minted_from_its_key_and_signs_with_it()
    {
        var disk = new MemoryDisk();
        byte[] publicKey;
        IdentityId id;
        await using (SyncStore store = await SyncStore.OpenAsync(disk.Open))
        {
            (publicKey, id) = (store.Identity.DevicePublicKey.ToArray(), store.Identity.Id);
            byte[] hash = System.Security.Cryptography.SHA256.HashData(publicKey);
            Assert.Equal(Convert.ToHexString(hash, 0, 16).ToLowerInvariant(), id.ToString());
        }

        await using SyncStore again = await SyncStore.OpenAsync(disk.Open);
        byte[] signature = again.Identity.Sign([1, 2, 3]);
        using var key = System.Security.Cryptography.ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(publicKey, out _);
        Assert.Equal(id, again.Identity.Id);
        Assert.True(key.VerifyData(new byte[] { 1, 2, 3 }, signature, System.Security.Cryptography.HashAlgorithmName.SHA256));
        Assert.Equal(id, IdentityId.Parse(id.ToString()));
    }

    [Fact]
    public async Task Two_peoples_files_never_mix()
    {
        using SyncStore a = SyncStore.OpenInMemory(), b = SyncStore.OpenInMemory(), c = SyncStore.OpenInMemory();
        a.Identity.Dataset("save")["x"] = 1;
        byte[] bundle = await a.ExportAsync();
        var refused = await Assert.ThrowsAsync<SyncException>(async () => await b.ApplyAsync(bundle));
        Assert.Equal(SyncErrorCode.Unauthorized, refused.Code);
        Assert.Empty(b.Identity.DatasetNames);
        await b.AdoptIdentityAsync(a.Identity.Id);
        await b.ApplyAsync(bundle);
        Assert.True(b.Identity.IsPaired);
        await a.ApplyAsync(await b.ExportAsync(a.GetVersions()));
        Assert.True(a.Identity.IsPaired);
        refused = await Assert.ThrowsAsync<SyncException>(async () => await b.AdoptIdentityAsync(c.Identity.Id));
        Assert.Equal(SyncErrorCode.Unauthorized, refused.Code);
        Assert.Equal(1, b.Identity.Dataset("save").Get<int>("x"));
    }

    [Fact]
    public async Task A_limit_of_datasets_refuses_a_local_one_and_takes_a_merged_one()
    {
        var options = new SyncStoreOptions { Limits = new DatasetLimits { DatasetsMax = 1 } };
        using SyncStore a = SyncStore.OpenInMemory(options), b = SyncStore.OpenInMemory();
        a.Identity.Dataset("one")["x"] = 1;
        var refused = Assert.Throws<SyncException>(() => a.Identity.Dataset("two"));
        Assert.Equal(SyncErrorCode.LimitExceeded, refused.Code);
        await b.AdoptIdentityAsync(a.Identity.Id);
        b.Identity.Dataset("three")["y"] = 2;
        await a.ApplyAsync(await b.ExportAsync());
        Assert.Equal(2, a.Identity.Dataset("three").Get<int>("y"));
    }

    [Fact]
    public async Task A_mapped_object_writes_only_what_changed()
    {
        RecordMapping<Settings> mapping = new(
            map => new Settings(map.Get<double>("volume"), map.Get<string>("name")),
            (settings, map) =>
            {
                map.Set("volume", settings.Volume);
                map.Set("name", settings.Name);
            });
        using SyncStore a = SyncStore.OpenInMemory(), b = SyncStore.OpenInMemory();
        Dataset left = a.Identity.Dataset("d"), right = b.Identity.Dataset("d");
        Assert.Null(left.Get("settings", mapping));
        left.Put("settings", new Settings(0.5, "Ann"), mapping);
        right.Join(await left.SnapshotAsync());
        left.Put("settings", left.Get("settings", mapping)! with { Volume = 1 }, mapping);
        right.Put("settings", right.Get("settings", mapping)! with { Name = "Bea" }, mapping);
        right.Join(await left.DeltaAsync(right.Version));
        Assert.Equal(new Settings(1, "Bea"), right.Get("settings", mapping));
        Assert.Empty(right.Conflicts);
    }

    [Fact]
    public async Task An_export_holds_what_was_written_just_before()
    {
        var disk = new MemoryDisk();
        await using SyncStore a = await SyncStore.OpenAsync(disk.Open);
        using SyncStore b = SyncStore.OpenInMemory();
        for (int i = 0; i < 50; i++)
        {
            a.Identity.Dataset("save")["n"] = i;
            Assert.True((await b.ApplyAsync(await a.ExportAsync(b.GetVersions()), adopts: true)).IsComplete);
            Assert.Equal(i, b.Identity.Dataset("save").Get<int>("n"));
        }
    }

    [Fact]
    public async Task A_bundle_that_leaves_a_gap_adopts_nobody()
    {
        using SyncStore a = SyncStore.OpenInMemory(), b = SyncStore.OpenInMemory();
        Dataset save = a.Identity.Dataset("save");
        save["x"] = 1;
        IReadOnlyDictionary<string, VersionVector> before = a.GetVersions();
        save["x"] = 2;
        IdentityId own = b.Identity.Id;
        Assert.False((await b.ApplyAsync(await a.ExportAsync(before), adopts: true)).IsComplete);
        Assert.Equal(own, b.Identity.Id);
        Assert.False(b.Identity.IsPaired);
        Assert.Empty(b.Identity.DatasetNames);
    }

    [Fact]
    public async Task What_a_transaction_has_not_finished_is_not_handed_out()
    {
        using SyncStore store = SyncStore.OpenInMemory();
        Dataset save = store.Identity.Dataset("save");
        save.Write(w =>
        {
            w["k"] = "ghost";
            Assert.Throws<InvalidOperationException>(() => save.SnapshotAsync().AsTask().GetAwaiter().GetResult());
        });
        Assert.NotEmpty(await save.SnapshotAsync());
    }

    [Fact]
    public async Task A_stored_dataset_is_not_opened_inside_a_transaction()
    {
        var disk = new MemoryDisk();
        await using (SyncStore store = await SyncStore.OpenAsync(disk.Open))
            await store.Identity.Dataset("b").PutAsync("x", 1);
        await using SyncStore again = await SyncStore.OpenAsync(disk.Open);
        Dataset a = again.Identity.Dataset("a");
        Assert.Throws<InvalidOperationException>(() => a.Write(_ => again.Identity.Dataset("b")));
        Assert.Equal(1, again.Identity.Dataset("b").Get<int>("x"));
    }

    [Fact]
    public void A_name_that_is_no_text_is_refused()
    {
        using SyncStore store = SyncStore.OpenInMemory();
        Assert.Throws<ArgumentException>(() => store.Identity.Dataset("a\ud800"));
        Assert.Throws<ArgumentException>(() => store.Identity.Dataset(""));
    }

    [Fact]
    public async Task A_crash_at_any_commit_of_wiping_and_creating_leaves_a_file_that_opens()
    {
        for (int last = 0; last < 12; last++)
        {
            var faults = new Faults();
            var disk = new MemoryDisk();
            SyncStore store = await SyncStore.OpenAsync(() => new FaultyStorage(disk.Open(), faults));
            await store.Identity.Dataset("save").PutAsync("x", 1);
            faults.PowerFailsAfter = faults.Commits + last;
            try
            {
                Identity other = await store.CreateIdentityAsync();
                await store.SwitchIdentityAsync(other.Id);
                await store.Identity.Dataset("save").PutAsync("y", 2);
                await store.WipeIdentityAsync(other.Id);
                await store.WipeIdentityAsync(store.Identity.Id);
                await store.DisposeAsync();
            }
            catch (SyncException)
            {
                await Assert.ThrowsAsync<SyncException>(async () => await store.DisposeAsync());
            }

            await using SyncStore again = await SyncStore.OpenAsync(disk.Open);
            Identity fresh = await again.CreateIdentityAsync();
            Assert.Contains(again.Identities, identity => identity.Id == fresh.Id);
        }
    }

    private sealed record Settings(double Volume, string? Name);
}
