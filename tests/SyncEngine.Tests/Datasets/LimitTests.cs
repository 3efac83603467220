using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Tests.Simulation;
using Xunit;

namespace SyncEngine.Tests.Datasets;

public sealed class LimitTests
{
    [Fact]
    public void Each_limit_is_refused_before_anything_changes()
    {
        AssertRefused(new DatasetLimits { RecordsMax = 2 }, static d => d.Counter("c").Add(1));
        AssertRefused(new DatasetLimits { KeyBytesMax = 3 }, static d => d.Put("abcd", 1));
        AssertRefused(new DatasetLimits { ValueBytesMax = 8 }, static d => d.Put("a", "12345678"));
        AssertRefused(new DatasetLimits { DatasetBytesMax = 20 }, static d => d.Map("m")["field"] = "12345678901");
        AssertRefused(new DatasetLimits { RecordsMax = 2 }, static d => d.Write(static w =>
        {
            w["a"] = 5;
            w["c"] = 1;
        }));
    }

    [Fact]
    public void What_stays_within_the_limits_is_taken()
    {
        Dataset dataset = Limited(new DatasetLimits { RecordsMax = 2, DatasetBytesMax = 40 });
        dataset.Put("a", 2);
        dataset.Delete("a");
        dataset.Set("s").Add("e");
        dataset.Set("s").Add("f");
        Assert.Equal(2, dataset.Count);
    }

    [Fact]
    public void A_merge_is_never_refused_for_a_limit()
    {
        using var site = new Site(1);
        for (int i = 0; i < 50; i++) site.Dataset.Put("a long key " + i, new string('x', 100));
        Dataset dataset = Limited(new DatasetLimits
        {
            RecordsMax = 2, KeyBytesMax = 2, ValueBytesMax = 2, DatasetBytesMax = 20,
        });
        Assert.Equal(JoinOutcome.Joined, dataset.Join(site.Delta(VersionVector.Empty)).Outcome);
        Assert.Equal(52, dataset.Count);
        Assert.True(dataset.Delete("a long key 7"));
    }

    [Fact]
    public void Cognitos_limits_are_those_of_2014()
    {
        using SyncStore store = SyncStore.OpenInMemory(new SyncStoreOptions { Limits = DatasetLimits.CognitoLimits });
        for (int i = 0; i < 20; i++) store.Identity.Dataset("d" + i).Put("k", 1);
        Assert.Equal(SyncErrorCode.LimitExceeded,
            Assert.Throws<SyncException>(() => store.Identity.Dataset("one more")).Code);
        Dataset dataset = store.Identity.Dataset("d0");
        for (int i = 1; i < 1024; i++) dataset.Put("k" + i, 1);
        Assert.Throws<SyncException>(() => dataset.Put("one more", 1));
        Assert.Throws<SyncException>(() => dataset.Put("k", new string('x', 1024 * 1024)));
        dataset.Put("k", new string('x', 1000 * 1000));
        Assert.Equal(1024, dataset.Count);
    }

    [Fact]
    public void The_formats_own_limits_are_the_callers_mistake()
    {
        Dataset dataset = Limited(DatasetLimits.Unlimited);
        string before = CellReader.Fingerprint(dataset);
        foreach (string key in new[] { "", new string('k', 4097), new string('ü', 2049), "\ud800" })
            Assert.ThrowsAny<ArgumentException>(() => dataset.Put(key, 1));
        Assert.Throws<ArgumentException>(() => dataset.Put("a", new byte[(8 * 1024 * 1024) + 1]));
        Assert.Throws<ArgumentException>(() => dataset.Set("s").Add(new string('e', 4096)));
        Assert.Equal(before, CellReader.Fingerprint(dataset));
        dataset.Put(new string('ü', 2048), 1);
    }

    private static void AssertRefused(DatasetLimits limits, Action<Dataset> write)
    {
        Dataset dataset = Limited(limits);
        string before = CellReader.Fingerprint(dataset);
        Assert.Equal(SyncErrorCode.LimitExceeded, Assert.Throws<SyncException>(() => write(dataset)).Code);
        Assert.Equal(before, CellReader.Fingerprint(dataset));
        CellReader.AssertFiguresAreRight(dataset);
    }

    private static Dataset Limited(DatasetLimits limits)
    {
        var dataset = new Dataset("save", 1, new DatasetContext { Limits = limits });
        dataset.Put("a", 1);
        dataset.Put("b", 1);
        return dataset;
    }
}
