using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SyncEngine.Causality;
using SyncEngine.Hosting;
using SyncEngine.LiteDB;
using Xunit;

namespace SyncEngine.Hub.Tests.Hosting;

/// <summary>What an app hears when its disk is full, while it runs and when it stops.</summary>
public sealed class FullDiskTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("syncengine-hosting-").FullName;
    private readonly FailingStorage.Disk _disk = new();
    private readonly CollectedLogs _logs = new();

    public void Dispose()
    {
        _logs.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task It_is_logged_and_unhealthy_until_the_disk_has_room_again()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        Add(builder.Services);
        builder.Services.AddHealthChecks().AddSyncStore();
        using IHost host = builder.Build();
        await host.StartAsync();
        var store = host.Services.GetRequiredService<SyncStore>();
        var health = host.Services.GetRequiredService<HealthCheckService>();
        await store.Identity.Dataset("save").PutAsync("a", 1);
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync()).Status);

        _disk.IsFull = true;
        SyncException full = await Assert.ThrowsAsync<SyncException>(
            async () => await store.Identity.Dataset("save").PutAsync("a", 2));
        Assert.Equal(SyncErrorCode.StorageFull, full.Code);
        await _logs.Until(static lines => lines.Any(static line => line.Level == LogLevel.Error));
        HealthReportEntry entry = Assert.Single((await health.CheckHealthAsync()).Entries).Value;
        Assert.Equal(HealthStatus.Unhealthy, entry.Status);
        Assert.Contains("The disk of the test is full", entry.Description, StringComparison.Ordinal);

        _disk.IsFull = false;
        await _logs.Until(static lines => lines.Any(
            static line => line.Text == "Store '' makes changes durable again."));
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync()).Status);
        await host.StopAsync();
        Assert.Single(_logs.Lines, static line => line.Level >= LogLevel.Warning);
        await using SyncStore reopened = await LiteDbSyncStore.OpenAsync(
            Path.Combine(_folder, "save.db"), storageOptions: new LiteDbStorageOptions { LocalStateFolder = _folder });
        Assert.Equal(2, reopened.Identity.Dataset("save").Get<int>("a"));
    }

    [Fact]
    public async Task A_host_that_stops_says_that_changes_are_lost()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        Add(builder.Services);
        using IHost host = builder.Build();
        await host.StartAsync();
        _disk.IsFull = true;
        host.Services.GetRequiredService<SyncStore>().Identity.Dataset("save")["a"] = 1;
        SyncException lost = await Assert.ThrowsAsync<SyncException>(() => host.StopAsync());
        Assert.Equal(SyncErrorCode.StorageFull, lost.Code);
        AssertLost();
    }

    [Fact]
    public async Task So_does_a_service_provider_without_a_host()
    {
        var services = new ServiceCollection();
        Add(services);
        ServiceProvider provider = services.BuildServiceProvider();
        var hosted = provider.GetRequiredService<HostedSyncStore>();
        var store = provider.GetRequiredService<SyncStore>();
        _disk.IsFull = true;
        store.Identity.Dataset("save")["a"] = 1;
        await Assert.ThrowsAnyAsync<Exception>(async () => await provider.DisposeAsync());
        await hosted.DisposeAsync();
        AssertLost();
    }

    [Theory]
    [InlineData("SyncStore:Path", "save.db")]
    [InlineData("SyncStore:IsInMemory", "true")]
    public async Task A_store_is_in_one_place(string key, string value)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection([new(key, value)]).Build());
        Add(services);
        await using ServiceProvider provider = services.BuildServiceProvider();
        Exception wrong = await Assert.ThrowsAnyAsync<Exception>(
            async () => await provider.GetRequiredService<HostedSyncStore>().OpenAsync());
        Assert.Contains("give one of Path, IsInMemory and OpenStorage", wrong.Message, StringComparison.Ordinal);
    }

    private void Add(IServiceCollection services)
    {
        services.AddLogging(logging => logging.AddProvider(_logs));
        services.AddSyncStore(store => store.OpenStorage = () => new FailingStorage(
            Path.Combine(_folder, "save.db"), new LiteDbStorageOptions { LocalStateFolder = _folder }, _disk));
    }

    private void AssertLost()
    {
        Assert.Contains(_logs.Lines, static line => line.Level == LogLevel.Critical);
        Assert.DoesNotContain(_logs.Lines, static line => line.Text.Contains("everything is durable", StringComparison.Ordinal));
    }
}
