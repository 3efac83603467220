using Xunit;

namespace SyncEngine.Cli.Tests;

public sealed class SyncTests : IDisposable
{
    private readonly Sandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public async Task Sync_makes_files_equal_and_keeps_the_loser_of_a_conflict()
    {
        await _sandbox.DoAsync("put", "a.db", "save", "player", "\"Ann\"");
        await _sandbox.DoAsync("add", "a.db", "save", "coins", "10");
        await _sandbox.DoAsync("put", "b.db", "save", "player", "\"Bob\"");
        await _sandbox.DoAsync("add", "b.db", "save", "coins", "20");
        await _sandbox.DoAsync("put", "b.db", "other", "x", "1");
        string output = await _sandbox.DoAsync("sync", "a.db", "b.db");
        Assert.Contains("was a guest that had never synced", output, StringComparison.Ordinal);
        Assert.EndsWith("equal: 2 datasets, 3 records\n", output, StringComparison.Ordinal);
        string export = await _sandbox.DoAsync("export", "a.db");
        Assert.Equal(export, await _sandbox.DoAsync("export", "b.db"));
        Assert.Matches(
            "\"player\",\"kind\":\"register\",\"value\":\"Bob\",\"conflicts\":\\[\\{\"value\":\"Ann\","
            + "\"replica\":\"[0-9a-f]{16}\",\"time\":\"[^\"]+\"\\}\\]\\}\n", export);
        Assert.Contains("\"value\":30}", export, StringComparison.Ordinal);
        Assert.Contains("\"conflicts\":[{\"key\":\"player\"", await _sandbox.DoAsync("inspect", "a.db", "--json"),
            StringComparison.Ordinal);
        Assert.Contains("Conflict in save: register player = \"Bob\", also \"Ann\"",
            await _sandbox.DoAsync("inspect", "b.db"), StringComparison.Ordinal);
        Assert.StartsWith("{\"equal\":true,\"paired\":false,\"datasets\":2,\"records\":3,\"sent\":{\"records\":0,\"bytes\":0}",
            await _sandbox.DoAsync("sync", "b.db", "a.db", "--json"), StringComparison.Ordinal);
        Assert.Equal(0, (await _sandbox.RunWithInputAsync(export, "import", "c.db")).ExitCode);
    }

    [Fact]
    public async Task One_way_carries_news_in_one_direction_only()
    {
        await _sandbox.DoAsync("put", "a.db", "save", "a", "1");
        await _sandbox.DoAsync("put", "b.db", "save", "b", "1");
        await _sandbox.DoAsync("sync", "a.db", "b.db", "--one-way");
        await _sandbox.DoAsync("get", "b.db", "save", "a");
        await _sandbox.FailAsync(1, "get", "a.db", "save", "b");
        await _sandbox.FailAsync(2, "sync", "missing.db", "b.db", "--one-way");
    }

    [Fact]
    public async Task Two_identities_that_synced_apart_are_refused()
    {
        foreach (string name in (string[])["a", "b", "c", "d"]) await _sandbox.DoAsync("put", name + ".db", "save", name, "1");
        await _sandbox.DoAsync("sync", "a.db", "b.db");
        await _sandbox.DoAsync("sync", "c.db", "d.db");
        string before = await _sandbox.DoAsync("export", "a.db");
        Assert.Contains("two people", await _sandbox.FailAsync(3, "sync", "a.db", "c.db"), StringComparison.Ordinal);
        await _sandbox.DoAsync("delta", "a.db", "--out", "a.delta");
        await _sandbox.FailAsync(3, "apply", "c.db", "a.delta");
        Assert.Equal(before, await _sandbox.DoAsync("export", "a.db"));
    }

    [Fact]
    public async Task Options_that_do_not_go_together_are_refused()
    {
        await _sandbox.DoAsync("put", "a.db", "save", "x", "1");
        await _sandbox.FailAsync(2, "sync", "a.db", "b.db", "--adopt");
        await _sandbox.FailAsync(2, "sync", "a.db", "b.db", "--watch");
        await _sandbox.FailAsync(2, "sync", "a.db", "--folder", _sandbox.Folder, "--one-way");
        await _sandbox.FailAsync(2, "simulate", "--steps", "10", "--minutes", "1");
    }

    [Fact]
    public async Task Deltas_carry_the_news_in_steps_and_a_gap_is_refused()
    {
        await _sandbox.DoAsync("put", "a.db", "save", "x", "1");
        await _sandbox.DoAsync("delta", "a.db", "--out", "1.delta");
        await _sandbox.DoAsync("apply", "b.db", "1.delta");
        await _sandbox.DoAsync("put", "a.db", "save", "y", "2");
        await _sandbox.DoAsync("delta", "a.db", "--since", "b.db", "--out", "2.delta", "--pack");
        Assert.Contains("it builds on changes", await _sandbox.FailAsync(1, "apply", "c.db", "2.delta"),
            StringComparison.Ordinal);
        Assert.Contains("1 records", await _sandbox.DoAsync("apply", "b.db", "2.delta"), StringComparison.Ordinal);
        Assert.Contains("0 records", await _sandbox.DoAsync("apply", "b.db", "2.delta"), StringComparison.Ordinal);
        await _sandbox.DoAsync("apply", "c.db", "1.delta");
        await _sandbox.DoAsync("apply", "c.db", "2.delta");
        string export = await _sandbox.DoAsync("export", "a.db");
        Assert.Equal(export, await _sandbox.DoAsync("export", "b.db"));
        Assert.Equal(export, await _sandbox.DoAsync("export", "c.db"));
        byte[] bytes = File.ReadAllBytes(_sandbox.PathOf("1.delta"));
        bytes[^9] ^= 1;
        File.WriteAllBytes(_sandbox.PathOf("bad.delta"), bytes);
        await _sandbox.FailAsync(2, "apply", "b.db", "bad.delta");
        await _sandbox.FailAsync(2, "apply", "b.db", "missing.delta");
        Assert.Equal(export, await _sandbox.DoAsync("export", "b.db"));
    }
}
