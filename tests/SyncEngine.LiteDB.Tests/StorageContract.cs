using SyncEngine.Causality;
using Xunit;

namespace SyncEngine.Storage.Tests;

/// <summary>What every storage must do, written against the port alone: a subclass brings a storage.</summary>
public abstract partial class StorageContract : IDisposable
{
    private ISyncStorage? _storage;

    /// <summary>The storage under test, opened on first use.</summary>
    protected ISyncStorage Storage => _storage ??= Open();

    [Fact]
    public void A_new_storage_is_empty_and_not_copied()
    {
        Assert.False(Storage.IsCopied);
        Assert.Empty(Storage.ReadMetadata());
        Assert.Empty(Read(1).Lines);
        Assert.NotEmpty(Storage.Name);
        Assert.True(Storage.SizeBytes >= 0);
    }

    [Fact]
    public void Frames_come_back_in_order_after_reopening()
    {
        Commit(b => Add(b, 1, 1, 2, 5));
        Commit(b => Add(b, 2, 1));
        Commit(b => Add(b, 1, 6));
        Assert.Equal(["f1", "f2", "f5", "f6"], Read(1).Lines);
        Reopen();
        Assert.Equal(["f1", "f2", "f5", "f6"], Read(1).Lines);
        Assert.Equal(["f1"], Read(2).Lines);
        Assert.Empty(Read(3).Lines);
    }

    [Fact]
    public void Bytes_come_back_as_they_were()
    {
        var sizes = new[] { 0, 1, 100, 8_191, 65_536, 1_000_000 };
        Commit(b =>
        {
            for (var i = 0; i < sizes.Length; i++) b.Frames.Add(new LogFrame(1, i + 1, Pattern(sizes[i], i)));
        });
        Reopen();
        var collected = Read(1);
        Assert.Equal(sizes.Length, collected.Frames.Count);
        for (var i = 0; i < sizes.Length; i++) Assert.Equal(Pattern(sizes[i], i), collected.Frames[i]);
    }

    [Fact]
    public void A_frame_larger_than_a_document_comes_back_whole()
    {
        const int size = 20_000_000;
        Commit(b =>
        {
            b.Frames.Add(new LogFrame(1, 1, Pattern(size, 1)));
            b.Frames.Add(new LogFrame(1, 2, Pattern(3, 2)));
            b.Metadata[7] = Pattern(size, 3);
        });
        Commit(b => b.Frames.Add(new LogFrame(1, 1, Pattern(size, 1))));
        Reopen();
        Assert.Equal(Pattern(size, 1), Read(1).Frames[0]);
        Assert.Equal(Pattern(3, 2), Read(1).Frames[1]);
        Assert.Equal(Pattern(size, 3), Storage.ReadMetadata()[7]);
        Commit(b => b.Metadata[7] = Pattern(5, 4));
        Assert.Equal(Pattern(5, 4), Storage.ReadMetadata()[7]);
        Commit(b => b.DroppedDatasets.Add(1));
        Assert.Empty(Read(1).Lines);
    }

    [Fact]
    public void Metadata_is_written_replaced_and_removed()
    {
        Commit(b =>
        {
            b.Metadata[0] = [1];
            b.Metadata[-5] = [2];
            b.Metadata[int.MaxValue] = [];
        });
        Commit(b =>
        {
            b.Metadata[0] = [3, 4];
            b.Metadata[-5] = null;
            b.Metadata[99] = null;
        });
        Reopen();
        var metadata = Storage.ReadMetadata();
        Assert.Equal([0, int.MaxValue], metadata.Keys.Order());
        Assert.Equal(new byte[] { 3, 4 }, metadata[0]);
        Assert.Empty(metadata[int.MaxValue]);
    }

    [Fact]
    public void Committing_a_batch_twice_comes_to_committing_it_once()
    {
        Commit(b => Add(b, 1, 1, 2, 3));
        Stage(1, 2);
        var batch = new StorageBatch();
        Add(batch, 1, 4);
        Add(batch, 2, 1);
        batch.Flips.Add(new SnapshotFlip(1, 2, 4));
        batch.Metadata[1] = [9];
        Storage.Commit(batch);
        Storage.Commit(batch);
        Assert.Equal(["p0", "p1", "f4"], Read(1).Lines);
        Assert.Equal(["f1"], Read(2).Lines);
        Reopen();
        Assert.Equal(["p0", "p1", "f4"], Read(1).Lines);
        Assert.Equal(new byte[] { 9 }, Storage.ReadMetadata()[1]);
    }

    [Fact]
    public void Dropping_and_refilling_a_dataset_twice_comes_to_once()
    {
        Commit(b => Add(b, 1, 1, 2, 3));
        var batch = new StorageBatch();
        batch.DroppedDatasets.Add(1);
        Add(batch, 1, 2);
        Storage.Commit(batch);
        Storage.Commit(batch);
        Assert.Equal(["f2"], Read(1).Lines);
        Reopen();
        Assert.Equal(["f2"], Read(1).Lines);
    }

    [Fact]
    public void A_snapshot_shows_only_once_it_is_flipped()
    {
        Commit(b => Add(b, 1, 1, 2, 3));
        Stage(1, 3);
        Assert.Equal(["f1", "f2", "f3"], Read(1).Lines);
        Commit(b => b.Flips.Add(new SnapshotFlip(1, 3, 3)));
        Assert.Equal(["p0", "p1", "p2", "f3"], Read(1).Lines);
        Commit(b => Add(b, 1, 4));
        Stage(1, 1);
        Commit(b => b.Flips.Add(new SnapshotFlip(1, 1, 5)));
        Reopen();
        Assert.Equal(["p0"], Read(1).Lines);
    }

    [Fact]
    public void Staging_from_page_0_again_drops_what_was_staged()
    {
        Stage(1, 5);
        Stage(1, 2);
        Commit(b => b.Flips.Add(new SnapshotFlip(1, 2, 1)));
        Assert.Equal(["p0", "p1"], Read(1).Lines);
    }

    [Fact]
    public void Staged_pages_are_gone_after_reopening()
    {
        Commit(b => Add(b, 1, 1));
        Stage(1, 4);
        Reopen();
        Assert.Equal(["f1"], Read(1).Lines);
        var batch = new StorageBatch();
        batch.Flips.Add(new SnapshotFlip(1, 4, 2));
        _ = Assert.Throws<SyncException>(() => Storage.Commit(batch));
        Assert.Equal(["f1"], Read(1).Lines);
    }

    [Fact]
    public void An_empty_snapshot_empties_the_log()
    {
        Commit(b => Add(b, 1, 1, 2));
        Commit(b => b.Flips.Add(new SnapshotFlip(1, 0, 3)));
        Assert.Empty(Read(1).Lines);
        Commit(b => Add(b, 1, 3));
        Reopen();
        Assert.Equal(["f3"], Read(1).Lines);
    }

    [Fact]
    public void A_dropped_dataset_is_gone_and_its_number_can_be_used_again()
    {
        Commit(b => Add(b, 1, 1, 2, 3, 4));
        Commit(b => Add(b, 2, 1));
        Stage(1, 2);
        Commit(b => b.Flips.Add(new SnapshotFlip(1, 2, 3)));
        Commit(b => b.DroppedDatasets.Add(1));
        Assert.Empty(Read(1).Lines);
        Commit(b => Add(b, 1, 1));
        for (var i = 0; i < 5; i++) Commit(b => Add(b, 2, 2 + i));
        Reopen();
        Assert.Equal(["f1"], Read(1).Lines);
        Assert.Equal(6, Read(2).Lines.Count);
    }

    [Fact]
    public void Claiming_and_an_empty_batch_change_no_data()
    {
        Commit(b => Add(b, 1, 1));
        Commit(_ => { });
        Commit(b => b.ClaimsFile = true);
        Assert.False(Storage.IsCopied);
        Reopen();
        Assert.False(Storage.IsCopied);
        Assert.Equal(["f1"], Read(1).Lines);
    }

    [Fact]
    public void Verifying_a_sound_storage_finds_nothing()
    {
        Fill();
        var progress = new Steps();
        Assert.Empty(Storage.Verify(progress, CancellationToken.None));
        progress.AssertSound();
    }

    [Fact]
    public void Compacting_keeps_everything()
    {
        var before = Fill();
        var progress = new Steps();
        Storage.Compact(progress, CancellationToken.None);
        progress.AssertSound();
        Assert.Equal(before, Read(1).Lines);
        Assert.False(Storage.IsCopied);
        Commit(b => Add(b, 1, 500));
        Reopen();
        Assert.False(Storage.IsCopied);
        Assert.Equal([.. before, "f500"], Read(1).Lines);
        Assert.Equal(new byte[] { 1, 2, 3 }, Storage.ReadMetadata()[1]);
    }

    [Fact]
    public void Cancelling_stops_and_harms_nothing()
    {
        var before = Fill();
        var cancelled = new CancellationToken(true);
        _ = Assert.ThrowsAny<OperationCanceledException>(() => Storage.Compact(null, cancelled));
        _ = Assert.ThrowsAny<OperationCanceledException>(() => Storage.Verify(null, cancelled));
        _ = Assert.ThrowsAny<OperationCanceledException>(() => Storage.ReadFrames(1, new FrameCollector(), cancelled));
        Assert.Equal(before, Read(1).Lines);
    }

    [Fact]
    public void An_exception_of_the_reader_reaches_the_caller_and_harms_nothing()
    {
        var before = Fill();
        _ = Assert.Throws<InvalidTimeZoneException>(() => Storage.ReadFrames(1, new Thrower(), CancellationToken.None));
        Assert.Equal(before, Read(1).Lines);
        Commit(b => Add(b, 1, 900));
    }

    [Fact]
    public void A_random_history_ends_as_its_model_says()
    {
        var random = new Random(7);
        var expected = new SortedDictionary<long, int>();
        for (var step = 1; step <= 300; step++)
        {
            var size = random.Next(3_000);
            Commit(b => b.Frames.Add(new LogFrame(1, step, Pattern(size, step))));
            expected[step] = size;
            if (step % 40 != 0) continue;
            Stage(1, 1);
            Commit(b => b.Flips.Add(new SnapshotFlip(1, 1, step - 5)));
            foreach (var old in expected.Keys.Where(s => s < step - 5).ToList()) expected.Remove(old);
            if (step % 80 == 0) Reopen();
        }

        Assert.Equal(["p0", .. expected.Keys.Select(s => "f" + s)], Read(1).Lines);
        Assert.Equal(expected.Values, Read(1).Frames.Select(f => f.Length));
    }

    public void Dispose()
    {
        _storage?.Dispose();
        CleanUp();
        GC.SuppressFinalize(this);
    }

    /// <summary>Opens the storage; again and again the same one.</summary>
    protected abstract ISyncStorage Open();

    /// <summary>Removes what the storage left.</summary>
    protected abstract void CleanUp();

    protected void Reopen()
    {
        _storage?.Dispose();
        _storage = null;
    }

    protected void Commit(Action<StorageBatch> fill)
    {
        var batch = new StorageBatch();
        fill(batch);
        Storage.Commit(batch);
    }

    protected FrameCollector Read(int dataset)
    {
        var collector = new FrameCollector();
        Storage.ReadFrames(dataset, collector, CancellationToken.None);
        return collector;
    }

    protected static byte[] Pattern(int size, int seed)
    {
        var bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static void Add(StorageBatch batch, int dataset, params long[] sequences)
    {
        foreach (var sequence in sequences)
        {
            batch.Frames.Add(new LogFrame(dataset, sequence, Pattern(50, (int)sequence)));
        }
    }

    private void Stage(int dataset, int pages)
    {
        for (var page = 0; page < pages; page++) Storage.StageSnapshotPage(dataset, page, Pattern(2_000, page));
    }

    private List<string> Fill()
    {
        for (var i = 1; i <= 30; i++)
        {
            var sequence = i;
            Commit(b => b.Frames.Add(new LogFrame(1, sequence, Pattern(20_000, sequence))));
        }

        Stage(1, 3);
        Commit(b =>
        {
            b.Flips.Add(new SnapshotFlip(1, 3, 20));
            b.Metadata[1] = [1, 2, 3];
        });
        return Read(1).Lines;
    }

    /// <summary>Keeps what it is given, and short names for it.</summary>
    protected sealed class FrameCollector : IFrameReader
    {
        public List<string> Lines { get; } = [];

        public List<byte[]> Frames { get; } = [];

        public void OnSnapshotPage(int page, ReadOnlyMemory<byte> frame) => Lines.Add("p" + page);

        public void OnLogFrame(long sequence, ReadOnlyMemory<byte> frame)
        {
            Lines.Add("f" + sequence);
            Frames.Add(frame.ToArray());
        }

        public void OnDamaged(StorageFault fault) =>
            Lines.Add($"damaged {(fault.IsSnapshotPage ? "p" : "f")}{fault.Sequence}");
    }

    private sealed class Thrower : IFrameReader
    {
        public void OnSnapshotPage(int page, ReadOnlyMemory<byte> frame) => throw new InvalidTimeZoneException();

        public void OnLogFrame(long sequence, ReadOnlyMemory<byte> frame) => throw new InvalidTimeZoneException();

        public void OnDamaged(StorageFault fault) => throw new InvalidTimeZoneException();
    }

    private sealed class Steps : IProgress<double>
    {
        private readonly List<double> _values = [];

        public void Report(double value) => _values.Add(value);

        public void AssertSound()
        {
            Assert.All(_values, value => Assert.InRange(value, 0, 1));
            Assert.Equal(_values.Order(), _values);
            Assert.Equal(1, _values[^1]);
        }
    }
}
