using Xunit;

namespace SyncEngine.Tests.House;

using Simulation = SyncEngine.Testing.Simulation;

/// <summary>The test in docs/TESTING.md is exactly this one.</summary>
public sealed class SimulationSampleTests
{
    [Fact]
    public void The_document_shows_this_test()
    {
        string[] sample = Sample(File.ReadAllLines(ThisFile()), "// begin", "// end");
        string[] shown = Sample(File.ReadAllLines(DocumentFile()), "```csharp", "```");
        Assert.Equal(sample.Select(line => line.Trim()), shown.Select(line => line.Trim()));
        Assert.InRange(sample.Length, 5, 10);
    }

    // begin
    [Fact]
    public void The_highest_level_wins_on_every_device() => new Simulation
    {
        Configure = save => save.Resolver = (key, field, writes) =>
            writes.Where(write => !write.IsDeleted).Select(write => write.Value).MaxBy(level => level.AsInteger()),
        Write = (save, random) => save["level"] = random.Next(1, 100),
        Check = devices => Assert.All(devices, save => Assert.All(save.Conflicts, conflict =>
            Assert.All(conflict.Losers, lower => Assert.InRange(lower.Value.AsInteger(), 1, save["level"].AsInteger())))),
    }.Run(seed: 1, steps: 20_000);
    // end

    private static string[] Sample(string[] lines, string begin, string end)
    {
        int first = Array.FindIndex(lines, line => line.Trim() == begin) + 1;
        return lines[first..Array.FindIndex(lines, first, line => line.Trim() == end)];
    }

    private static string ThisFile([System.Runtime.CompilerServices.CallerFilePath] string here = "") => here;

    private static string DocumentFile() =>
        Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", "..", "docs", "TESTING.md");
}
