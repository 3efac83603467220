using BenchmarkDotNet.Running;
using SyncEngine.Benchmarks.Syncing;
using SyncEngine.Benchmarks.Workloads;

namespace SyncEngine.Benchmarks;

internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        if (args.Length > 0 && args[0] == "workloads") return await WorkloadCommand.RunAsync(args[1..]);
        if (args.Length > 0 && args[0] == "sync") return await SyncCommand.RunAsync(args[1..]);
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        return 0;
    }
}
