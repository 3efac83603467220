using BenchmarkDotNet.Attributes;
using SyncEngine.Benchmarks.Workloads;
using SyncEngine.Causality;
using SyncEngine.Datasets;

namespace SyncEngine.Benchmarks;

/// <summary>
/// What does a peer's question "what is new?" cost, if 100 records of many changed? It must not depend on the many.
/// </summary>
[MemoryDiagnoser]
public class CatchUpBenchmarks
{
    private SyncStore _sourceStore = null!, _targetStore = null!;
    private Dataset _source = null!, _target = null!;
    private VersionVector _behind = VersionVector.Empty;
    private int _round;

    [Params(1000, 100_000)]
    public int Records { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        (_sourceStore, _targetStore) = (SyncStore.OpenInMemory(), SyncStore.OpenInMemory());
        (_source, _target) = (_sourceStore.Identity.Dataset("records"), _targetStore.Identity.Dataset("records"));
        WriteAll(RecordSet.Range(0, Records, 1));
        _target.Join(Encode(_target.Version));
        _behind = _source.Version;
        WriteAll(RecordSet.Hundred(Records, 0));
    }

    [GlobalCleanup]
    public void Close()
    {
        _sourceStore.Dispose();
        _targetStore.Dispose();
    }

    [Benchmark]
    public byte[] Encode100() => Encode(_behind);

    /// <summary>With the writing of the 100 records, without which there is nothing to catch up on.</summary>
    [Benchmark]
    public JoinResult WriteAndCatchUp100()
    {
        WriteAll(RecordSet.Hundred(Records, ++_round & 0xFFFF));
        return _target.Join(Encode(_target.Version));
    }

    private byte[] Encode(VersionVector version) => _source.DeltaAsync(version).AsTask().GetAwaiter().GetResult();

    private void WriteAll(Record[] records) => _source.Write(transaction =>
    {
        foreach (Record record in records) transaction.Put(record.Key, record.Value);
    });
}
