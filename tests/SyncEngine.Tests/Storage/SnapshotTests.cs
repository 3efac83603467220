using SyncEngine.Datasets;
using SyncEngine.Storage;
using SyncEngine.Tests.Simulation;
using Xunit;

namespace SyncEngine.Tests.Storage;

public sealed class SnapshotTests
{
    /// <summary>Writes go on while pages are staged, so frames stand between the first page and the flip.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_snapshot_taken_while_writes_go_on_reopens_whole(int seed)
    {
        var disk = new MemoryDisk();
        var faults = new Faults();
        using var site = new Site((ulong)seed, disk, 0, () => new FaultyStorage(disk.Open(), faults));
        var text = new string('x', 1000);
        int written = 0, pages = 0;
        void Overwrite() => site.Dataset.Put("k" + (written % 500), text + written++);

        // The storage thread itself writes between pages: a commit then falls inside every snapshot.
        faults.BeforePage = () =>
        {
            pages++;
            Overwrite();
            return null;
        };
        while (pages < 20 && written < 50_000)
        {
            for (int i = 0; i < 100; i++) Overwrite();
            if (written % 1000 == 0) site.Dataset.ForgetDeletes(CellReader.VectorOf(site.Dataset));
            if (written % 700 == 0) site.Dataset.Delete("k" + (written % 500));
            site.Flush();
        }

        Assert.InRange(pages, 20, int.MaxValue);
        faults.BeforePage = static () => null;
        site.Flush();
        AssertReopensAsItWas(site);
    }

    [Fact]
    public void A_page_that_cannot_be_staged_costs_nothing_but_the_snapshot()
    {
        var disk = new MemoryDisk();
        var faults = new Faults { BeforePage = static () => new IOException("planted") };
        using var site = new Site(1, disk, 0, () => new FaultyStorage(disk.Open(), faults));
        for (int i = 0; i < 100; i++)
        {
            for (int j = 0; j < 50; j++) site.Dataset.Put("k" + j, new string('y', 1000) + i);
            site.Flush();
        }

        AssertReopensAsItWas(site);
    }

    private static void AssertReopensAsItWas(Site site)
    {
        string before = CellReader.Fingerprint(site.Dataset);
        var replica = site.Dataset.ReplicaId;
        site.Reopen();
        Assert.False(site.Dataset.IsDamaged);
        Assert.Equal(before, CellReader.Fingerprint(site.Dataset));
        Assert.Equal(replica, site.Dataset.ReplicaId);
        CellReader.AssertFiguresAreRight(site.Dataset);
        Dataset dataset = site.Dataset;
        dataset.Put("after", 1);
        Assert.NotEmpty(site.Delta(Causality.VersionVector.Empty));
    }
}
