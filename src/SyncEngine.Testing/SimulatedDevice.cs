using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Storage;

namespace SyncEngine.Testing;

/// <summary>One device: a real store on a simulated disk, with a clock of its own. Its store has no thread, so that the
/// simulation says when a commit is gathered and when it lands.</summary>
internal sealed class SimulatedDevice
{
    private const long SnapshotSlackBytes = 1500;
    private const long UnstagedBytesMax = 500;
    private readonly ulong _seed;
    private SimulatedDisk _disk;
    private SimulatedDisk _last;
    private ulong _openings;

    private readonly bool _repeatsRandomness;

    public SimulatedDevice(int number, ulong seed, SimulatedDisk disk, SimulatedClock clock, bool repeatsRandomness)
    {
        (Number, _seed, _disk, Clock, _repeatsRandomness) = (number, seed, disk, clock, repeatsRandomness);
        Store = Open();
        _last = disk.Copy();
    }

    public int Number { get; }

    public string Name => $"device {(char)('A' + Number)}";

    public SimulatedClock Clock { get; }

    public SyncStore Store { get; private set; }

    /// <summary>Which part of the network it is in while that is split.</summary>
    public int Side { get; set; }

    public Journal Journal => Store.Journal!;

    public Dataset Dataset(string name) => Store.Identity.OpenForJoin(name);

    public IEnumerable<Dataset> Datasets() => Store.Identity.DatasetNames.Select(Dataset);

    public void Flush() => Store.FlushAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>The file as it is now, whatever the process does.</summary>
    public SimulatedDisk CopyFile() => _disk.Copy();

    /// <summary>Closes the store and opens it again.</summary>
    public void Restart()
    {
        Store.Dispose();
        Store = Open();
    }

    /// <summary>The process dies as it is and starts again.</summary>
    /// <param name="lands">Whether a commit under way still reaches the disk.</param>
    /// <param name="forgets">Whether the disk forgets all that came after the last crash or copy.</param>
    public void Crash(bool lands, bool forgets)
    {
        SimulatedDisk before = _last;
        if (lands && Journal.Gathered is { } batch)
        {
            _ = Journal.RunAsync(storage =>
            {
                storage.Commit(batch);
                return true;
            });
        }

        _last = _disk.Copy();
        _disk = forgets ? before.Copy() : _last.Copy();
        Store = Open();
    }

    /// <summary>The process dies, and another file stands in its place when it starts again.</summary>
    public void Replace(SimulatedDisk disk)
    {
        _disk = disk;
        Store = Open();
    }

    /// <summary>The process dies, and a piece of its file cannot be read.</summary>
    public bool Tear(Random random)
    {
        SimulatedDisk torn = _disk.Copy();
        if (!torn.Tear(random)) return false;
        Replace(torn);
        return true;
    }

    private SyncStore Open() => SyncStore.OpenAsync(_disk.Open, new SyncStoreOptions
    {
        TimeProvider = Clock,
        RandomSource = RandomSource.Seeded((_seed * 1_000_003) + (_repeatsRandomness ? 0 : ++_openings)),
        StoresByHand = true,
        SnapshotSlackBytes = SnapshotSlackBytes,
        UnstagedBytesMax = UnstagedBytesMax,
    }).AsTask().GetAwaiter().GetResult();
}
