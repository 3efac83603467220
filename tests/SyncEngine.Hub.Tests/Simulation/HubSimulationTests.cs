using Xunit;

namespace SyncEngine.Hub.Tests.Simulation;

/// <summary>Random histories of devices with the hub's own parts in the middle, which crash, are revoked, refused, copied and
/// merged while they sync.</summary>
public sealed class HubSimulationTests
{
    private const ulong Histories = 150;
    private const ulong PlantedMax = 400;

    [Fact]
    public void Histories_with_a_hub_lose_nothing_and_show_nothing_they_may_not()
    {
        var counts = new HubCounts();
        for (ulong seed = 0; seed < Histories; seed++) Assert.Null(HubHistory.Fail(seed, counts));
        Assert.True(counts is { Merges: > 50, Revocations: > 40, HubCrashes: > 150, Refused: > 300, Acknowledged: > 1_000 },
            counts.ToString());
    }

    /// <summary>The first lost what was refused before a merge side by side; two found writes in two datasets after merges in a
    /// row, of which the device heard at once. In the next a replica was renamed, and a write under its old name passed for one
    /// that took others back: refused, it stood nowhere. In the last two a guest's file was copied, one copy signed in, and one
    /// was merged beside the other: each dataset had the guest's writes, as it should.</summary>
    [Theory]
    [InlineData(27)]
    [InlineData(2672)]
    [InlineData(3534)]
    [InlineData(201932)]
    [InlineData(6536)]
    [InlineData(15863)]
    public void What_once_failed_holds(int seed) => Assert.Null(HubHistory.Fail((ulong)seed, new HubCounts()));

    /// <summary>An addition came in one frame with one of a revoked device, and was refused with it.</summary>
    [Theory]
    [InlineData(23)]
    [InlineData(30)]
    [InlineData(49)]
    [InlineData(54)]
    [InlineData(143)]
    [InlineData(224)]
    [InlineData(288)]
    [InlineData(306)]
    [InlineData(347)]
    public void Additions_pass_beside_those_of_a_revoked_device(int seed) =>
        Assert.Null(HubHistory.Fail((ulong)seed, new HubCounts(), new HubPlants { CountsBesideFences = true }));

    [Fact]
    public void A_seed_replays_its_history_to_the_letter()
    {
        IReadOnlyList<string> first = HubHistory.Tell(7);
        Assert.Equal(first, HubHistory.Tell(7));
        Assert.NotEqual(first, HubHistory.Tell(8));
    }

    [Fact]
    public void A_hub_without_policies_is_caught() => AssertCaught("which the policy forbids",
        new HubPlants { Weaken = static access => access with { Allows = static (_, _) => true } });

    [Fact]
    public void A_hub_without_limits_is_caught() => AssertCaught("(longer than the pool allows|records in notes)",
        new HubPlants { Weaken = static access => access with { Limits = new() } });

    [Fact]
    public void A_hub_without_fences_is_caught() => AssertCaught("written after its device was revoked",
        new HubPlants { Weaken = static access => access with { Fence = static _ => null } });

    [Fact]
    public void A_disk_that_forgets_what_it_called_durable_is_caught() =>
        AssertCaught("(has lost|has forgotten|is no device|is lost|read|count)", new HubPlants { ForgetsCommits = true });

    [Fact]
    public void Merges_that_count_twice_are_caught() => AssertCaught("the hub counts", new HubPlants { CountsTwice = true });

    [Fact]
    public void Merges_into_somebody_else_are_caught() =>
        AssertCaught("though it was written by", new HubPlants { MixesIdentities = true });

    private static void AssertCaught(string words, HubPlants plants)
    {
        string? failure = null;
        for (ulong seed = 0; seed < PlantedMax && failure is null; seed++)
            failure = HubHistory.Fail(seed, new HubCounts(), plants);
        Assert.NotNull(failure);
        Assert.Matches(words, failure.Split('\n')[0]);
    }
}
