using System.Runtime.CompilerServices;
using SyncEngine.Datasets;
using SyncEngine.Storage;
using SyncEngine.Sync;
using SyncEngine.Tests.Laws;
using SyncEngine.Tests.Simulation;
using SyncEngine.Tests.Sync;
using SyncEngine.Wire;
using Xunit;

namespace SyncEngine.Tests.Golden;

/// <summary>
/// The format's bytes, from seeded sources. A difference means that files and peers of older builds no longer understand
/// this one. SYNCENGINE_GOLDEN=write makes the files anew.
/// </summary>
public sealed class GoldenTests
{
    public static TheoryData<string> Names() => new("delta", "snapshot", "packed", "bundle", "stored", "stored-next",
        "delta-cut", "store-page", "identity-page", "folder-file", "folder-next");

    [Theory]
    [MemberData(nameof(Names))]
    public void Bytes_are_those_of_the_format(string name)
    {
        byte[] made = Make(name);
        string path = Path.Combine(Folder(), name + ".bin");
        if (Environment.GetEnvironmentVariable("SYNCENGINE_GOLDEN") == "write") File.WriteAllBytes(path, made);

        // Another build of the packer may pack to other bytes; what must hold is that the old ones unpack to the same.
        if (name == "packed") Assert.Equal(Unpacked(File.ReadAllBytes(path)), Unpacked(made));
        else Assert.Equal(Convert.ToHexString(File.ReadAllBytes(path)), Convert.ToHexString(made));
    }

    [Fact]
    public void A_store_takes_the_files_of_a_folder()
    {
        FolderDevice writer = Written(files: 2), reader = new(10);
        foreach (string name in (string[])["folder-next", "folder-file"])
        {
            byte[] bytes = File.ReadAllBytes(Path.Combine(Folder(), name + ".bin"));
            reader.Files.Put(Path.Combine(writer.Here, name + ".sync"), bytes);
        }

        FolderResult result = reader.Round();
        Assert.True(result.HasAdopted && result.IsComplete);
        Assert.Equal((2, 2), (result.FilesRead, result.ChangesReceived));
        Assert.Equal(writer.Print(), reader.Print());
    }

    private static byte[] Make(string name)
    {
        var guid = new Guid("00112233-4455-6677-8899-aabbccddeeff");
        KeyValuePair<string, int>[] datasets = [new("save", 1), new("prefs", 2)];
        return name switch
        {
            "store-page" => CatalogCodec.Write(new StorePage(guid, 7, 1, 3, 2)),
            "identity-page" => CatalogCodec.Write(new IdentityPage(1, 2, true, [1, 2, 3], datasets)),
            "stored" => StoredFrame(openings: 1),
            "stored-next" => StoredFrame(openings: 3),
            "delta-cut" => DeltaWithCutLines(),
            "folder-file" or "folder-next" => FolderFile(name == "folder-file" ? 1 : 2),
            "bundle" => FrameWriter.WriteBundle(new string('a', 32), [Frame("delta"), Frame("snapshot")]),
            _ => Frame(name),
        };
    }

    private static byte[] Frame(string name)
    {
        using Site site = Written(null);
        if (name == "snapshot") site.Dataset.ForgetDeletes(site.Dataset.Version);
        return Site.Encode(site.Dataset, packs: name == "packed");
    }

    /// <summary>With several openings the last frame is the second of the last opening: it tells the end of the line
    /// alone.</summary>
    private static byte[] StoredFrame(int openings)
    {
        var disk = new MemoryDisk();
        using (Site site = Written(disk))
        {
            for (int i = 1; i < openings; i++)
            {
                site.Reopen();
                site.Dataset["opening"] = i;
            }

            site.Flush();
            if (openings > 1) site.Dataset["opening"] = "last";
            site.Flush();
        }

        var reader = new LastFrame();
        using ISyncStorage storage = disk.Open();
        storage.ReadFrames(1, reader, CancellationToken.None);
        return reader.Bytes;
    }

    /// <summary>What a session sends to a peer that knows the first three of five openings.</summary>
    private static byte[] DeltaWithCutLines()
    {
        using Site site = Written(new MemoryDisk());
        SyncEngine.Causality.VersionVector known = SyncEngine.Causality.VersionVector.Empty;
        for (int i = 1; i < 5; i++)
        {
            site.Reopen();
            site.Dataset["opening"] = i;
            site.Flush();
            if (i == 2) known = site.Dataset.Version;
        }

        return site.Dataset.TryEncode(known, long.MaxValue, out _, out _, out _)!;
    }

    /// <summary>One transaction, so that a stored dataset is one frame.</summary>
    private static Site Written(MemoryDisk? disk)
    {
        var site = new Site(5, disk);
        var random = new Random(5);
        site.Dataset.Write(w =>
        {
            foreach (KindOperations operations in KindOperations.All)
                for (int i = 0; i < 6; i++) operations.Operate(w, "k" + (i % 2), random);
            w["text"] = "grüße";
            w["deleted"] = 1;
            w.Delete("deleted");
        });
        return site;
    }

    private static byte[] FolderFile(int sequence)
    {
        FolderDevice device = Written(sequence);
        return device.Files.Files[device.Files.Shared.ElementAt(sequence - 1)].Bytes;
    }

    /// <summary>A store that put some files into a folder, so small that packing would not pay.</summary>
    internal static FolderDevice Written(int files)
    {
        var device = new FolderDevice(9);
        device.Store.AdoptIdentityAsync(TraceScenarios.Owner).AsTask().GetAwaiter().GetResult();
        device.Store.Identity.Dataset("prefs")["theme"] = "dark";
        device.Round();
        if (files == 1) return device;
        device.Time.Advance(1000);
        device.Store.Identity.Dataset("prefs")["size"] = 12;
        device.Round();
        return device;
    }

    private static string Unpacked(byte[] frame)
    {
        var dataset = new Dataset("save", 1, new DatasetContext());
        dataset.Join(frame);
        return CellReader.Print(dataset);
    }

    private static string Folder([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;

    private sealed class LastFrame : IFrameReader
    {
        public byte[] Bytes { get; private set; } = [];

        public void OnSnapshotPage(int page, ReadOnlyMemory<byte> frame) => Bytes = frame.ToArray();

        public void OnLogFrame(long sequence, ReadOnlyMemory<byte> frame) => Bytes = frame.ToArray();

        public void OnDamaged(StorageFault fault) => Assert.Fail(fault.Description);
    }
}
