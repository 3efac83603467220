using Xunit;

namespace SyncEngine.Cli.Tests;

public sealed class SimulateTests : IDisposable
{
    private readonly Sandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public async Task A_simulation_names_its_seed_and_what_held()
    {
        string[] lines = (await _sandbox.RunAsync("simulate", "--seed", "7", "--steps", "5000")).Lines;
        Assert.Equal("seed 7", lines[0]);
        Assert.Matches("^held: [0-9]+ histories, 5000 steps, 0 diverged, 0 lost ", lines[^1]);
        Assert.Matches("^seed [0-9]+$", (await _sandbox.RunAsync("simulate", "--steps", "100")).Lines[0]);
    }

    [Fact]
    public async Task A_history_is_told_the_same_way_each_time()
    {
        string told = await _sandbox.DoAsync("simulate", "--seed", "1562", "--tell");
        Assert.Equal(told, await _sandbox.DoAsync("simulate", "--seed", "1562", "--tell"));
        Assert.Contains("is written", told, StringComparison.Ordinal);
        string calm = await _sandbox.DoAsync("simulate", "--seed", "1562", "--tell", "--without", "Crashes", "TornFiles");
        Assert.DoesNotContain("crashes", calm, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bad_arguments_are_refused()
    {
        await _sandbox.FailAsync(2, "simulate", "--steps", "0");
        await _sandbox.FailAsync(2, "simulate", "--devices", "1");
        await _sandbox.FailAsync(2, "simulate", "--minutes", "-1");
        await _sandbox.FailAsync(2, "simulate", "--seed", "-1");
        await _sandbox.FailAsync(2, "simulate", "--without", "Everything");
    }
}
