using Xunit;

namespace SyncEngine.LiteDB.Tests;

public sealed class CrashTests
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void A_killed_process_leaves_every_acknowledged_commit_whole(int seed, bool withSynchronizationContext)
    {
        var failures = KillSoak.Run(seed, 10, withSynchronizationContext, _ => { });
        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    [Fact]
    public void Two_processes_that_sync_lose_nothing_when_either_is_killed()
    {
        var failures = SyncKillSoak.Run(3, 5, _ => { });
        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    [Fact]
    public void A_failed_operation_of_the_disk_loses_nothing()
    {
        var failures = FaultSoak.RunFailures(11, 53, _ => { });
        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    [Fact]
    public void A_full_disk_loses_nothing_and_stays_readable()
    {
        var failures = FaultSoak.RunFullDisks(12, 13, _ => { });
        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }
}
