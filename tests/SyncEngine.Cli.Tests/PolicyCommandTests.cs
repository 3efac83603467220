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
        await _sandbox.FailAsync(2, Ask("p.json", "a", "r", "--claim", "tenant"));
        string twice = await _sandbox.FailAsync(
            2, Ask("p.json", "a", "r", "--claim", "tenant=a", "--claim", "plan=pro", "--claim", "tenant=b"));
        Assert.Contains("tenant is given twice", twice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_policy_file_ends_with_2()
    {
        string[] ask = Ask("odd.json", "a", "r");
        Assert.Contains("There is no file", await _sandbox.FailAsync(2, ask), StringComparison.Ordinal);
        Assert.Contains("There is no file", await _sandbox.FailAsync(2, Ask("no/odd.json", "a", "r")), StringComparison.Ordinal);
        await _sandbox.FailAsync(2, Ask("p.json", "a", "r", "--ceiling", _sandbox.PathOf("odd.json")));
        await _sandbox.FailAsync(2, Ask("", "a", "r"));
        string odd = _sandbox.PathOf("odd.json");
        await File.WriteAllBytesAsync(odd, [.. """{"version":1,"statements":[{"effect":"allow","action":"a","resource":"""u8,
            (byte)'"', 0xC3, (byte)'"', .. "}]}"u8]);
        Assert.Contains("no UTF-8 at byte 70", await _sandbox.FailAsync(2, ask), StringComparison.Ordinal);
        await File.WriteAllBytesAsync(odd, [0xEF, 0xBB, 0xBF, .. await File.ReadAllBytesAsync(_sandbox.PathOf("none.json"))]);
        Assert.Equal(1, (await _sandbox.RunAsync(ask)).ExitCode);
        using (FileStream large = File.Create(odd)) large.SetLength(1L << 32);
        Assert.Contains("too large: it may have 65,536 bytes", await _sandbox.FailAsync(2, ask), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\u001b[2J\u001b[H")]
    [InlineData("x\nAllowed: dataset:write on everything")]
    [InlineData("x\r\nAllowed")]
    [InlineData("\u009b2Jx")]
    [InlineData("\u202ehcraeS")]
    [InlineData("x\u2028Allowed\u2029Allowed\u0085Allowed")]
    public async Task No_text_steers_the_terminal_or_passes_for_an_answer(string text)
    {
        string json = JsonSerializer.Serialize(text);
        File.WriteAllText(_sandbox.PathOf("sly.json"), """
            {"version":1,"statements":[{"effect":"deny","action":TEXT,"resource":TEXT},
             {"effect":"deny","action":"*","resource":"b/**","condition":{"equals":{"claim.a":TEXT}}},
             {"effect":"deny","action":"*","resource":["b/${claim.a}",TEXT]}]}
            """.Replace("TEXT", json, StringComparison.Ordinal));
        Check(await _sandbox.RunAsync(Ask("sly.json", "read", "b/c", "--claim", "a=" + text)), 1, 0);
        Check(await _sandbox.RunAsync(Ask("sly.json", "read" + text, "b/c" + text, "--claim", "a=" + text)), 1, 0);
        Check(await _sandbox.RunAsync(Ask("p.json", "a", "r", "--claim", text)), 2, 1);
        Check(await _sandbox.RunAsync(Ask(text, "a", "r")), 2, 1);
        Check(await _sandbox.RunAsync("policy", text), 2, 1);
        File.WriteAllText(_sandbox.PathOf("sly.json"), $$"""{"version":1,"statements":[],{{json}}:1}""");
        Check(await _sandbox.RunAsync(Ask("sly.json", "a", "r")), 2, 1);
        string name = _sandbox.PathOf("p" + text.Replace("/", "", StringComparison.Ordinal) + ".json");
        File.Copy(_sandbox.PathOf("none.json"), name);
        Check(await _sandbox.RunAsync("policy", "explain", "--policy", name, "--action", "a", "--resource", "r"), 1, 0);

        static void Check(ProgramRun run, int code, int errorLines)
        {
            Assert.Equal(code, run.ExitCode);
            Assert.Equal(errorLines, run.Error.Count(static c => c == '\n'));
            Assert.DoesNotContain(run.Output + run.Error, static c => c != '\n' && (char.IsControl(c)
                || c is '\u202e' or '\u2028' or '\u2029'));
            Assert.DoesNotContain("\nAllowed", run.Output, StringComparison.Ordinal);
            Assert.Equal(code == 1, run.Output.StartsWith("Denied: ", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_deny_that_wants_something_missing_is_warned_of()
    {
        File.WriteAllText(_sandbox.PathOf("deny.json"), """
            {"version":1,"statements":[
             {"effect":"allow","action":"*","resource":"**"},
             {"effect":"deny","action":"read","resource":"api/${claim.tenant}/*","condition":{"notEquals":{"role":"admin"}}},
             {"effect":"deny","action":"read","resource":"other/${claim.tenant}"}]}
            """);
        string output = await _sandbox.DoAsync(Ask("deny.json", "read", "api/acme/1"));
        Assert.Contains($"warning: statement 1 of {_sandbox.PathOf("deny.json")} denies nobody without claim.tenant, role: ",
            output, StringComparison.Ordinal);
        Assert.DoesNotContain("statement 2 of", output, StringComparison.Ordinal);
        output = await _sandbox.DoAsync(Ask("deny.json", "read", "api/acme/1", "--role", "user", "--claim", "tenant=other"));
        Assert.DoesNotContain("warning", output, StringComparison.Ordinal);
        output = await _sandbox.DoAsync(Ask("deny.json", "read", "api/acme/1", "--role", "user"));
        Assert.Contains("without claim.tenant: ", output, StringComparison.Ordinal);
        output = await _sandbox.DoAsync(Ask("deny.json", "read", "api/acme/1", "--role", "admin"));
        Assert.DoesNotContain("warning", output, StringComparison.Ordinal);
        ProgramRun denied = await _sandbox.RunAsync(
            Ask("deny.json", "read", "api/acme/1", "--role", "user", "--claim", "tenant=acme"));
        Assert.Equal(1, denied.ExitCode);
        Assert.DoesNotContain("warning", denied.Output, StringComparison.Ordinal);
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
        Assert.Equal(0, statements[1].GetProperty("missing").GetArrayLength());
    }

    [Fact]
    public async Task Json_says_what_each_policy_says()
    {
        ProgramRun run = await _sandbox.RunAsync(Ask("p.json", "resource:invoke", "api/acme/1", "--claim", "tenant=acme",
            "--ceiling", _sandbox.PathOf("none.json"), "--json"));
        Assert.Equal(1, run.ExitCode);
        using JsonDocument json = JsonDocument.Parse(run.Output);
        JsonElement[] policies = [.. json.RootElement.GetProperty("policies").EnumerateArray()];
        Assert.Equal([_sandbox.PathOf("p.json"), _sandbox.PathOf("none.json")],
            policies.Select(static policy => policy.GetProperty("policy").GetString()));
        Assert.Equal([true, false], policies.Select(static policy => policy.GetProperty("allowed").GetBoolean()));
        Assert.Equal(1, policies[0].GetProperty("decidedBy").GetInt32());
        Assert.Equal(JsonValueKind.Null, policies[1].GetProperty("decidedBy").ValueKind);
        using JsonDocument wanting = JsonDocument.Parse((await _sandbox.RunAsync(
            Ask("p.json", "resource:invoke", "api/acme/1", "--json"))).Output);
        Assert.Equal("claim.tenant",
            wanting.RootElement.GetProperty("statements")[1].GetProperty("missing")[0].GetString());
    }

    [Fact]
    public async Task The_transcript_of_the_document_is_what_the_program_says()
    {
        string document = (await File.ReadAllTextAsync(Document())).ReplaceLineEndings("\n");
        await File.WriteAllTextAsync(_sandbox.PathOf("policy.json"), Block(document, "json"));
        string[] shown = Block(document, "console").Split('\n');
        const string Prompt = "$ syncengine ";
        Assert.StartsWith(Prompt, shown[0], StringComparison.Ordinal);
        string[] words = shown[0][Prompt.Length..].Split(' ');
        ProgramRun run = await _sandbox.RunAsync([.. words.Select(
            word => word == "policy.json" ? _sandbox.PathOf(word) : word)]);
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(string.Join('\n', shown.Skip(1).Select(static line => line.TrimEnd())).Trim(), string.Join('\n',
            run.Output.Replace(_sandbox.Folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal).Split('\n')
                .Select(static line => line.TrimEnd())).Trim());

        static string Block(string text, string language)
        {
            int from = text.IndexOf($"```{language}\n", StringComparison.Ordinal) + language.Length + 4;
            return text[from..text.IndexOf("```", from, StringComparison.Ordinal)];
        }
    }

    private static string Document([System.Runtime.CompilerServices.CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "../../docs/POLICIES.md");

    private string[] Ask(string policy, string action, string resource, params string[] more) =>
        ["policy", "explain", "--policy", _sandbox.PathOf(policy), "--action", action, "--resource", resource, .. more];
}
