using System.Text.Json;
using Xunit;

namespace SyncEngine.Cli.Tests;

public sealed class PolicyCommandTests : IDisposable
{
    private readonly Sandbox _sandbox = new();

    public PolicyCommandTests()
    {
        File.WriteAllText(_sandbox.PathOf("p.json"), """
            {"version":1,"statements":[
             {"effect":"allow","action":"dataset:*","resource":"identity/${identity.id}/dataset/*"},
             {"effect":"allow","action":"resource:invoke","resource":"api/${claim.tenant}/*"}]}
            """);
        File.WriteAllText(_sandbox.PathOf("bad.json"), """{"version":1,"statements":[{"effect":"maybe"}]}""");
        File.WriteAllText(_sandbox.PathOf("none.json"), """{"version":1,"statements":[]}""");
    }

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public async Task What_is_allowed_ends_with_0()
    {
        string output = await _sandbox.DoAsync(Ask("p.json", "dataset:write", "identity/ann/dataset/save", "--identity", "ann"));
        Assert.StartsWith("Allowed: dataset:write on identity/ann/dataset/save\n", output, StringComparison.Ordinal);
        Assert.Contains("allows by statement 0", output, StringComparison.Ordinal);
        await _sandbox.DoAsync(Ask("p.json", "resource:invoke", "api/a=b/1", "--claim", "tenant=a=b"));
    }

    [Fact]
    public async Task What_is_denied_ends_with_1()
    {
        ProgramRun run = await _sandbox.RunAsync(
            Ask("p.json", "dataset:write", "identity/bob/dataset/save", "--identity", "ann"));
        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("Denied: ", run.Output, StringComparison.Ordinal);
        Assert.Contains("no statement allows it", run.Output, StringComparison.Ordinal);
        run = await _sandbox.RunAsync(Ask("p.json", "dataset:write", "identity/ann/dataset/save", "--identity", "ann",
            "--ceiling", _sandbox.PathOf("none.json")));
        Assert.Equal(1, run.ExitCode);
    }

    [Fact]
    public async Task A_wrong_policy_or_claim_ends_with_2()
    {
        string error = await _sandbox.FailAsync(2, Ask("bad.json", "a", "r"));
        Assert.Contains("$.statements[0].effect", error, StringComparison.Ordinal);
        await _sandbox.FailAsync(3, Ask("missing.json", "a", "r"));
        await _sandbox.FailAsync(2, Ask("p.json", "a", "r", "--claim", "tenant"));
    }

    [Fact]
    public async Task Json_says_what_each_statement_says()
    {
        using JsonDocument json = JsonDocument.Parse(await _sandbox.DoAsync(
            Ask("p.json", "resource:invoke", "api/acme/1", "--claim", "tenant=acme", "--json")));
        Assert.True(json.RootElement.GetProperty("allowed").GetBoolean());
        JsonElement statements = json.RootElement.GetProperty("statements");
        Assert.Equal([false, true], statements.EnumerateArray().Select(static s => s.GetProperty("applies").GetBoolean()));
        Assert.Equal("resource:invoke on api/${claim.tenant}/*", statements[1].GetProperty("reason").GetString());
    }

    private string[] Ask(string policy, string action, string resource, params string[] more) =>
        ["policy", "explain", "--policy", _sandbox.PathOf(policy), "--action", action, "--resource", resource, .. more];
}
