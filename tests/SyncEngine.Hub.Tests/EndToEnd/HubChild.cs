using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace SyncEngine.Hub.Tests.EndToEnd;

/// <summary>A hub in a process of its own.</summary>
internal sealed class HubChild(Process process, Task<string> said) : IDisposable
{
    public const string Pool = "game";
    private const string Key = "admin-key-of-the-tests-0123456789";
    private bool _isDisposed;

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public static async Task<HubChild> StartAsync(string folder, int port, int admin, CancellationToken cancellationToken)
    {
        string program = Path.GetFullPath(Path.Combine(
            AppContext.BaseDirectory, "..", "..", "SyncEngine.Cli",
            Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/', '\\')), "SyncEngine.Cli.dll"));
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            ArgumentList =
            {
                program, "hub", "--urls", $"http://127.0.0.1:{port}", "--admin-url", $"http://127.0.0.1:{admin}", "--data",
                folder,
            },
        };
        start.Environment["SyncHub__AdminKey"] = Key;
        start.Environment["SyncHub__RatePerAddress__Burst"] = "0";
        Process process = Process.Start(start)!;
        string said = "";
        while (!said.Contains("Next:", StringComparison.Ordinal))
        {
            string line = await process.StandardOutput.ReadLineAsync(cancellationToken)
                ?? throw new InvalidOperationException("The hub did not start: " + said);
            said += line + "\n";
        }

        return new HubChild(process, process.StandardOutput.ReadToEndAsync(CancellationToken.None));
    }

    public static async Task CreatePoolAsync(int admin, CancellationToken cancellationToken)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        using var body = new StringContent(
            $$"""{"name":"{{Pool}}","allowsGuests":true}""", Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await http.PostAsync($"http://127.0.0.1:{admin}/admin/pools", body,
            cancellationToken);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
    }

    /// <summary>Tells it to stop, as a service manager does, and waits until it has.</summary>
    /// <returns>Its exit code and what it said last.</returns>
    public async Task<(int ExitCode, string Said)> StopAsync(CancellationToken cancellationToken)
    {
        using Process kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, await said);
    }

    /// <summary>Kills it, if it still runs, as a power cut would.</summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        if (!process.HasExited) process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}
