using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Sync;
using SyncEngine.Tests.Simulation;
using Xunit;

namespace SyncEngine.Tests.Sync;

public sealed class FolderTests
{
    [Fact]
    public void An_unchanged_folder_is_not_read()
    {
        (FolderDevice a, FolderDevice b) = Pair();
        a.Store.Identity.Dataset("d").Put("x", 1);
        a.Round();
        FolderDevice.Mirror(a, b);
        FolderResult came = b.Round();
        Assert.Equal(1, came.ChangesReceived);
        Assert.True(came.IsComplete);
        int reads = b.Files.Reads;
        FolderResult again = b.Round();
        Assert.Equal((0, 0, 0L), (again.FilesRead, again.FilesWritten, again.ChangesReceived));
        Assert.Equal(reads, b.Files.Reads);
        Assert.Equal(0, a.Round().FilesWritten);
    }

    [Fact]
    public void A_thousand_rounds_keep_the_folder_small()
    {
        (FolderDevice a, FolderDevice b) = Pair();
        for (int i = 0; i < 1_000; i++)
        {
            a.Store.Identity.Dataset("d").Put("k" + (i % 50), i);
            a.Time.Advance(1_000);
            a.Round();
            Assert.InRange(a.Files.Files.Count, 1, 70);
        }

        FolderDevice.Mirror(a, b);
        Assert.True(b.Round().IsComplete);
        Assert.Equal(a.Print(), b.Print());
    }

    [Fact]
    public void A_kill_leaves_a_folder_that_the_next_round_mends()
    {
        (FolderDevice a, FolderDevice b) = Pair();
        Dataset data = a.Store.Identity.Dataset("d");
        data.Put("x", 1);
        Assert.True(KillIn(a, "move"));
        Assert.Contains(a.Files.Files.Keys, static path => path.EndsWith(".tmp", StringComparison.Ordinal));
        Assert.Equal(1, a.Round().FilesWritten);
        a.Time.Jump((long)(DateTimeOffset.UnixEpoch.AddDays(365) - DateTimeOffset.UnixEpoch).TotalMilliseconds);
        a.Round();
        Assert.DoesNotContain(a.Files.Files.Keys, static path => path.EndsWith(".tmp", StringComparison.Ordinal));
        bool killed = false;
        for (int i = 0; i < 100 && !killed; i++)
        {
            data.Put("x", i);
            killed = KillIn(a, "delete");
        }

        Assert.True(killed);
        Assert.True(a.Files.Shared.Count() > FolderRound.ChainFilesMax);
        a.Round();
        Assert.Single(a.Files.Shared);
        FolderDevice.Mirror(a, b);
        b.Round();
        Assert.Equal(a.Print(), b.Print());
    }

    [Fact]
    public void Missing_files_are_waited_for()
    {
        (FolderDevice a, FolderDevice b) = Pair();
        var paths = new List<string>();
        for (int i = 0; i < 3; i++)
        {
            a.Store.Identity.Dataset("d").Put("x", i);
            a.Round();
            paths.Add(a.Files.Shared.Except(paths).Last());
        }

        FolderDevice.Mirror(a, b);
        b.Files.Files.Remove(paths[1], out (byte[] Bytes, long Time) missing);
        FolderResult waits = b.Round();
        Assert.Equal(["d"], waits.Waiting);
        Assert.False(waits.IsComplete);
        int reads = b.Files.Reads;
        b.Round();
        Assert.Equal(reads, b.Files.Reads);
        b.Files.Put(paths[1] + ".renamed.sync", missing.Bytes);
        Assert.True(b.Round().IsComplete);
        Assert.Equal(a.Print(), b.Print());
    }

    [Fact]
    public void Damaged_files_change_nothing_and_are_tried_again()
    {
        (FolderDevice a, FolderDevice b) = Pair();
        a.Store.Identity.Dataset("d").Put("x", 1);
        a.Round();
        string path = a.Files.Shared.Last();
        byte[] bytes = a.Files.Files[path].Bytes;
        string before = b.Print();
        var random = new Random(1);
        for (int i = 0; i < 400; i++)
        {
            byte[] bad = [.. bytes[..random.Next(1, bytes.Length + 1)]];
            bad[random.Next(bad.Length)] ^= (byte)random.Next(1, 256);
            b.Files.Put(path, bad);
            FolderResult result = b.Round();
            Assert.Equal(path, Path.Combine(FolderDevice.RootPath, Assert.Single(result.Skipped).Name));
            Assert.Equal(before, b.Print());
        }

        b.Files.Put(path, bytes);
        Assert.True(b.Round().IsComplete);
        Assert.Equal(a.Print(), b.Print());
    }

    [Fact]
    public void Failing_disks_are_told_and_lose_nothing()
    {
        (FolderDevice a, FolderDevice b) = Pair();
        a.Store.Identity.Dataset("d").Put("x", 1);
        foreach (string operation in (string[])["list", "create", "write", "move"])
        {
            a.Files.Before = (name, _) =>
            {
                if (name == operation) throw new IOException("No space.", 28);
            };
            SyncException e = Assert.Throws<SyncException>(() => { a.Round(); });
            Assert.Equal(operation == "list" ? SyncErrorCode.StorageFailed : SyncErrorCode.StorageFull, e.Code);
        }

        a.Files.Before = static (_, _) => { };
        a.Files.IsThere = false;
        Assert.Contains("is not there", Assert.Throws<SyncException>(() => { a.Round(); }).Message, StringComparison.Ordinal);
        a.Files.IsThere = true;
        Assert.Equal(1, a.Round().ChangesSent);
        Assert.DoesNotContain(a.Files.Files.Keys, static path => path.EndsWith(".tmp", StringComparison.Ordinal));
        FolderDevice.Mirror(a, b);
        b.Files.Before = static (name, path) =>
        {
            if (name == "read") throw new IOException("Locked.");
        };
        Assert.NotEmpty(b.Round().Skipped);
        b.Files.Before = static (_, _) => { };
        Assert.True(b.Round().IsComplete);
        Assert.Equal(a.Print(), b.Print());
    }

    [Fact]
    public void Identities_are_not_mixed()
    {
        var a = new FolderDevice(1, adopts: false);
        a.Store.Identity.Dataset("d").Put("x", 1);
        a.Round();
        var guest = new FolderDevice(2, adopts: false);
        FolderDevice.Mirror(a, guest);
        SyncException refused = Assert.Throws<SyncException>(() => { guest.Round(); });
        Assert.Equal(SyncErrorCode.Unauthorized, refused.Code);
        Assert.Contains(a.Store.Identity.Id.ToString(), refused.Message, StringComparison.Ordinal);
        Assert.False(guest.Store.Identity.IsPaired);

        // One that belongs to somebody else begins its own folder beside, and reads nothing of the other's.
        var other = new FolderDevice(3);
        other.MarkPaired();
        FolderDevice.Mirror(a, other);
        Assert.Equal(SyncErrorCode.Unauthorized, Assert.Throws<SyncException>(() => { other.Round(); }).Code);
        var polite = new SyncFolder(FolderDevice.RootPath, other.Files);
        FolderResult own = other.Round(polite);
        Assert.Equal([a.Store.Identity.Id], own.OtherIdentities);
        Assert.Equal(0, own.FilesRead);

        // A file in the wrong folder is not merged.
        string foreign = a.Files.Shared.First();
        other.Files.Put(Path.Combine(other.Here, "moved.sync"), a.Files.Files[foreign].Bytes);
        FolderResult wrong = other.Round(polite);
        Assert.Equal(SyncErrorCode.Unauthorized, Assert.Single(wrong.Skipped).Reason.Code);
        Assert.DoesNotContain("d", other.Store.Identity.DatasetNames);
        FolderDevice.Mirror(other, guest);
        var greedy = new SyncFolder(FolderDevice.RootPath, guest.Files) { Adopts = true };
        Assert.Contains("several", Assert.Throws<SyncException>(
            () => { guest.Round(greedy); }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bundle_tells_what_its_maker_had()
    {
        (FolderDevice a, _) = Pair();
        Dataset data = a.Store.Identity.Dataset("d");
        data.Put("x", 1);
        byte[] bundle = a.Export();
        Assert.Equal(data.Version, SyncStore.ReadBundleVersions(bundle)["d"]);
        FolderDevice b = new(77);
        b.Files.Put(Path.Combine(FolderDevice.RootPath, a.Store.Identity.Id.ToString(), "by hand.sync"), bundle);
        Assert.True(b.Round().HasAdopted);
        Assert.Equal(a.Print(), b.Print());
    }

    private static (FolderDevice A, FolderDevice B) Pair()
    {
        var time = new ManualTime();
        FolderDevice a = new(1, time), b = new(2, time);
        a.Round();
        FolderDevice.Mirror(a, b);
        Assert.True(b.Round().HasAdopted);
        FolderDevice.Mirror(b, a);
        a.Round();
        return (a, b);
    }

    internal static bool KillIn(FolderDevice device, string operation)
    {
        bool isKilled = false;
        device.Files.Before = (name, _) =>
        {
            if (name != operation) return;
            isKilled = true;
            throw new KilledException();
        };
        try
        {
            device.Round();
        }
        catch (KilledException)
        {
        }

        device.Files.Before = static (_, _) => { };
        return isKilled;
    }
}
