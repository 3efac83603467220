using System.Globalization;
using System.Text.Json.Nodes;
using SyncEngine.Benchmarks.Workloads;

namespace SyncEngine.Benchmarks.Syncing;

/// <summary>Measures sync over the loopback and prints a line for each figure, as <see cref="WorkloadCommand"/> does.</summary>
internal static class SyncCommand
{
    private const string Usage = """
        sync [catchup,live,links] [--records N] [--repeats N] [--folder DIR]
          catchup     a store without records takes all from another over TCP, both in LiteDB files, until it is durable;
                      ratio is to encoding, decoding, merging and flushing the same at once, without a connection, into a
                      LiteDB file; beside it the same into memory
          live        from a put on one store to the change event on the other, over TCP, in memory and in LiteDB files
          links       heap bytes of each end of 1,000 idle links
          --records   how many records catchup has; 100,000 unless told
          --repeats   how many runs of catchup the medians are taken of; 5 unless told
          --folder    where the files are made; else the folder for temporary files
        """;

    private static readonly string[] _names = ["catchup", "live", "links"];

    public static async Task<int> RunAsync(string[] args)
    {
        int records = 100_000, repeats = 5;
        string parent = Path.GetTempPath();
        string[] chosen = _names;
        for (int i = 0; i < args.Length; i++)
        {
            string? next = i + 1 < args.Length ? args[i + 1] : null;
            bool isKnown = args[i] switch
            {
                "--records" => int.TryParse(next, CultureInfo.InvariantCulture, out records) && records > 0,
                "--repeats" => int.TryParse(next, CultureInfo.InvariantCulture, out repeats) && repeats > 0,
                "--folder" => (parent = next ?? "").Length > 0,
                _ => !args[i].StartsWith('-'),
            };
            if (isKnown && !args[i].StartsWith('-')) chosen = args[i].Split(',', StringSplitOptions.RemoveEmptyEntries);
            if (!isKnown || chosen.Except(_names).Any())
            {
                Console.Error.WriteLine(Usage);
                return 1;
            }

            if (args[i].StartsWith('-')) i++;
        }

        string folder = Path.Combine(parent, "syncengine-" + Guid.NewGuid().ToString("n"));
        Directory.CreateDirectory(folder);
        try
        {
            foreach (string name in chosen)
            {
                Measure.Collect();
                JsonObject result = name switch
                {
                    "catchup" => await CatchUp.RunAsync(folder, records, repeats),
                    "live" => await LiveLatency.RunAsync(folder),
                    _ => await IdleLinks.RunAsync(),
                };
                result["load"] = Measure.Load();
                Console.WriteLine($"syncengine sync-{name} {result.ToJsonString()}");
            }

            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
