using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace SyncEngine.Cli.Tests;

/// <summary>A hub that cannot start says why in a sentence, and loses nothing.</summary>
public sealed class HubCommandTests
{
    private const string AnyUrl = "http://127.0.0.1:0";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("foo", AnyUrl, "foo is no address to listen at. Use such as --urls http://127.0.0.1:7117;")]
    [InlineData("", AnyUrl, "--urls names no address.")]
    [InlineData("http://127.0.0.1:99999", AnyUrl, "is no address to listen at.")]
    [InlineData("http://127.0.0.1:0/base", AnyUrl, "is no address to listen at.")]
    [InlineData("ftp://127.0.0.1:0", AnyUrl, "is no address to listen at.")]
    [InlineData("http://127.0.0.1x:0", AnyUrl, "0.0.0.0 or [::] in it means every address of this machine.")]
    [InlineData(AnyUrl, "http://[", "Use such as --admin-url http://127.0.0.1:7118;")]
    [InlineData("http://127.0.0.1:7531", "http://127.0.0.2:7531", "give it a port of its own.")]
    public async Task Wrong_addresses_are_named(string urls, string adminUrl, string said)
    {
        using var sandbox = new Sandbox();
        string error = await sandbox.FailAsync(
            ExitCode.BadInput, "hub", "--urls", urls, "--admin-url", adminUrl, "--data", sandbox.PathOf("hub"))
            .WaitAsync(_patience);
        Assert.Contains(said, error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(sandbox.PathOf("hub")));
    }

    [Fact]
    public async Task An_admin_key_is_made_only_once_it_can_be_shown()
    {
        using var sandbox = new Sandbox();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        string port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        string error = await sandbox.FailAsync(ExitCode.OperationFailed,
            "hub", "--urls", "http://127.0.0.1:" + port, "--admin-url", AnyUrl, "--data", sandbox.PathOf("hub"))
            .WaitAsync(_patience);
        Assert.Contains("Choose other addresses", error, StringComparison.Ordinal);
        await using RunningHub hub = await RunningHub.StartAsync(sandbox);
        Assert.StartsWith("sya1_", await File.ReadAllTextAsync(hub.KeyFile), StringComparison.Ordinal);
        await hub.DoAsync("pool", "list");
    }

    [Fact]
    public async Task A_load_of_less_than_nothing_is_refused()
    {
        using var sandbox = new Sandbox();
        Assert.Contains("--idle takes 0 or more.", await sandbox.FailAsync(ExitCode.BadInput, "load", "--idle", "-1")
            .WaitAsync(_patience), StringComparison.Ordinal);
    }
}
