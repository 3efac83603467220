using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Storage;
using SyncEngine.Values;
using Xunit;

namespace SyncEngine.Tests.Datasets;

public sealed class DatasetTests
{
    [Fact]
    public async Task Every_kind_reads_back_what_was_written_and_merges()
    {
        using SyncStore a = SyncStore.OpenInMemory(), b = SyncStore.OpenInMemory();
        await b.AdoptIdentityAsync(a.Identity.Id);
        Dataset left = a.Identity.Dataset("save"), right = b.Identity.Dataset("save");
        left["player"] = "Ann";
        left.Counter("coins").Add(100);
        left.Max("best").Raise(9001);
        left.Min("fastest").Lower(12.5);
        left.Set("badges").Add("first-win");
        left.Map("settings")["volume"] = 0.8;
        left.List("inventory").Add("sword");
        left.List("inventory").Add("bow");
        left.List("inventory").Insert(1, "shield");
        Assert.Equal(JoinOutcome.Joined, right.Join(await left.DeltaAsync(right.Version)).Outcome);
        Assert.Equal("Ann", right.Get<string>("player"));
        Assert.Equal(100, right.Counter("coins").Value);
        Assert.Equal(9001, right.Max("best").Value.AsInteger());
        Assert.Equal(12.5, right.Min("fastest").Value.AsDouble());
        Assert.True(right.Set("badges").Contains("first-win"));
        Assert.Equal(0.8, right.Map("settings").Get<double>("volume"));
        Assert.Equal(["sword", "shield", "bow"], right.List("inventory").ToArray().Select(v => v.AsString()));
        Assert.Equal(left.Version, right.Version);
        Assert.Equal(left.Digest, right.Digest);
        Assert.Equal(7, right.Count);

        left["player"] = "Bea";
        right["player"] = "Cid";
        left.Counter("coins").Add(10);
        right.Counter("coins").Add(20);
        left.List("inventory").Move(0, 2);
        right.List("inventory").Add("potion");
        right.Set("badges").Remove("first-win");
        left.Set("badges").Add("first-win");
        await Exchange(left, right);
        Assert.Equal(130, left.Counter("coins").Value);
        Assert.Equal(130, right.Counter("coins").Value);
        Assert.True(left.Set("badges").Contains("first-win"));
        Assert.Equal(left.List("inventory").ToArray(), right.List("inventory").ToArray());
        Conflict conflict = Assert.Single(left.Conflicts);
        Assert.Equal(conflict.Winner, right.Conflicts.Single().Winner);
        Assert.True(left.Resolve(conflict, "Dan"));
        await Exchange(left, right);
        Assert.Empty(right.Conflicts);
        Assert.Equal("Dan", right.Get<string>("player"));
        Assert.Equal(left.Digest, right.Digest);
    }

    [Fact]
    public async Task Clearing_deletes_records_of_every_kind_everywhere_but_not_what_others_write_meanwhile()
    {
        using SyncStore a = SyncStore.OpenInMemory(), b = SyncStore.OpenInMemory();
        await b.AdoptIdentityAsync(a.Identity.Id);
        Dataset left = a.Identity.Dataset("save"), right = b.Identity.Dataset("save");
        Assert.Equal(0, left.Clear());
        Assert.Equal(0, left.Revision);
        left.Write(static write =>
        {
            write["player"] = "Ann";
            write.Counter("player").Add(1);
            write.Max("best").Raise(2);
            write.Min("least").Lower(2);
            write.Set("badges").Add("first");
            write.Map("settings")["volume"] = 1;
            write.List("inventory").Add("sword");
        });
        await Exchange(left, right);
        right["player"] = "Bea";
        right.List("inventory").Add("bow");
        Assert.Equal(7, left.Clear());
        Assert.Equal((0, 2L), (left.Count, left.Revision));
        await Exchange(left, right);
        Assert.Equal(["bow"], right.List("inventory").ToArray().Select(static v => v.AsString()));
        Assert.Equal("Bea", right.Get<string>("player"));
        Assert.Equal((2, 2), (left.Count, right.Count));
        Assert.Equal(left.Digest, right.Digest);
    }

    [Fact]
    public async Task A_store_on_a_disk_reopens_with_all_that_was_written()
    {
        var disk = new MemoryDisk();
        ReplicaId replica;
        await using (SyncStore store = await SyncStore.OpenAsync(disk.Open))
        {
            Dataset save = store.Identity.Dataset("save");
            for (int i = 0; i < 1000; i++) await save.PutAsync("k" + i, i);
            await save.WriteAsync(w =>
            {
                w["level"] = 2;
                w.Counter("coins").Add(-5);
                w.Delete("k7");
            });
            replica = save.ReplicaId;
        }

        await using (SyncStore store = await SyncStore.OpenAsync(disk.Open))
        {
            Dataset save = store.Identity.Dataset("save");
            Assert.Equal(replica, save.ReplicaId);
            Assert.Equal(1001, save.Count);
            Assert.Equal(999, save.Get<int>("k999"));
            Assert.Equal(-5, save.Counter("coins").Value);
            Assert.Equal(2, save.Get<int>("level"));
            Assert.True(save["k7"].IsMissing);
            save["x"] = Value.Null;
        }

        await using (SyncStore store = await SyncStore.OpenAsync(disk.Copy().Open))
        {
            Dataset save = store.Identity.Dataset("save");
            Assert.Equal(Value.Null, save["x"]);
            save["y"] = 1;
            Assert.NotEqual(replica, save.ReplicaId);
        }
    }

    [Fact]
    public void A_transaction_that_throws_changes_nothing()
    {
        using SyncStore store = SyncStore.OpenInMemory();
        Dataset save = store.Identity.Dataset("save");
        save["a"] = 1;
        save.List("l").Add(1);
        ulong digest = save.Digest;
        VersionVector version = save.Version;
        Assert.Throws<InvalidOperationException>(() => save.Write(w =>
        {
            w["a"] = 2;
            w["b"] = 3;
            w.List("l").Add(2);
            w.Counter("c").Add(5);
            Assert.Equal(5, w.Counter("c").Value);
            throw new InvalidOperationException();
        }));
        Assert.Equal(1, save.Get<int>("a"));
        Assert.True(save["b"].IsMissing);
        Assert.Equal(1, save.List("l").Count);
        Assert.Equal(digest, save.Digest);
        Assert.Equal(version, save.Version);
        Assert.Equal(2, save.Count);
        save["a"] = 4;
        Assert.Equal(4, save.Get<int>("a"));
    }

    private static async Task Exchange(Dataset left, Dataset right)
    {
        right.Join(await left.DeltaAsync(right.Version));
        left.Join(await right.DeltaAsync(left.Version));
    }
}
