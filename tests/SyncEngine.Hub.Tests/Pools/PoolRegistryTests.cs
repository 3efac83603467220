using System.Text;
using System.Text.Json.Nodes;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Rows;
using Xunit;

namespace SyncEngine.Hub.Tests.Pools;

public sealed class PoolRegistryTests
{
    private readonly HubRows _rows = new();

    [Fact]
    public async Task A_pool_is_found_again_by_another_registry_on_the_same_rows()
    {
        using PoolRegistry one = SamplePools.Registry(_rows);
        IdentityPool definition = SamplePools.Game with
        {
            Providers = [SamplePools.Facebook], Description = "Ünïcode",
                Limits = new PoolLimits { RecordsMax = null, DevicesMax = 3 },
            Fallback = RoleFallback.AuthenticatedRole,
            Rules = [new RoleRule { Claim = "c", Match = ClaimMatch.StartsWith, Value = "v", Role = "authenticated" }],
        };
        Assert.Equal(PoolOutcome.Done, (await one.CreateAsync(definition)).Outcome);
        using PoolRegistry other = SamplePools.Registry(_rows);
        Assert.Null(other.Peek("game"));
        IdentityPool found = Assert.IsType<IdentityPool>(await other.FindAsync("game"));
        Assert.Same(found, other.Peek("game"));
        Assert.Equal("Ünïcode", found.Description);
        Assert.Equal(1, found.Revision);
        Assert.Equal((null, 3, 20), (found.Limits.RecordsMax, found.Limits.DevicesMax, found.Limits.DatasetsMax));
        Assert.Equal("hush-hush-secret", found.Providers[0].AppSecret);
        Assert.Equal(ClaimMatch.StartsWith, found.Rules[0].Match);
        Assert.Equal((await one.FindAsync("game"))?.EntityTag, found.EntityTag);
        Assert.Null(await other.FindAsync("Game"));
    }

    [Fact]
    public async Task Of_two_changes_to_what_both_saw_one_is_refused()
    {
        using PoolRegistry pools = SamplePools.Registry(_rows);
        string seen = (await pools.CreateAsync(SamplePools.Game)).Pool!.EntityTag;
        PoolResult[] results = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => pools.ReplaceAsync(
            SamplePools.Game with { Description = $"change {i}" }, there => there.EntityTag == seen))));
        Assert.Equal(1, results.Count(result => result.Outcome == PoolOutcome.Done));
        Assert.Equal(7, results.Count(result => result.Outcome == PoolOutcome.Changed));
        Assert.Equal(2, (await pools.FindAsync("game"))!.Revision);
    }

    [Fact]
    public async Task Of_many_who_create_one_name_one_does()
    {
        using PoolRegistry pools = SamplePools.Registry(_rows);
        PoolResult[] results = await Task.WhenAll(Enumerable.Range(0, 8)
            .Select(_ => Task.Run(() => pools.CreateAsync(SamplePools.Game))));
        Assert.Equal(1, results.Count(result => result.Outcome == PoolOutcome.Done));
        Assert.Equal(7, results.Count(result => result.Outcome == PoolOutcome.Exists));
    }

    [Fact]
    public async Task A_condition_on_a_deleted_pool_does_not_hold_for_its_successor()
    {
        using PoolRegistry pools = new(_rows, new SteppingClock());
        string seen = (await pools.CreateAsync(SamplePools.Game)).Pool!.EntityTag;
        Assert.Equal(PoolOutcome.Done, (await pools.DeleteAsync("game", false, _ => true)).Outcome);
        await pools.CreateAsync(SamplePools.Game);
        PoolResult result = await pools.ReplaceAsync(SamplePools.Game, there => there.EntityTag == seen);
        Assert.Equal(PoolOutcome.Changed, result.Outcome);
    }

    [Fact]
    public async Task Changes_are_told_in_order()
    {
        using PoolRegistry pools = SamplePools.Registry(_rows);
        var told = new List<string>();
        pools.Changed += (name, pool) => told.Add(pool is null ? $"{name} gone" : $"{name} {pool.Revision}");
        await pools.CreateAsync(SamplePools.Game);
        await pools.ReplaceAsync(SamplePools.Game, _ => true);
        await pools.ReplaceAsync(SamplePools.Game, _ => false);
        await pools.DeleteAsync("game", false, _ => true);
        Assert.Equal(["game 1", "game 2", "game gone"], told);
    }

    [Fact]
    public async Task A_pool_with_identities_is_deleted_only_by_force()
    {
        using PoolRegistry pools = SamplePools.Registry(_rows);
        await pools.CreateAsync(SamplePools.Game);
        await AddIdentityAsync("game", "1");
        await AddIdentityAsync("game2", "1");
        Assert.Equal(PoolOutcome.NotEmpty, (await pools.DeleteAsync("game", false, _ => true)).Outcome);
        Assert.NotNull(pools.Peek("game"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => pools.DeleteAsync("game", true, _ => true));
        Assert.NotNull(pools.Peek("game"));

        int rounds = 0;
        pools.RemoveIdentities = async (name, _) =>
        {
            Assert.Null(pools.Peek(name));
            await _rows.WriteAsync(KeyValuePair.Create<string, byte[]?>($"id/{name}/1", null));
            await _rows.WriteAsync(KeyValuePair.Create<string, byte[]?>($"id/{name}/late", rounds++ == 0 ? [1] : null));
        };
        Assert.Equal(PoolOutcome.Done, (await pools.DeleteAsync("game", true, _ => true)).Outcome);
        Assert.Equal(2, rounds);
        Assert.Null(await _rows.ReadAsync("pool/game"));
        Assert.NotNull(await _rows.ReadAsync("id/game2/1"));
    }

    [Fact]
    public async Task A_delete_that_fails_leaves_the_pool()
    {
        using PoolRegistry pools = SamplePools.Registry(_rows);
        await pools.CreateAsync(SamplePools.Game);
        await AddIdentityAsync("game", "1");
        pools.RemoveIdentities = static (_, _) => throw new IOException("disk");
        await Assert.ThrowsAsync<IOException>(() => pools.DeleteAsync("game", true, _ => true));
        Assert.NotNull(await pools.FindAsync("game"));
        pools.RemoveIdentities = static (_, _) => Task.CompletedTask;
        Assert.Equal(PoolOutcome.NotEmpty, (await pools.DeleteAsync("game", true, _ => true)).Outcome);
        Assert.NotNull(await pools.FindAsync("game"));
    }

    [Fact]
    public async Task There_are_at_most_a_thousand_pools()
    {
        using PoolRegistry pools = SamplePools.Registry(_rows);
        for (int i = 0; i < PoolRegistry.PoolsMax; i++)
            Assert.Equal(PoolOutcome.Done, (await pools.CreateAsync(SamplePools.Game with { Name = $"p{i:d4}" })).Outcome);
        Assert.Equal(PoolOutcome.Full, (await pools.CreateAsync(SamplePools.Game)).Outcome);
        using PoolRegistry other = SamplePools.Registry(_rows);
        Assert.Equal(["p0997", "p0998", "p0999"], (await other.ListAsync("p0996", 10)).Select(pool => pool.Name));
    }

    [Fact]
    public async Task A_secret_stays_where_it_is_left_out_and_goes_nowhere_else()
    {
        using PoolRegistry pools = SamplePools.Registry(_rows);
        IdentityPool without = SamplePools.Game with { Providers = [SamplePools.Facebook with { AppSecret = null }] };
        await pools.CreateAsync(SamplePools.Game with { Providers = [SamplePools.Facebook] });
        PoolResult result = await pools.ReplaceAsync(without, _ => true);
        Assert.Equal("hush-hush-secret", result.Pool!.Providers[0].AppSecret);

        ProviderDefinition elsewhere = without.Providers[0] with { BaseAddress = "https://graph.example.org" };
        result = await pools.ReplaceAsync(without with { Providers = [elsewhere] }, _ => true);
        Assert.Equal((PoolOutcome.Invalid, "$.providers[0].appSecret"), (result.Outcome, result.Fault?.Path));
        result = await pools.ReplaceAsync(without with { Providers = [elsewhere with { AppSecret = "" }] }, _ => true);
        Assert.Null(result.Pool!.Providers[0].AppSecret);
        Assert.DoesNotContain("hush", Encoding.UTF8.GetString((await _rows.ReadAsync("pool/game"))!), StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_is_in_no_text() =>
        Assert.DoesNotContain("hush", (SamplePools.Game with { Providers = [SamplePools.Facebook] }).ToString()
            + SamplePools.Facebook, StringComparison.Ordinal);

    [Fact]
    public async Task Rows_of_a_later_hub_are_read_and_damaged_ones_are_named()
    {
        using (PoolRegistry pools = SamplePools.Registry(_rows)) await pools.CreateAsync(SamplePools.Game);
        JsonNode row = JsonNode.Parse(await _rows.ReadAsync("pool/game"))!;
        row["later"] = new JsonObject { ["a"] = 1 };
        await WriteAsync(row.ToJsonString());
        using (PoolRegistry pools = SamplePools.Registry(_rows)) Assert.NotNull(await pools.FindAsync("game"));
        await WriteAsync("{\"name\":");
        using (PoolRegistry pools = SamplePools.Registry(_rows))
        {
            var failure = await Assert.ThrowsAsync<InvalidDataException>(async () => await pools.FindAsync("game"));
            Assert.Contains("pool/game", failure.Message, StringComparison.Ordinal);
        }

        Task WriteAsync(string text) =>
            _rows.WriteAsync(KeyValuePair.Create<string, byte[]?>("pool/game", Encoding.UTF8.GetBytes(text)));
    }

    private Task AddIdentityAsync(string pool, string id) =>
        _rows.WriteAsync(KeyValuePair.Create<string, byte[]?>($"id/{pool}/{id}", [1]));

    /// <summary>A clock that shows another time each time.</summary>
    private sealed class SteppingClock : TimeProvider
    {
        private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => _now = _now.AddSeconds(1);
    }
}
