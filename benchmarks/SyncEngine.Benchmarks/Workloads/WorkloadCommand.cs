using System.Text.Json.Nodes;
using SyncEngine.Benchmarks.Durable;

namespace SyncEngine.Benchmarks.Workloads;

/// <summary>
/// Runs workloads and prints a line for each: the engine's name, the workload's name, and what was measured.
/// </summary>
internal static class WorkloadCommand
{
    private const string Usage = """
        workloads [W1,W1s,W2,…] [--durable] [--floor] [--records N] [--repeats N] [--folder DIR] [--out FILE]
          --durable   stores in LiteDB files; also: merges, single, writers, reopen, sizes
          --floor     a bare dictionary instead of the engine, as the limit of what is possible
          --records   how many records a workload has; 100,000 unless told
          --repeats   how many runs the best is taken of; 3 unless told
          --folder    where --durable makes its files, on the disk to be measured; else the folder for temporary files
          --out       a file to append the lines to
        """;

    public static async Task<int> RunAsync(string[] args)
    {
        if (!TryParse(args, out WorkloadOptions options)) return Fail(Usage);
        string unknown = string.Join(", ", options.Names.Except(options.KnownNames));
        if (unknown.Length > 0)
            return Fail($"There is no {unknown}; there is {string.Join(", ", options.KnownNames)}.");
        try
        {
            if (options.Floor) RunSuite(new FloorEngine(), options);
            else if (!options.Durable) RunSuite(new StoreEngine(null), options);
            else await RunDurableAsync(options);
            return 0;
        }
        catch (InvalidOperationException e)
        {
            return Fail(e.Message);
        }
    }

    private static async Task RunDurableAsync(WorkloadOptions options)
    {
        string parent = options.Folder ?? Path.GetTempPath();
        string folder = Path.Combine(parent, "syncengine-" + Guid.NewGuid().ToString("n"));
        Directory.CreateDirectory(folder);
        try
        {
            RunSuite(new StoreEngine(folder), options);
            var suite = new DurableSuite(folder, options.Records);
            foreach (string name in DurableSuite.Names.Where(options.Includes))
                Print("syncengine-litedb", name, await suite.RunAsync(name), options);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void RunSuite(IEngine engine, WorkloadOptions options)
    {
        var suite = new WorkloadSuite(engine, options.Records, options.Repeats);
        foreach (string name in WorkloadSuite.Names.Where(options.Includes))
            Print(engine.Name, name, suite.Run(name), options);
    }

    private static void Print(string engine, string workload, JsonObject result, WorkloadOptions options)
    {
        string line = $"{engine} {workload} {result.ToJsonString()}";
        Console.WriteLine(line);
        if (options.Out is not null) File.AppendAllText(options.Out, line + "\n");
    }

    private static bool TryParse(string[] args, out WorkloadOptions options)
    {
        options = new WorkloadOptions();
        for (int i = 0; i < args.Length; i++)
        {
            string? next = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--durable":
                    options = options with { Durable = true };
                    continue;
                case "--floor":
                    options = options with { Floor = true };
                    continue;
                case "--records" when int.TryParse(next, out int records) && records >= 100:
                    options = options with { Records = records };
                    break;
                case "--repeats" when int.TryParse(next, out int repeats) && repeats >= 1:
                    options = options with { Repeats = repeats };
                    break;
                case "--folder" when next is not null:
                    options = options with { Folder = next };
                    break;
                case "--out" when next is not null:
                    options = options with { Out = next };
                    break;
                default:
                    if (args[i].StartsWith('-')) return false;
                    options = options with { Names = args[i].Split(',', StringSplitOptions.RemoveEmptyEntries) };
                    continue;
            }

            i++;
        }

        return !(options.Durable && options.Floor);
    }

    private static int Fail(string message)
    {
        Console.Error.WriteLine(message);
        return 1;
    }
}
