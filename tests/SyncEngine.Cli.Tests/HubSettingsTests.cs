using System.Diagnostics;
using Xunit;

namespace SyncEngine.Cli.Tests;

/// <summary>A hub whose settings name other addresses to listen at than its options do.</summary>
public sealed class HubSettingsTests : IDisposable
{
    private const string AnyUrl = "http://127.0.0.1:0";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private readonly Sandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Theory]
    [InlineData("""{"Kestrel":{"Endpoints":{"Open":{"Url":"http://127.0.0.1:0"}}}}""", null)]
    [InlineData(null, "Kestrel__Endpoints__Open__Url")]
    public async Task Addresses_in_the_settings_never_replace_those_of_the_options(string? settings, string? variable)
    {
        // They would replace the admin interface's too, which then would answer wherever the last of them leads.
        if (settings is not null) await File.WriteAllTextAsync(_sandbox.PathOf("appsettings.json"), settings);
        using Process hub = Start(variable);
        try
        {
            Task<string> error = hub.StandardError.ReadToEndAsync();
            Assert.Null(await hub.StandardOutput.ReadLineAsync().WaitAsync(_patience));
            await hub.WaitForExitAsync().WaitAsync(_patience);
            string said = await error;
            Assert.Equal(ExitCode.BadInput, hub.ExitCode);
            Assert.Contains("Kestrel:Endpoints", said, StringComparison.Ordinal);
            Assert.Contains("--urls", said, StringComparison.Ordinal);
            Assert.Equal(1, said.Count(static c => c == '\n'));
            Assert.False(Directory.Exists(_sandbox.PathOf("hub")));
        }
        finally
        {
            if (!hub.HasExited) hub.Kill();
        }
    }

    [Fact]
    public async Task Other_settings_of_the_server_are_taken()
    {
        await File.WriteAllTextAsync(_sandbox.PathOf("appsettings.json"),
            """{"Kestrel":{"EndpointDefaults":{"Protocols":"Http2"}}}""");
        using Process hub = Start(null);
        try
        {
            string? address = null;
            while (address is null)
            {
                string line = await hub.StandardOutput.ReadLineAsync().WaitAsync(_patience)
                    ?? throw new InvalidOperationException("It did not start: " + await hub.StandardError.ReadToEndAsync());
                string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (words is ["devices", _, "health", var health]) address = health;
            }

            using var http = new HttpClient
            {
                DefaultRequestVersion = System.Net.HttpVersion.Version20,
                DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            using HttpResponseMessage answer = await http.GetAsync(address).WaitAsync(_patience);
            Assert.Equal(System.Net.HttpVersion.Version20, answer.Version);
        }
        finally
        {
            hub.Kill();
        }
    }

    private Process Start(string? variable)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _sandbox.Folder,
            ArgumentList =
            {
                typeof(CommandLine).Assembly.Location, "hub", "--urls", AnyUrl, "--admin-url", AnyUrl, "--data",
                _sandbox.PathOf("hub"),
            },
        };
        start.Environment[Terminal.StateFolderVariable] = _sandbox.PathOf("state");
        if (variable is not null) start.Environment[variable] = AnyUrl;
        return Process.Start(start)!; // A process is started anew, so there is one.
    }
}
