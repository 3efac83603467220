using System.IO.Pipelines;
using System.Text;

namespace SyncEngine.Cli.Tests;

/// <summary>A hub that the program runs, in process, on ports of its own.</summary>
internal sealed class RunningHub : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Pipe _output = new();
    private readonly Sandbox _sandbox;
    private readonly Terminal _terminal;
    private readonly Task<int> _running;

    private RunningHub(Sandbox sandbox)
    {
        _sandbox = sandbox;
        _terminal = new Terminal(Stream.Null, _output.Writer.AsStream(), Stream.Null);
        _running = Task.Run(() => CommandLine.RunAsync(
            ["hub", "--urls", "http://127.0.0.1:0", "--admin-url", "http://127.0.0.1:0", "--data", sandbox.PathOf("hub")],
            _terminal, _stopping.Token));
    }

    /// <summary>Where devices reach it.</summary>
    public Uri Devices { get; private set; } = null!;

    public string Admin { get; private set; } = "";

    public string KeyFile => _sandbox.PathOf("admin-key");

    public static async Task<RunningHub> StartAsync(Sandbox sandbox)
    {
        var hub = new RunningHub(sandbox);
        using var reader = new StreamReader(hub._output.Reader.AsStream(leaveOpen: true), Encoding.UTF8);
        for (string line = ""; line != "Next:";)
        {
            line = await reader.ReadLineAsync().WaitAsync(_patience) ?? throw new InvalidOperationException("No hub.");
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["devices", var address, ..]) hub.Devices = new Uri(address);
            if (words is ["admin", var admin]) hub.Admin = admin[..^"/admin".Length];
            if (words is ["key", var key]) await File.WriteAllTextAsync(hub.KeyFile, key + "\n");
        }

        return hub;
    }

    /// <summary>A command, with where the hub is and its key.</summary>
    public string[] Command(params string[] words) => [.. words, "--hub", Admin, "--key-file", KeyFile];

    /// <summary>Runs a command at the hub and expects success.</summary>
    public Task<string> DoAsync(params string[] words) => _sandbox.DoAsync(Command(words));

    /// <summary>Runs a command at the hub and expects a failure in one clear line.</summary>
    public Task<string> FailAsync(int code, params string[] words) => _sandbox.FailAsync(code, Command(words));

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running.WaitAsync(_patience);
        _terminal.Dispose();
        _stopping.Dispose();
    }
}
