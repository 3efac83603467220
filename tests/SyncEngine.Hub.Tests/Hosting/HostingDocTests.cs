using System.Runtime.CompilerServices;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using SyncEngine.Hosting;
using Xunit;

namespace SyncEngine.Hub.Tests.Hosting;

/// <summary>What README.md and docs/HOSTING.md show is the code between the marks below, and does what they say.</summary>
public sealed class HostingDocTests
{
    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/HOSTING.md")]
    public void The_sample_is_this_code(string file)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());

        // sample
        builder.Services.AddSyncStore(store => store.Path = "save.db")
            .ConnectToHub(new Uri("https://sync.example.com/sync"), "game");
        builder.Services.AddHealthChecks().AddSyncStore();
        // end
        using IHost host = builder.Build();
        SyncStoreSettings settings = host.Services.GetRequiredService<IOptions<SyncStoreSettings>>().Value;
        Assert.Equal(("save.db", "https://sync.example.com/sync", "game"),
            (settings.Path, settings.Hub!.Address!.AbsoluteUri, settings.Hub.Pool));
        Assert.Contains(Lines(Between(File.ReadAllText(ThisFile()), "        // sample\n", "        // end\n")),
            Lines(File.ReadAllText(Root(file))), StringComparison.Ordinal);
    }

    [Fact]
    public void The_settings_that_are_shown_are_settings()
    {
        string json = Between(File.ReadAllText(Root("docs/HOSTING.md")), "```json\n", "```");
        using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json));
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddJsonStream(stream).Build());
        services.AddSyncStore();
        services.AddSyncStore(store => (store.Path, store.IsInMemory) = (null, true));
        using ServiceProvider provider = services.BuildServiceProvider();
        SyncStoreSettings settings = provider.GetRequiredService<IOptions<SyncStoreSettings>>().Value;
        Assert.Equal("Kiosk 7", settings.Hub!.DeviceName);
        Assert.Equal(["save", "settings.*"], settings.Hub.Datasets!);
        Assert.Equal(1024, settings.Limits.RecordsMax);
        Assert.True(settings.IsInMemory);
    }

    private static string Between(string text, string begin, string end)
    {
        int from = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        return text[from..text.IndexOf(end, from, StringComparison.Ordinal)];
    }

    private static string Lines(string text) => string.Join('\n', text.Split('\n', StringSplitOptions.TrimEntries));

    private static string Root(string file) => Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../..", file);

    private static string ThisFile([CallerFilePath] string here = "") => here;
}
