using System.Reactive.Linq;
using System.Reactive.Threading.Tasks;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SyncEngine.Causality;
using SyncEngine.Hosting;
using SyncEngine.Hubs;
using SyncEngine.LiteDB;
using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.Hub.Tests.Hosting;

/// <summary>Stores in apps with dependency injection, with a real host, a real hub and real files.</summary>
public sealed class HostedStoreTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("syncengine-hosting-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_host_opens_before_its_services_start_syncs_and_closes_after_they_stopped_with_nothing_lost()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        using var logs = new CollectedLogs();
        string path = Path.Combine(_folder, "deep", "save.db");
        HostApplicationBuilder builder = Builder(logs, new()
        {
            ["SyncStore:Path"] = path, ["SyncStore:Storage:LocalStateFolder"] = _folder,
            ["SyncStore:Hub:Address"] = new Uri(hub.Address, "/sync").AbsoluteUri, ["SyncStore:Hub:Pool"] = "game",
            ["SyncStore:Limits:RecordsMax"] = "3", ["SyncStore:Hub:Datasets:0"] = "save",
        });
        builder.Services.AddHostedService<Player>();   // Before the store: it starts after it all the same, and stops before.
        builder.Services.AddSyncStore();
        builder.Services.AddHealthChecks().AddSyncStore(tags: ["ready"]);
        using (IHost host = builder.Build())
        {
            await host.StartAsync();
            var store = host.Services.GetRequiredService<SyncStore>();
            Assert.Same(store, host.Services.GetRequiredService<HostedSyncStore>().Store);
            Assert.Same(host.Services.GetRequiredService<HostedSyncStore>().Hub, host.Services.GetRequiredService<HubClient>());
            await Live(store);
            Assert.Equal(1, store.Identity.Dataset("save").Get<int>("starts"));
            HealthReport health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
            Assert.Equal((HealthStatus.Healthy, "Live"),
                (health.Status, Assert.Single(health.Entries).Value.Data["sync"]));
            store.Identity.Dataset("save")["a"] = 1;
            SyncException full = Assert.Throws<SyncException>(() => store.Identity.Dataset("save")["b"] = store.Identity
                .Dataset("save")["c"] = 2);
            Assert.Equal(SyncErrorCode.LimitExceeded, full.Code);
            await logs.Until(lines => lines.Any(line => line.Text.Contains("is in sync with", StringComparison.Ordinal)));
            await host.StopAsync();
            await Assert.ThrowsAsync<ObjectDisposedException>(
                async () => await host.Services.GetRequiredService<HostedSyncStore>().OpenAsync());
        }

        Assert.Equal(int.MaxValue, SyncEngine.Datasets.DatasetLimits.Unlimited.RecordsMax);
        Assert.Contains(logs.Lines, static line => line.Text == "Store '' is closed; everything is durable.");
        Assert.DoesNotContain(logs.Lines, static line => line.Level >= LogLevel.Warning);
        await using SyncStore reopened = await LiteDbSyncStore.OpenAsync(
            path, storageOptions: new LiteDbStorageOptions { LocalStateFolder = _folder });
        Assert.Equal("bye", reopened.Identity.Dataset("save")["starts"]);
    }

    [Fact]
    public async Task Without_a_host_or_a_configuration_a_user_interface_may_ask_for_the_store_and_wait()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        string path = Path.Combine(_folder, "save.db");
        Assert.True(OneThread.TryRun(async () =>
        {
            var services = new ServiceCollection();
            services.AddSyncStore(AtPath(path)).ConnectToHub(new Uri(hub.Address, "/sync"), "game", static hub =>
                hub.DeviceName = "Ann's phone");
            ServiceProvider provider = services.BuildServiceProvider();
            var store = provider.GetRequiredService<SyncStore>();
            store.Identity.Dataset("save")["player"] = "Ann";
            var client = provider.GetRequiredService<HubClient>();
            await Live(store);
            Assert.Equal("Ann's phone", Assert.Single(await client.GetDevicesAsync()).Name);
            store.Identity.Dataset("save")["level"] = 7;
            provider.Dispose();
        }));
        var again = new ServiceCollection();
        again.AddSyncStore(AtPath(path));
        await using ServiceProvider later = again.BuildServiceProvider();
        SyncStore reopened = await later.GetRequiredService<HostedSyncStore>().OpenAsync();
        Assert.Equal(7, reopened.Identity.Dataset("save").Get<int>("level"));
        InvalidOperationException alone = Assert.Throws<InvalidOperationException>(
            () => later.GetRequiredService<HubClient>());
        Assert.Contains("SyncStore:Hub:Address", alone.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Several_stores_are_keyed_services_with_sections_of_their_own()
    {
        HostApplicationBuilder builder = Builder(null, new()
        {
            ["SyncStores:shared:Path"] = Path.Combine(_folder, "shared.db"), ["SyncStore:ChangeQueueMax"] = "7",
        });
        builder.Services.AddSyncStore("shared", store => store.Storage.LocalStateFolder = _folder);
        builder.Services.AddSyncStore("mine", static store => store.IsInMemory = true);
        builder.Services.AddSyncStore("mine").Configure(static store => store.Limits = new() { RecordsMax = 1 });
        builder.Services.AddHealthChecks().AddSyncStore("shared");
        using IHost host = builder.Build();
        await host.StartAsync();
        var shared = host.Services.GetRequiredKeyedService<SyncStore>("shared");
        var mine = host.Services.GetRequiredKeyedService<SyncStore>("mine");
        Assert.NotSame(shared, mine);
        Assert.Null(host.Services.GetService<SyncStore>());
        await shared.Identity.Dataset("save").PutAsync("a", 1);
        Assert.True(File.Exists(Path.Combine(_folder, "shared.db")));
        mine.Identity.Dataset("save")["a"] = 1;
        Assert.Throws<SyncException>(() => mine.Identity.Dataset("save")["b"] = 1);
        HealthReport health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        Assert.Equal("sync-store:shared", Assert.Single(health.Entries).Key);
        Assert.Equal(2, host.Services.GetServices<IHostedService>().Count(
            static service => service.GetType().Assembly == typeof(HostedSyncStore).Assembly));
        await host.StopAsync();
    }

    [Fact]
    public async Task A_file_in_use_fails_the_start_with_its_reason_and_may_be_tried_again()
    {
        string path = Path.Combine(_folder, "save.db");
        SyncStore other = await LiteDbSyncStore.OpenAsync(
            path, storageOptions: new LiteDbStorageOptions { LocalStateFolder = _folder });
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSyncStore(AtPath(path));
        services.AddHealthChecks().AddSyncStore(failureStatus: HealthStatus.Degraded);
        await using ServiceProvider provider = services.BuildServiceProvider();
        var hosted = provider.GetRequiredService<HostedSyncStore>();
        SyncException inUse = await Assert.ThrowsAsync<SyncException>(async () => await hosted.OpenAsync());
        Assert.Equal(SyncErrorCode.FileInUse, inUse.Code);
        var health = provider.GetRequiredService<HealthCheckService>();
        HealthReportEntry entry = Assert.Single((await health.CheckHealthAsync()).Entries).Value;
        Assert.Equal(HealthStatus.Degraded, entry.Status);
        Assert.Contains(inUse.Message, entry.Description, StringComparison.Ordinal);
        await other.DisposeAsync();
        await hosted.OpenAsync();
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync()).Status);
        await hosted.DisposeAsync();
        Assert.Equal(HealthStatus.Degraded, (await health.CheckHealthAsync()).Status);
    }

    [Fact]
    public async Task A_link_that_fails_is_logged_once_and_so_is_what_an_observer_throws()
    {
        using var logs = new CollectedLogs();
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync("""{"name":"closed","allowsGuests":false}""");
        HostApplicationBuilder builder = Builder(logs, []);
        builder.Services.AddSyncStore(static store => store.IsInMemory = true)
            .ConnectToHub(new Uri(hub.Address, "/sync"), "closed");
        builder.Services.AddHealthChecks().AddSyncStore();
        using IHost host = builder.Build();
        await host.StartAsync();
        var client = host.Services.GetRequiredService<HubClient>();
        await logs.Until(static lines => lines.Any(
            static line => line.Text.Contains("needs a person", StringComparison.Ordinal)));
        var store = host.Services.GetRequiredService<SyncStore>();
        Task again = store.Status.Select(static status => status.Sync.State)
            .SkipWhile(static state => state != SyncState.Connecting)
            .FirstAsync(static state => state == SyncState.NeedsAuth).ToTask();
        client.Link.RetryNow();
        await again.WaitAsync(_patience);
        HealthReport health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        Assert.Equal(HealthStatus.Degraded, health.Status);
        store.Identity.Dataset("save").Changes.Subscribe(static _ => throw new InvalidOperationException("by the test"));
        store.Identity.Dataset("save")["a"] = 1;
        await logs.Until(static lines => lines.Any(static line => line.Level == LogLevel.Error));
        await host.StopAsync();
        Assert.Single(logs.Lines, static line => line.Level == LogLevel.Warning);
        Assert.Single(logs.Lines, static line => line.Level == LogLevel.Error);
    }

    [Fact]
    public async Task What_runs_when_the_store_is_opened_may_use_services_and_is_disposed_before_it()
    {
        var order = new List<string>();
        var services = new ServiceCollection();
        services.AddSingleton<Reader>();
        services.AddSyncStore(static store => store.IsInMemory = true).WhenOpened((provider, store) =>
        {
            order.Add(provider.GetRequiredService<Reader>().Store == store ? "opened" : "another");
            return new Told(() => order.Add($"closed, {store.Identity.Dataset("save").Get<int>("a")}"));
        });
        // Not disposed where it hangs: that would wait for ever.
        ServiceProvider provider = services.BuildServiceProvider();
        var hosted = provider.GetRequiredService<HostedSyncStore>();
        SyncStore store = await Task.Run(async () => await hosted.OpenAsync()).WaitAsync(_patience);
        store.Identity.Dataset("save")["a"] = 3;
        await provider.DisposeAsync();
        Assert.Equal(["opened", "closed, 3"], order);
    }

    private static HostApplicationBuilder Builder(CollectedLogs? logs, Dictionary<string, string?> configuration)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(configuration);
        builder.Logging.SetMinimumLevel(LogLevel.Trace);
        if (logs is not null) builder.Logging.AddProvider(logs);
        return builder;
    }

    private static async Task Live(SyncStore store) => await store.Status
        .FirstAsync(static status => status.Sync.State == SyncState.Live).ToTask().WaitAsync(_patience);

    private Action<SyncStoreSettings> AtPath(string path) => store =>
    {
        store.Path = path;
        store.Storage.LocalStateFolder = _folder;
    };

    private sealed class Player(IServiceProvider services) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            services.GetRequiredService<SyncStore>().Identity.Dataset("save")["starts"] = 1;
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            services.GetRequiredService<SyncStore>().Identity.Dataset("save")["starts"] = "bye";
            return Task.CompletedTask;
        }
    }

    private sealed class Reader(SyncStore store)
    {
        public SyncStore Store => store;
    }

    private sealed class Told(Action told) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            told();
            return default;
        }
    }
}
