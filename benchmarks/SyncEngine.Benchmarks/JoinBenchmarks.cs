using BenchmarkDotNet.Attributes;
using SyncEngine.Benchmarks.Workloads;
using SyncEngine.Cells;
using SyncEngine.Causality;
using SyncEngine.Datasets;

namespace SyncEngine.Benchmarks;

/// <summary>What does a merge of 10,000 records cost: all new, half of them in conflict, all known?</summary>
[MemoryDiagnoser]
public class JoinBenchmarks
{
    private const int Records = 10_000;

    /// <summary>
    /// A merge changes its target, so each takes a fresh one; several an iteration steady the clock.
    /// </summary>
    private const int Targets = 10;

    private readonly Dataset[] _targets = new Dataset[Targets];
    private readonly List<SyncStore> _stores = [];
    private byte[] _delta = [], _other = [];

    [GlobalSetup]
    public void Encode()
    {
        _delta = DeltaOf(0, 1);
        _other = DeltaOf(Records / 2, 2);
    }

    [IterationSetup(Target = nameof(JoinNew))]
    public void OpenEmpty()
    {
        for (int i = 0; i < Targets; i++)
        {
            SyncStore store = SyncStore.OpenInMemory();
            _stores.Add(store);
            _targets[i] = store.Identity.Dataset("records");
        }
    }

    [IterationSetup(Target = nameof(JoinConcurrent))]
    public void OpenWithOthers()
    {
        OpenEmpty();
        foreach (Dataset target in _targets) target.Join(_other);
    }

    [IterationSetup(Target = nameof(JoinKnown))]
    public void OpenWithSame()
    {
        OpenEmpty();
        foreach (Dataset target in _targets) target.Join(_delta);
    }

    [IterationCleanup]
    public void Close()
    {
        foreach (SyncStore store in _stores) store.Dispose();
        _stores.Clear();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Records * Targets)]
    public void JoinNew() => JoinAll(JoinOutcome.Joined);

    [Benchmark(OperationsPerInvoke = Records * Targets)]
    public void JoinConcurrent() => JoinAll(JoinOutcome.Joined);

    [Benchmark(OperationsPerInvoke = Records * Targets)]
    public void JoinKnown() => JoinAll(JoinOutcome.AlreadyKnown);

    private void JoinAll(JoinOutcome expected)
    {
        foreach (Dataset target in _targets)
            if (target.Join(_delta).Outcome != expected)
                throw new InvalidOperationException("Not what is to be measured.");
    }

    private static byte[] DeltaOf(int from, int generation)
    {
        using SyncStore store = SyncStore.OpenInMemory();
        Dataset source = store.Identity.Dataset("records");
        source.Write(transaction =>
        {
            foreach (Record record in RecordSet.Range(from, Records, generation))
                transaction.Put(record.Key, record.Value);
        });
        return source.DeltaAsync(VersionVector.Empty).AsTask().GetAwaiter().GetResult();
    }
}
