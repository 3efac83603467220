using System.Globalization;
using Xunit;

namespace SyncEngine.Tests.Simulation;

public sealed class DifferentialTests
{
    private const int Parts = 4;
    private const int HistoriesEach = 500;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Engine_and_model_agree_after_each_step_of_random_histories(int part)
    {
        Assert.InRange(part, 0, Parts - 1);
        var failures = new List<string>();
        DifferentialSoak.Run(part * HistoriesEach, HistoriesEach, failures.Add);
        Assert.True(failures.Count == 1, string.Join('\n', failures));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(9)]
    [InlineData(770)]
    [InlineData(1427)]
    [InlineData(1886)]
    public void A_history_that_once_failed_stays_whole(int seed) => Assert.Null(DifferentialSoak.WhyItFails(seed));

    /// <summary>SYNCENGINE_SOAK=first,count runs as many histories as one likes; without it this runs ten.</summary>
    [Fact]
    public void A_soak_of_the_length_that_the_environment_asks_for_finds_nothing()
    {
        string[] range = (Environment.GetEnvironmentVariable("SYNCENGINE_SOAK") ?? "5000,10").Split(',');
        var log = new List<string>();
        int failures = DifferentialSoak.Run(
            int.Parse(range[0], CultureInfo.InvariantCulture), int.Parse(range[1], CultureInfo.InvariantCulture), log.Add);
        Assert.True(failures == 0, string.Join('\n', log));
    }
}
