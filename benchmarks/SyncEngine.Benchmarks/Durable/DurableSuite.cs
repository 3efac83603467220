using System.Text.Json.Nodes;
using SyncEngine.Benchmarks.Workloads;

namespace SyncEngine.Benchmarks.Durable;

/// <summary>
/// What durability costs: each figure stands beside the disk's and LiteDB's own, taken in the same run.
/// </summary>
internal sealed class DurableSuite(string folder, int records)
{
    public static IReadOnlyList<string> Names { get; } = ["merges", "single", "writers", "reopen", "sizes"];

    public async Task<JsonObject> RunAsync(string name)
    {
        string own = Path.Combine(folder, name);
        Directory.CreateDirectory(own);
        Measure.Collect();
        JsonObject result = name switch
        {
            "merges" => await new MergeRates(own, records).RunAsync(),
            "single" => await AwaitedWrites.CompareAsync(own),
            "writers" => await AwaitedWrites.ShareAsync(own),
            "reopen" => await Reopening.RunAsync(own, [records, records * 10]),
            "sizes" => await SizeCosts.RunAsync(own, [records / 100, records, records * 10]),
            _ => throw new ArgumentException($"There is no measurement {name}.", nameof(name)),
        };
        result["load"] = Measure.Load();
        Directory.Delete(own, recursive: true);
        return result;
    }

    /// <summary>An empty folder for one more set of files.</summary>
    public static string Fresh(string folder)
    {
        string fresh = Path.Combine(folder, Guid.NewGuid().ToString("n"));
        Directory.CreateDirectory(fresh);
        return fresh;
    }
}
