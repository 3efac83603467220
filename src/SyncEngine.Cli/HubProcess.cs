using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using SyncEngine.Cli.Cognito;

namespace SyncEngine.Cli;

/// <summary>A hub of its own, in another process and a folder that goes with it, for measuring.</summary>
internal sealed class HubProcess : IAsyncDisposable
{
    /// <summary>The pool that is made for it.</summary>
    public const string PoolName = "load";

    /// <summary>The region that old clients sign for.</summary>
    public const string Region = "us-east-1";

    private static readonly TimeSpan _startMax = TimeSpan.FromSeconds(30);
    private readonly Process _process;
    private readonly string _folder;

    private readonly bool _ownsFolder;

    private HubProcess(Process process, string folder, bool ownsFolder, Uri hub, Uri cognito, TimeSpan startTime) =>
        (_process, _folder, _ownsFolder, Hub, Cognito, StartTime) = (process, folder, ownsFolder, hub, cognito, startTime);

    /// <summary>How long it took from the start of the process until its health was told.</summary>
    public TimeSpan StartTime { get; }

    /// <summary>What old clients' developers sign with; made for this run.</summary>
    public static CognitoKeys DeveloperKeys { get; } =
        new("AKID" + RandomNumberGenerator.GetHexString(16), RandomNumberGenerator.GetHexString(40));

    public Uri Hub { get; }

    /// <summary>Where old clients reach it.</summary>
    public Uri Cognito { get; }

    /// <summary>Memory that the hub's process holds now, in bytes.</summary>
    public long MemoryBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Starts a hub with a folder and a pool of its own.</summary>
    public static Task<HubProcess> StartAsync(CancellationToken cancellationToken) =>
        StartAsync(Directory.CreateTempSubdirectory("syncengine-load").FullName, ownsFolder: true, cancellationToken);

    /// <summary>Starts a hub on a folder that has its pool already.</summary>
    public static Task<HubProcess> StartAsync(string folder, CancellationToken cancellationToken) =>
        StartAsync(folder, ownsFolder: false, cancellationToken);

    private static async Task<HubProcess> StartAsync(string folder, bool ownsFolder, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true, RedirectStandardInput = true,
            ArgumentList =
            {
                "hub", "--urls", "http://127.0.0.1:0", "--admin-url", "http://127.0.0.1:0", "--data", folder,
                "--cognito", "--cognito-urls", "http://127.0.0.1:0",
            },
        };
        foreach (string rate in (string[])["RatePerAddress", "RatePerPool", "AdminRatePerAddress"])
            start.Environment[$"SyncHub__{rate}__Burst"] = "0";
        start.Environment["SyncHub__Cognito__DeveloperKeys__0__AccessKeyId"] = DeveloperKeys.AccessKeyId;
        start.Environment["SyncHub__Cognito__DeveloperKeys__0__SecretAccessKey"] = DeveloperKeys.Secret;
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Insert(0, typeof(HubProcess).Assembly.Location);
        long begun = Stopwatch.GetTimestamp();
        Process process = Process.Start(start)!;
        try
        {
            (Uri hub, string admin, string? key, Uri cognito) = await ReadAsync(process, cancellationToken).WaitAsync(_startMax,
                cancellationToken);
            using (var http = new HttpClient())
                (await http.GetAsync(new Uri(hub, "/health"), cancellationToken)).EnsureSuccessStatusCode();
            TimeSpan startTime = Stopwatch.GetElapsedTime(begun);
            if (ownsFolder)
            {
                using var client = new AdminClient(admin, key!);
                await client.SendAsync(HttpMethod.Post, "/pools",
                    new JsonObject { ["name"] = PoolName, ["allowsGuests"] = true }, null, cancellationToken);
            }

            return new HubProcess(process, folder, ownsFolder, hub, cognito, startTime);
        }
        catch
        {
            process.Kill();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        if (_ownsFolder) Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Its addresses, and the admin key where it was made just now.</summary>
    private static async Task<(Uri Hub, string Admin, string? Key, Uri Cognito)> ReadAsync(
        Process process, CancellationToken cancellationToken)
    {
        (string? hub, string? admin, string? key, string? cognito) = (null, null, null, null);
        while (true)
        {
            string line = await process.StandardOutput.ReadLineAsync(cancellationToken)
                ?? throw new CommandFailure(ExitCode.OperationFailed, "The hub to measure did not start.");
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["devices", var address, ..]) hub = address;
            if (words is ["admin", var adminAddress]) admin = adminAddress[..^"/admin".Length];
            if (words is ["cognito", var cognitoAddress]) cognito = cognitoAddress;
            if (words is ["key", var shown]) key = shown;
            if (words is ["Next:"]) return (new Uri(hub!), admin!, key, new Uri(cognito!));
        }
    }
}
