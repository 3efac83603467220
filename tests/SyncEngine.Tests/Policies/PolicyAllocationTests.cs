using SyncEngine.Policies;
using Xunit;

namespace SyncEngine.Tests.Policies;

public sealed class PolicyAllocationTests
{
    private const int Decisions = 1000;

    [Theory]
    [InlineData("dataset:write", "identity/ann/dataset/save", 0)]
    [InlineData("dataset:write", "identity/ann/dataset/entitlements", 2)]
    [InlineData("resource:invoke", "api/acme/orders/7/lines", 1)]
    [InlineData("resource:invoke", "api/other/orders/7", -1)]
    [InlineData("unknown", "", -1)]
    public void A_decision_allocates_nothing(string action, string resource, int statement)
    {
        Policy policy = Policy.Parse("""
            {"version":1,"statements":[
             {"effect":"allow","action":["dataset:*","x"],"resource":["identity/${identity.id}/dataset/*","nothing"]},
             {"effect":"allow","action":"resource:invoke","resource":"api/${claim.tenant}/ord*/**",
              "condition":{"equals":{"role":["user","auth"]},"notEquals":{"claim.plan":"free"}}},
             {"effect":"deny","action":["dataset:write"],"resource":"identity/*/dataset/entitlements"}]}
            """);
        var context = new PolicyContext
        {
            IdentityId = "ann", Role = "auth", Claims = new Dictionary<string, string> { ["tenant"] = "acme", ["plan"] = "pro" },
        };
        Assert.Equal(statement, policy.Decide(action, resource, context).Statement);
        int same = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Decisions; i++)
            if (policy.Decide(action, resource, context).Statement == statement) same++;
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal((Decisions, 0L), (same, allocated));
    }
}
