using BenchmarkDotNet.Attributes;
using SyncEngine.Benchmarks.Durable;
using SyncEngine.Benchmarks.Workloads;
using SyncEngine.Datasets;

namespace SyncEngine.Benchmarks;

/// <summary>
/// What does durability cost on this disk? For ratios to the disk itself see <c>workloads --durable</c>.
/// </summary>
[MemoryDiagnoser]
public class StorageBenchmarks
{
    private const int Records = 100_000;
    private readonly string _root = Path.Combine(Path.GetTempPath(), "syncengine-" + Guid.NewGuid().ToString("n"));
    private SyncStore _store = null!;
    private Dataset _dataset = null!;
    private string _closed = "";
    private int _next;

    [GlobalSetup]
    public void Fill()
    {
        string open = DurableSuite.Fresh(_root);
        _closed = DurableSuite.Fresh(_root);
        Reopening.FillAsync(open, 0, Records).GetAwaiter().GetResult();
        Reopening.FillAsync(_closed, 0, Records).GetAwaiter().GetResult();
        _store = StoreEngine.OpenFileAsync(open).AsTask().GetAwaiter().GetResult();
        _dataset = _store.Identity.Dataset("records");
    }

    [GlobalCleanup]
    public void Close()
    {
        _store.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Benchmark(Baseline = true)]
    public async Task AwaitedPut()
    {
        Record record = Next();
        await _dataset.PutAsync(record.Key, record.Value);
    }

    [Benchmark]
    public async Task AwaitedTransactionOf1000() => await _dataset.WriteAsync(transaction =>
    {
        for (int i = 0; i < 1000; i++)
        {
            Record record = Next();
            transaction.Put(record.Key, record.Value);
        }
    });

    [Benchmark]
    public async Task<int> Reopen100000()
    {
        await using SyncStore store = await StoreEngine.OpenFileAsync(_closed);
        return (await store.Identity.OpenDatasetAsync("records")).Count;
    }

    private Record Next()
    {
        int next = _next++;
        return RecordSet.Of(next % Records, 2 + next / Records);
    }
}
