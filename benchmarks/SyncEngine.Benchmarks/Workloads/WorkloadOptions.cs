using SyncEngine.Benchmarks.Durable;

namespace SyncEngine.Benchmarks.Workloads;

/// <summary>What the command line asks for.</summary>
internal sealed record WorkloadOptions
{
    /// <summary>Names of workloads; none for all.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    public bool Durable { get; init; }

    public bool Floor { get; init; }

    public int Records { get; init; } = 100_000;

    public int Repeats { get; init; } = 3;

    public string? Folder { get; init; }

    public string? Out { get; init; }

    public IEnumerable<string> KnownNames =>
        Durable ? WorkloadSuite.Names.Concat(DurableSuite.Names) : WorkloadSuite.Names;

    public bool Includes(string name) => Names.Count == 0 || Names.Contains(name);
}
