using System.Diagnostics;
using Xunit;

namespace SyncEngine.Cli.Tests;

public sealed class ChildProcessTests : IDisposable
{
    private readonly Sandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public async Task The_demo_runs_as_a_process_in_plain_text()
    {
        ProgramRun run = await RunAsync("demo", "--folder", "demo.folder");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.EndsWith("\nconverged: 3 devices, 8 records, 0 lost\n", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', run.Output);
    }

    [Fact]
    public async Task A_process_writes_and_another_reads()
    {
        Assert.Equal(0, (await RunAsync("put", "a.db", "save", "player", "\"żółw 😀\"")).ExitCode);
        Assert.Equal("\"żółw 😀\"\n", (await RunAsync("get", "a.db", "save", "player")).Output);
        Assert.Equal(1, (await RunAsync("get", "a.db", "save", "nobody")).ExitCode);
        ProgramRun bad = await RunAsync("put", "a.db", "save", "player", "Ann");
        Assert.Equal(2, bad.ExitCode);
        Assert.StartsWith("syncengine: ", bad.Error, StringComparison.Ordinal);
    }

    private async Task<ProgramRun> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = System.Text.Encoding.UTF8,
        };
        start.ArgumentList.Add(typeof(CommandLine).Assembly.Location);
        foreach (string argument in arguments) start.ArgumentList.Add(_sandbox.Expand(argument));
        start.Environment[Terminal.StateFolderVariable] = _sandbox.PathOf("state");
        using Process process = Process.Start(start)!; // A process is started anew, so there is one.
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new ProgramRun(process.ExitCode, await output, await error);
    }
}
