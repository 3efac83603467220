using Xunit;

namespace SyncEngine.LiteDB.Tests;

public sealed class PowerCutTests
{
    [Theory]
    [InlineData(1_000, false)]
    [InlineData(2_000, true)]
    public void Nothing_acknowledged_is_lost_and_nothing_partial_is_found(int seed, bool withSynchronizationContext)
    {
        var failures = PowerCutSoak.Run(seed, 100, withSynchronizationContext, _ => { });
        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    [Fact]
    public void A_commit_that_does_not_wait_for_its_confirmation_is_caught() =>
        AssertCaught(new PlantedFaults { SkipConfirmationSync = true });

    [Fact]
    public void A_log_whose_hashes_are_not_checked_is_caught() =>
        AssertCaught(new PlantedFaults { SkipLogHash = true }, tornPercent: 80);

    [Fact]
    public void A_checkpoint_that_overtakes_its_log_is_caught() =>
        AssertCaught(new PlantedFaults { DataBeforeLog = true });

    private static void AssertCaught(PlantedFaults faults, int tornPercent = 10)
    {
        for (var seed = 0; seed < 100; seed++)
        {
            if (PowerCutSoak.Run(3_000 + seed, 10, seed % 2 == 0, _ => { }, faults, tornPercent).Count > 0) return;
        }

        Assert.Fail("1,000 power cuts did not catch the planted bug.");
    }
}
