using FsCheck.Xunit;
using SyncEngine.LiteDB.Rows;
using SyncEngine.LiteDB.Tests.Simulation;
using SyncEngine.Storage;
using Xunit;

namespace SyncEngine.LiteDB.Tests;

/// <summary>What a commit costs the disk, and that what it writes is checked.</summary>
public sealed class CostTests
{
    private const int CheckpointSyncs = 3;

    [Theory]
    [InlineData(100, 72_000)]
    [InlineData(60_000, 210_000)]
    public void A_commit_costs_one_sync_and_few_bytes(int frameBytes, long bytesPerCommitMax)
    {
        const int commits = 300;
        var disk = new SimulatedDisk();
        using var storage = LiteDbStorage.Open("/store.db", new LiteDbStorageOptions { Files = disk });
        Commit(storage, 1, frameBytes);
        var (flushes, written) = (disk.Flushes, disk.BytesWritten);
        for (var sequence = 2; sequence <= commits + 1; sequence++) Commit(storage, sequence, frameBytes);
        var pages = (disk.BytesWritten - written) / 8192;
        var checkpoints = pages / Wal.Database.CheckpointPages + 1;
        Assert.InRange(disk.Flushes - flushes, commits, commits + CheckpointSyncs * checkpoints);
        Assert.InRange((disk.BytesWritten - written) / commits, 1, bytesPerCommitMax);
    }

    [Fact]
    public void Opening_and_closing_an_unchanged_store_writes_nothing()
    {
        var disk = new SimulatedDisk();
        var options = new LiteDbStorageOptions { Files = disk };
        using (var storage = LiteDbStorage.Open("/store.db", options)) Commit(storage, 1, 100);
        var written = disk.BytesWritten;
        using (var storage = LiteDbStorage.Open("/store.db", options)) _ = storage.ReadMetadata();
        Assert.Equal(written, disk.BytesWritten);
    }

    [Fact]
    public void Replaced_frames_make_room_for_new_ones()
    {
        var disk = new SimulatedDisk();
        using var storage = LiteDbStorage.Open("/store.db", new LiteDbStorageOptions { Files = disk });
        var sizes = new List<long>();
        for (var sequence = 1; sequence <= 600; sequence++)
        {
            Commit(storage, sequence, 20_000);
            if (sequence % 50 != 0) continue;
            storage.StageSnapshotPage(1, 0, new byte[30_000]);
            var batch = new StorageBatch();
            batch.Flips.Add(new SnapshotFlip(1, 1, sequence + 1));
            storage.Commit(batch);
            sizes.Add(storage.SizeBytes);
        }

        Assert.InRange(sizes[^1], 1, sizes[2] * 3 / 2);
    }

    [Property(MaxTest = 200)]
    public bool A_row_decodes_to_what_was_encoded_and_to_nothing_under_another_number(byte[] bytes, long id, int flip)
    {
        var document = RowCodec.Encode(Table.Log, id, bytes);
        if (!RowCodec.TryDecode(Table.Log, id, document, _ => null, out var decoded)) return false;
        if (!decoded.Span.SequenceEqual(bytes)) return false;
        if (RowCodec.TryDecode(Table.Log, id + 1, document, _ => null, out _)) return false;
        if (RowCodec.TryDecode(Table.Snapshot, id, document, _ => null, out _)) return false;
        var stored = document["b"].AsBinary;
        stored[(int)((uint)flip % stored.Length)] ^= 1;
        return !RowCodec.TryDecode(Table.Log, id, document, _ => null, out _);
    }

    private static void Commit(LiteDbStorage storage, long sequence, int frameBytes)
    {
        var bytes = new byte[frameBytes];
        new Random((int)sequence).NextBytes(bytes);
        var batch = new StorageBatch();
        batch.Frames.Add(new LogFrame(1, sequence, bytes));
        storage.Commit(batch);
    }
}
