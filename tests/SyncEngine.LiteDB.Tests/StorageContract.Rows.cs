using Xunit;

namespace SyncEngine.Storage.Tests;

public abstract partial class StorageContract
{
    [Fact]
    public void Rows_come_back_by_key_and_in_ordinal_order_of_their_keys()
    {
        string[] keys = ["b/2", "a/1", "b/10", "B/1", "b/1", "c/1", "b", "b/~", "b0"];
        Commit(b =>
        {
            foreach (var key in keys) b.Rows[key] = Pattern(key.Length * 1000, key.Length);
        });
        Commit(b => b.Rows["b/2"] = [1]);
        Reopen();
        Assert.Equal([1], Storage.ReadRow("b/2"));
        Assert.Equal(Pattern(3000, 3), Storage.ReadRow("a/1"));
        Assert.Null(Storage.ReadRow("b/3"));
        Assert.Equal(["b/1", "b/10", "b/2", "b/~"], Storage.ReadRows("b/", null, 9).Select(r => r.Key));
        Assert.Equal(["b/10", "b/2"], Storage.ReadRows("b/", "b/1", 2).Select(r => r.Key));
        Assert.Equal(keys.Order(StringComparer.Ordinal), Storage.ReadRows("", null, 99).Select(r => r.Key));
        Commit(b =>
        {
            b.Rows["b/10"] = null;
            b.Rows["none"] = null;
        });
        Storage.Compact(null, default);
        Assert.Null(Storage.ReadRow("b/10"));
        Assert.Equal(["b/2"], Storage.ReadRows("b/", "b/1", 1).Select(r => r.Key));
        Assert.Empty(Storage.Verify(null, default));
    }

    [Fact]
    public void Many_rows_are_paged()
    {
        Commit(b =>
        {
            for (var i = 0; i < 5000; i++) b.Rows[$"r/{i:D5}"] = [(byte)i];
        });
        Reopen();
        var (seen, after) = (0, (string?)null);
        while (Storage.ReadRows("r/", after, 700) is { Count: > 0 } page)
        {
            foreach (var row in page) Assert.Equal($"r/{seen++:D5}", row.Key);
            after = page[^1].Key;
        }

        Assert.Equal(5000, seen);
        Assert.Empty(Storage.Verify(null, default));
        Storage.Compact(null, default);
        Assert.Equal(5000, Storage.ReadRows("r/", null, int.MaxValue).Count);
    }

    /// <summary>More datasets than a storage remembers, new ones below and above those that are there.</summary>
    [Fact]
    public void Datasets_come_in_any_order_of_their_numbers()
    {
        const int count = 17_000;
        Commit(b => Add(b, count + 500, 1));
        foreach (var some in Enumerable.Range(1, count).Chunk(4250))
        {
            Commit(b =>
            {
                foreach (var dataset in some) Add(b, dataset, 1);
            });
        }

        Commit(b =>
        {
            Add(b, 3, 2);
            Add(b, count + 400, 1);
            Add(b, count + 600, 1);
            b.DroppedDatasets.Add(5);
        });
        Commit(b => Add(b, 5, 1));
        for (var round = 0; round < 2; round++)
        {
            Assert.Equal(["f1", "f2"], Read(3).Lines);
            foreach (var dataset in new[] { 1, 2, 5, 4250, 4251, count, count + 400, count + 500, count + 600 })
                Assert.Equal(["f1"], Read(dataset).Lines);
            Assert.Empty(Read(count + 1).Lines);
            Reopen();
            Commit(b => Add(b, count + 601 + round, 1));
        }

        Assert.Empty(Storage.Verify(null, default));
    }
}
