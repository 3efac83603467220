using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace SyncEngine.Cli.Tests;

/// <summary>Two processes on the loopback, and files through a folder.</summary>
public sealed partial class LanTests : IDisposable
{
    private readonly Sandbox _sandbox = new();
    private readonly List<Process> _processes = [];

    private static CancellationToken Soon => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    public void Dispose()
    {
        foreach (Process process in _processes)
        {
            if (!process.HasExited) process.Kill();
            process.WaitForExit(10_000);
            process.Dispose();
        }

        _sandbox.Dispose();
    }

    [Fact]
    public async Task Serve_and_connect_bring_two_files_to_the_same_and_survive_a_kill()
    {
        await _sandbox.DoAsync("put", "a.db", "save", "player", "\"Ann\"");
        await _sandbox.DoAsync("put", "b.db", "save", "level", "3");
        (Process server, string port, string code) = await ServeAsync("a.db", "127.0.0.1:0", null);
        string said = await _sandbox.DoAsync("connect", "b.db", $"127.0.0.1:{port}", "--code", code.ToLowerInvariant(), "--once");
        Assert.Contains("it now shares the identity", said, StringComparison.Ordinal);
        Assert.Contains("1 change came, 1 change went", said, StringComparison.Ordinal);
        Assert.Equal("\"Ann\"\n", await _sandbox.DoAsync("get", "b.db", "save", "player"));
        server.Kill();
        await server.WaitForExitAsync(Soon);
        Assert.Equal("3\n", await _sandbox.DoAsync("get", "a.db", "save", "level"));

        // Again, on the same port and code, live, killed in the middle, and found again.
        (server, _, _) = await ServeAsync("a.db", "127.0.0.1:" + port, code);
        Process client = Start("connect", "b.db", $"127.0.0.1:{port}", "--code", code);
        await ReadUntilAsync(client, "live: ");
        server.Kill();
        await ReadUntilAsync(client, "not connected: ");
        await server.WaitForExitAsync(Soon);
        await _sandbox.DoAsync("put", "a.db", "save", "more", "1");
        await ServeAsync("a.db", "127.0.0.1:" + port, code);
        await ReadUntilAsync(client, "live: ");
        client.Kill();
        await client.WaitForExitAsync(Soon);
        Assert.Equal("1\n", await _sandbox.DoAsync("get", "b.db", "save", "more"));
    }

    [Fact]
    public async Task A_wrong_code_is_told_to_both_sides()
    {
        await _sandbox.DoAsync("put", "a.db", "save", "player", "\"Ann\"");
        (Process server, string port, _) = await ServeAsync("a.db", "127.0.0.1:0", null);
        string error = await _sandbox.FailAsync(
            3, "connect", "b.db", $"127.0.0.1:{port}", "--code", "00000-00000-00000-00000", "--once");
        Assert.Contains("do not have the same shared secret", error, StringComparison.Ordinal);
        await ReadUntilAsync(server, "refused or lost: The two sides do not have the same shared secret");
        await _sandbox.FailAsync(2, "connect", "b.db", "nowhere", "--code", "00000-00000-00000-00000");
        await _sandbox.FailAsync(2, "connect", "b.db", $"127.0.0.1:{port}", "--code", "123");
        await _sandbox.FailAsync(3, "connect", "b.db", "127.0.0.1:1", "--code", "00000-00000-00000-00000", "--once");
        Assert.Contains("open", await _sandbox.FailAsync(3, "status", "a.db"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_sync_through_a_folder_once_and_live()
    {
        string folder = _sandbox.PathOf("cloud.folder");
        Directory.CreateDirectory(folder);
        await _sandbox.DoAsync("put", "a.db", "save", "player", "\"Ann\"");
        await _sandbox.DoAsync("sync", "a.db", "--folder", folder);
        Process watching = Start("sync", "b.db", "--folder", folder, "--watch", "--adopt");
        await ReadUntilAsync(watching, "in sync: ");
        await _sandbox.DoAsync("put", "a.db", "save", "level", "3");
        await _sandbox.DoAsync("sync", "a.db", "--folder", folder);
        await ReadUntilAsync(watching, "in sync: 1 changes came");
        watching.Kill();
        await watching.WaitForExitAsync(Soon);
        Assert.Equal("3\n", await _sandbox.DoAsync("get", "b.db", "save", "level"));
        Assert.Equal("\"Ann\"\n", await _sandbox.DoAsync("get", "b.db", "save", "player"));
        await _sandbox.FailAsync(2, "sync", "a.db");
        await _sandbox.FailAsync(2, "sync", "a.db", "b.db", "--folder", folder);
        await _sandbox.FailAsync(3, "sync", "a.db", "--folder", _sandbox.PathOf("missing.folder"));
    }

    [Fact]
    public async Task Status_tells_whose_a_file_is_and_what_it_holds()
    {
        await _sandbox.DoAsync("put", "a.db", "save", "player", "\"Ann\"");
        string said = await _sandbox.DoAsync("status", "a.db");
        Assert.Contains("a guest that never synced", said, StringComparison.Ordinal);
        Assert.Contains("1 datasets, 1 records, 0 conflicts", said, StringComparison.Ordinal);
        Assert.Contains("\"records\":1", await _sandbox.DoAsync("status", "a.db", "--json"), StringComparison.Ordinal);
    }

    private async Task<(Process Server, string Port, string Code)> ServeAsync(string file, string listen, string? code)
    {
        string[] rest = code is null ? [] : ["--code", code];
        Process server = Start(["serve", file, "--listen", listen, .. rest]);
        Match match = Invitation().Match(await ReadUntilAsync(server, "syncengine connect FILE "));
        return (server, match.Groups[1].Value, match.Groups[2].Value);
    }

    [GeneratedRegex(@":(\d+) --code ([0-9A-Z-]{23})$")]
    private static partial Regex Invitation();

    private static async Task<string> ReadUntilAsync(Process process, string words)
    {
        while (await process.StandardOutput.ReadLineAsync(Soon) is { } line)
            if (line.Contains(words, StringComparison.Ordinal)) return line;
        string error = await process.StandardError.ReadToEndAsync(Soon);
        throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"\"{words}\" never came: {error}"));
    }

    private Process Start(params string[] arguments)
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
        Process process = Process.Start(start)!; // A process is started anew, so there is one.
        _processes.Add(process);
        return process;
    }
}
