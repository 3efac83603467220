using System.Text;
using Xunit;

namespace SyncEngine.Cli.Tests;

/// <summary>What one run of the program gave.</summary>
internal sealed record ProgramRun(int ExitCode, string Output, string Error)
{
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>A folder of its own, in which the real program runs in process.</summary>
internal sealed class Sandbox : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("syncengine-cli-tests-").FullName;

    public string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>Runs the program; words that end in .db, .jsonl or .delta are files of the sandbox.</summary>
    public Task<ProgramRun> RunAsync(params string[] arguments) => RunWithInputAsync("", arguments);

    public async Task<ProgramRun> RunWithInputAsync(string input, params string[] arguments)
    {
        using var output = new MemoryStream();
        using var error = new MemoryStream();
        using var terminal = new Terminal(new MemoryStream(Encoding.UTF8.GetBytes(input)), output, error)
        {
            StateFolder = PathOf("state"),
        };
        int code = await CommandLine.RunAsync(arguments.Select(Expand).ToList(), terminal);
        return new ProgramRun(code, Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(error.ToArray()));
    }

    /// <summary>Runs and expects success; returns the output.</summary>
    public async Task<string> DoAsync(params string[] arguments)
    {
        ProgramRun run = await RunAsync(arguments);
        Assert.True(run.ExitCode == 0, $"{string.Join(' ', arguments)}: {run.ExitCode} {run.Error}");
        Assert.DoesNotContain('\u001b', run.Output);
        return run.Output;
    }

    /// <summary>Runs and expects a failure in one clear line, without a stack trace.</summary>
    public async Task<string> FailAsync(int code, params string[] arguments)
    {
        ProgramRun run = await RunAsync(arguments);
        Assert.Equal(code, run.ExitCode);
        Assert.StartsWith("syncengine: ", run.Error, StringComparison.Ordinal);
        Assert.Equal(1, run.Error.Count(static c => c == '\n'));
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        return run.Error;
    }

    public string Expand(string word) =>
        Path.GetExtension(word) is ".db" or ".jsonl" or ".delta" or ".folder" ? PathOf(word) : word;

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
