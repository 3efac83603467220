using BenchmarkDotNet.Attributes;
using SyncEngine.Benchmarks.Workloads;
using SyncEngine.Datasets;
using SyncEngine.Wire;

namespace SyncEngine.Benchmarks;

/// <summary>What does a frame of 10,000 records cost to write and to read, plain and packed?</summary>
[MemoryDiagnoser]
public class CodecBenchmarks
{
    private const int Records = 10_000;
    private readonly FrameLimits _limits = new();
    private SyncStore _store = null!;
    private Dataset _dataset = null!;
    private byte[] _plain = [], _packed = [];

    [GlobalSetup]
    public void Fill()
    {
        _store = SyncStore.OpenInMemory();
        _dataset = _store.Identity.Dataset("records");
        _dataset.Write(static transaction =>
        {
            foreach (Record record in RecordSet.Range(0, Records, 1)) transaction.Put(record.Key, record.Value);
        });
        (_plain, _packed) = (EncodePlain(), EncodePacked());
    }

    [GlobalCleanup]
    public void Close() => _store.Dispose();

    [Benchmark(Baseline = true, OperationsPerInvoke = Records)]
    public byte[] EncodePlain() => _dataset.SnapshotAsync().AsTask().GetAwaiter().GetResult();

    [Benchmark(OperationsPerInvoke = Records)]
    public byte[] EncodePacked() => _dataset.SnapshotAsync(packs: true).AsTask().GetAwaiter().GetResult();

    /// <summary>Checks every byte and finds every record, without merging.</summary>
    [Benchmark(OperationsPerInvoke = Records)]
    public void DecodePlain() => FrameReader.Read(_plain, _limits).Dispose();

    [Benchmark(OperationsPerInvoke = Records)]
    public void DecodePacked() => FrameReader.Read(_packed, _limits).Dispose();
}
