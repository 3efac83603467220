using System.Text.Json;
using Xunit;

namespace SyncEngine.Cli.Tests;

public sealed class StoreCommandTests : IDisposable
{
    private readonly Sandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public async Task Inspect_counts_what_is_there()
    {
        await _sandbox.DoAsync("put", "a.db", "save", "x", "1");
        await _sandbox.DoAsync("put", "a.db", "save", "y", "1");
        await _sandbox.DoAsync("delete", "a.db", "save", "y");
        using JsonDocument json = JsonDocument.Parse(await _sandbox.DoAsync("inspect", "a.db", "--json"));
        JsonElement identity = json.RootElement.GetProperty("identities")[0];
        JsonElement dataset = identity.GetProperty("datasets")[0];
        Assert.False(identity.GetProperty("paired").GetBoolean());
        Assert.Equal("save", dataset.GetProperty("name").GetString());
        Assert.Equal(1, dataset.GetProperty("records").GetInt32());
        Assert.Equal(1, dataset.GetProperty("tombstones").GetInt32());
        Assert.Equal(3, dataset.GetProperty("version").GetProperty(dataset.GetProperty("replica").GetString()!).GetInt64());
        Assert.Equal("1 deletes forgotten", (await _sandbox.RunAsync("compact", "a.db", "--forget-deletes")).Lines[0]);
        Assert.Contains("\"tombstones\":0", await _sandbox.DoAsync("inspect", "a.db", "--json"), StringComparison.Ordinal);
        Assert.Contains("this file", await _sandbox.DoAsync("inspect", "a.db"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_tells_a_sound_file_from_a_damaged_one()
    {
        for (int i = 0; i < 3; i++) await _sandbox.DoAsync("put", "a.db", "save", "k" + i, $"\"{new string('v', 9000)}\"");
        Assert.Equal("sound\n", await _sandbox.DoAsync("verify", "a.db"));
        await _sandbox.DoAsync("backup", "a.db", "b.db");
        await _sandbox.FailAsync(2, "backup", "a.db", "b.db");
        Assert.Equal("sound\n", await _sandbox.DoAsync("verify", "b.db"));
        Assert.Equal(await _sandbox.DoAsync("export", "a.db"), await _sandbox.DoAsync("export", "b.db"));
        byte[] bytes = File.ReadAllBytes(_sandbox.PathOf("a.db"));
        bytes.AsSpan(bytes.Length / 2, 3000).Fill(0x5A);
        File.WriteAllBytes(_sandbox.PathOf("a.db"), bytes);
        ProgramRun run = await _sandbox.RunAsync("verify", "a.db", "--json");
        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("{\"sound\":false,\"faults\":[\"", run.Output, StringComparison.Ordinal);
        await _sandbox.FailAsync(2, "verify", "missing.db");
    }

    [Fact]
    public async Task Watch_prints_what_changed_after_a_cursor()
    {
        await _sandbox.DoAsync("put", "a.db", "save", "x", "1");
        ProgramRun run = await _sandbox.RunAsync("watch", "a.db", "save", "--once", "--json");
        using JsonDocument first = JsonDocument.Parse(Assert.Single(run.Lines));
        string cursor = first.RootElement.GetProperty("cursor").GetString()!;
        Assert.Equal("x", first.RootElement.GetProperty("changes")[0].GetProperty("key").GetString());
        Assert.Empty(await _sandbox.DoAsync("watch", "a.db", "save", "--once", "--after", cursor));
        await _sandbox.DoAsync("delete", "a.db", "save", "x");
        Assert.EndsWith("  removed    register x\n",
            await _sandbox.DoAsync("watch", "a.db", "save", "--once", "--after", cursor), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_follows_a_file_that_others_write()
    {
        await _sandbox.DoAsync("put", "a.db", "save", "x", "1");
        Task<ProgramRun> watch = _sandbox.RunAsync("watch", "a.db", "--after", "start", "--count", "2", "--every", "0.05");
        await Task.Delay(500);
        for (int i = 0; !watch.IsCompleted && i < 200; i++)
        {
            await _sandbox.RunAsync("put", "a.db", "save", "x", "2"); // Fails where the watch has the file just then.
            await Task.Delay(100);
        }

        ProgramRun run = await watch;
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("  changed    register x = 1\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("  changed    register x = 2\n", run.Output, StringComparison.Ordinal);
    }
}
