using BenchmarkDotNet.Attributes;
using SyncEngine.Benchmarks.Workloads;
using SyncEngine.Datasets;

namespace SyncEngine.Benchmarks;

/// <summary>What does a local write cost, in a dataset of 100,000 records that all exist already?</summary>
[MemoryDiagnoser]
public class WriteBenchmarks
{
    private const int Records = 100_000;
    private const int TransactionLength = 1000;
    private readonly Record[] _writes = new Record[Records];
    private SyncStore _store = null!;
    private Dataset _dataset = null!;
    private IDisposable? _subscription;
    private int _next;

    [GlobalSetup]
    public void Fill()
    {
        _store = SyncStore.OpenInMemory();
        _dataset = _store.Identity.Dataset("records");
        for (int i = 0; i < Records; i++) _writes[i] = RecordSet.Of(i, 2);
        _dataset.Write(transaction =>
        {
            for (int i = 0; i < Records; i++) transaction.Put(RecordSet.KeyOf(i), RecordSet.ValueOf(i, 1));
        });
    }

    [GlobalSetup(Target = nameof(PutWithSubscriber))]
    public void FillAndSubscribe()
    {
        Fill();
        _subscription = _dataset.Changes.Subscribe(static _ => { });
    }

    [GlobalCleanup]
    public void Close()
    {
        _subscription?.Dispose();
        _store.Dispose();
    }

    [Benchmark(Baseline = true)]
    public void Put()
    {
        Record record = Next();
        _dataset.Put(record.Key, record.Value);
    }

    /// <summary>The subscriber is served on another thread; one that falls behind is told to read anew.</summary>
    [Benchmark]
    public void PutWithSubscriber()
    {
        Record record = Next();
        _dataset.Put(record.Key, record.Value);
    }

    [Benchmark(OperationsPerInvoke = TransactionLength)]
    public void PutInTransactionOf1000() => _dataset.Write(transaction =>
    {
        for (int i = 0; i < TransactionLength; i++)
        {
            Record record = Next();
            transaction.Put(record.Key, record.Value);
        }
    });

    [Benchmark]
    public void AddToCounter() => _dataset.Counter("coins").Add(1);

    [Benchmark]
    public string? Get() => _dataset.Get<string>(Next().Key);

    private Record Next()
    {
        if (++_next == Records) _next = 0;
        return _writes[_next];
    }
}
