using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Storage;

namespace SyncEngine.Tests.Simulation;

/// <summary>One real replica of a dataset, in memory or on a memory disk that can be closed and opened again.</summary>
internal class Site : IDisposable
{
    private readonly RandomSource _random;
    private Journal? _journal;

    public Site(ulong seed, MemoryDisk? disk = null, long skewMilliseconds = 0, Func<ISyncStorage>? open = null)
    {
        _random = RandomSource.Seeded(seed);
        Time = new ManualTime(1_700_000_000_000 + skewMilliseconds);
        Disk = disk;
        OpenStorage = open ?? (disk is null ? null : () => Disk!.Open());
        Dataset = Open();
    }

    public ManualTime Time { get; }

    public MemoryDisk? Disk { get; set; }

    public Func<ISyncStorage>? OpenStorage { get; set; }

    public Dataset Dataset { get; private set; }

    public Journal? Journal => _journal;

    public void Flush() => Dataset.FlushAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Closes the dataset and opens it again from what is on the disk.</summary>
    public virtual void Reopen()
    {
        if (OpenStorage is null) return;
        Flush();
        Close();
        Dataset = Open();
    }

    /// <summary>Opens again after the process died: nothing is flushed.</summary>
    public void OpenAgain() => Dataset = Open();

    public static byte[] Encode(Dataset dataset, bool packs = false) =>
        dataset.DeltaAsync(VersionVector.Empty, packs).AsTask().GetAwaiter().GetResult();

    public virtual byte[] Delta(VersionVector since) => Dataset.DeltaAsync(since).AsTask().GetAwaiter().GetResult();

    public virtual JoinOutcome Apply(byte[] frame) => Dataset.Join(frame).Outcome;

    public void Close()
    {
        Dataset.Close();
        _journal?.Dispose();
        _journal = null;
    }

    public void Dispose()
    {
        Close();
        GC.SuppressFinalize(this);
    }

    private Dataset Open()
    {
        if (OpenStorage is not null) _journal = Journal.OpenAsync(OpenStorage).AsTask().GetAwaiter().GetResult();
        var dataset = new Dataset("save", 1, new DatasetContext { Time = Time, Random = _random, Journal = _journal });
        _journal?.RunAsync(storage =>
        {
            dataset.Load(storage, CancellationToken.None);
            return true;
        }).GetAwaiter().GetResult();
        return dataset;
    }
}
