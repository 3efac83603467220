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
    public void A_history_that_once_failed_stays_whole(int seed) => Assert.Null(DifferentialSoak.WhyItFails(seed));
}
