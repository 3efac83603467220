using SyncEngine.Causality;
using SyncEngine.LiteDB.Files;
using SyncEngine.LiteDB.Tests.Simulation;
using SyncEngine.Storage;
using Xunit;

namespace SyncEngine.LiteDB.Tests;

/// <summary>Flipped bits are reported, one way or another, wherever they are.</summary>
public sealed class DamageTests : IDisposable
{
    private const int Frames = 60;
    private const int Flips = 80;
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void A_damaged_frame_is_reported_and_the_others_are_read()
    {
        Fill();
        var bytes = File.ReadAllBytes(_store.Path);
        bytes[bytes.AsSpan().IndexOf(Marker(30)) + 100] ^= 1;
        File.WriteAllBytes(_store.Path, bytes);
        for (var opening = 0; opening < 2; opening++)
        {
            using var storage = _store.Open();
            var reader = new Reader();
            storage.ReadFrames(1, reader, CancellationToken.None);
            Assert.Equal([30], reader.Damaged);
            Assert.Equal(Frames - 1, reader.Sound.Count);
            Assert.NotEmpty(storage.Verify(null, CancellationToken.None));
        }

        using var database = new global::LiteDB.LiteDatabase($"Filename={_store.Path};ReadOnly=true");
        Assert.Equal(1, database.GetCollection("lost").Count());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void No_flipped_bit_loses_data_in_silence(int seed)
    {
        Fill();
        var random = new Random(seed);
        var bytes = File.ReadAllBytes(_store.Path);
        for (var flip = 0; flip < Flips; flip++)
        {
            var copy = (byte[])bytes.Clone();
            var at = random.Next(copy.Length);
            copy[at] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(_store.Path, copy);
            AssertNothingSilent($"seed {seed}, byte {at}");
        }
    }

    [Theory]
    [InlineData(3)]
    public void No_overwritten_page_loses_data_in_silence(int seed)
    {
        Fill();
        var random = new Random(seed);
        var bytes = File.ReadAllBytes(_store.Path);
        for (var page = 0; page < bytes.Length / 8192; page++)
        {
            var copy = (byte[])bytes.Clone();
            if (random.Next(2) == 0) Array.Clear(copy, page * 8192, 8192);
            else random.NextBytes(copy.AsSpan(page * 8192, 8192));
            File.WriteAllBytes(_store.Path, copy);
            AssertNothingSilent($"seed {seed}, page {page}");
        }
    }

    [Fact]
    public void A_truncated_file_is_reported()
    {
        Fill();
        var bytes = File.ReadAllBytes(_store.Path);
        for (var length = bytes.Length - 5_000; length > 0; length -= 40_000)
        {
            File.WriteAllBytes(_store.Path, bytes[..length]);
            AssertNothingSilent($"length {length}");
        }
    }

    [Fact]
    public void Damage_in_the_middle_of_the_log_is_reported()
    {
        var disk = new SimulatedDisk();
        var options = new LiteDbStorageOptions { Files = disk, LocalStateFolder = "/state" };
        using (var storage = LiteDbStorage.Open("/store.db", options))
        {
            for (var sequence = 1; sequence <= 10; sequence++)
            {
                var batch = new StorageBatch();
                batch.Frames.Add(new LogFrame(1, sequence, Frame(sequence)));
                storage.Commit(batch);
            }

            // Killed here: a closing that the disk does not notice.
            disk.CutAt = disk.Operations + 1;
        }

        disk.KillProcess();
        using (var log = disk.Open("/store.db-wal", FileOpening.Existing))
        {
            var one = new byte[1];
            _ = log.ReadAt(log.Length / 2, one);
            one[0] ^= 4;
            log.WriteAt(log.Length / 2, one);
        }

        using var reopened = LiteDbStorage.Open("/store.db", options);
        var reader = new Reader();
        reopened.ReadFrames(1, reader, CancellationToken.None);
        Assert.Equal([-1], reader.Damaged);
        Assert.InRange(reader.Sound.Count, 1, 9);
        Assert.True(reopened.IsCopied);
        Assert.True(disk.Exists("/store.db-wal.lost-1"));
    }

    /// <summary>Either opening or reading fails with a clear error, or each frame is read right or reported.</summary>
    private void AssertNothingSilent(string where)
    {
        File.Delete(_store.Path + "-wal");
        var reader = new Reader();
        try
        {
            using var storage = _store.Open();
            storage.ReadFrames(1, reader, CancellationToken.None);
            Assert.True(storage.ReadMetadata()[1] is [1, 2, 3], where);
        }
        catch (SyncException e)
        {
            Assert.True(e.Code is SyncErrorCode.Damaged or SyncErrorCode.UnsupportedVersion, $"{where}: {e}");
            return;
        }

        for (var sequence = 1L; sequence <= Frames; sequence++)
        {
            var isKnown = reader.Damaged.Contains(sequence) || reader.Sound.Contains(sequence);
            Assert.True(isKnown, $"{where}: {sequence} is gone");
        }
    }

    private void Fill()
    {
        using var storage = _store.Open();
        for (var sequence = 1; sequence <= Frames; sequence++)
        {
            var batch = new StorageBatch();
            batch.Frames.Add(new LogFrame(1, sequence, Frame(sequence)));
            batch.Metadata[1] = [1, 2, 3];
            storage.Commit(batch);
        }
    }

    private static byte[] Marker(int sequence) => [(byte)sequence, 0xAA, (byte)sequence, 0x55, (byte)sequence];

    private static byte[] Frame(int sequence)
    {
        var bytes = new byte[sequence % 5 * 3_000 + 500];
        new Random(sequence).NextBytes(bytes);
        Marker(sequence).CopyTo(bytes, 0);
        return bytes;
    }

    private sealed class Reader : IFrameReader
    {
        public List<long> Damaged { get; } = [];

        public List<long> Sound { get; } = [];

        public void OnSnapshotPage(int page, ReadOnlyMemory<byte> frame) => Assert.Fail("There is no snapshot.");

        public void OnLogFrame(long sequence, ReadOnlyMemory<byte> frame)
        {
            Assert.True(frame.Span.SequenceEqual(Frame((int)sequence)), $"frame {sequence} differs");
            Sound.Add(sequence);
        }

        public void OnDamaged(StorageFault fault) => Damaged.Add(fault.Sequence);
    }
}
