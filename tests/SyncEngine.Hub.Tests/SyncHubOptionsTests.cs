using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Syncing;
using SyncEngine.Hub.Tests.Endpoints;
using SyncEngine.Identities;
using Xunit;

namespace SyncEngine.Hub.Tests;

public sealed class SyncHubOptionsTests
{
    [Fact]
    public void Defaults_are_sound() => Assert.True(new SyncHubOptionsCheck().Validate(null, new SyncHubOptions()).Succeeded);

    [Fact]
    public void Every_fault_is_named()
    {
        ValidateOptionsResult result = new SyncHubOptionsCheck().Validate(null, new SyncHubOptions
        {
            DataFolder = " ", Issuer = "http://hub.example.org", Audience = "", AdminPort = 70_000, AdminKey = "short",
            RatePerAddress = new RequestRate { Burst = -1 }, RatePerPool = new RequestRate { Burst = 1, PerSecond = double.NaN },
            AdminRatePerAddress = null!, BodyBytesPerSecondMin = 0, BodyGrace = TimeSpan.FromSeconds(1),
        });
        foreach (string option in (string[])["DataFolder", "Issuer", "Audience", "AdminPort", "AdminKey", "RatePerAddress:Burst",
            "RatePerPool:PerSecond", "AdminRatePerAddress:Burst", "BodyBytesPerSecondMin", "BodyGrace"])
            Assert.Contains(result.Failures!, failure => failure.StartsWith($"SyncHub:{option} ", StringComparison.Ordinal));
        Assert.Equal(10, result.Failures!.Count());
        Assert.DoesNotContain("short", result.FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_bound_is_checked_by_the_name_that_the_configuration_has()
    {
        var options = new SyncHubOptions
        {
            Memory = new() { IdleIdentitiesMax = -1, IdleTime = TimeSpan.FromDays(2), FrameBytesMax = 1, TransferBytesMax = 0 },
            DeletesKept = TimeSpan.FromHours(23),
            Feed = new() { EntriesMax = 0, Age = TimeSpan.Zero, WaitingMax = 0 },
            Webhooks = new()
            {
                Timeout = TimeSpan.Zero, ChangesPerPayloadMax = 1001, GiveUpAfter = TimeSpan.FromDays(31),
                SecretOverlap = -TimeSpan.FromSeconds(1), HooksPerPoolMax = 0,
            },
            DevicePush = new() { Window = TimeSpan.FromDays(1), AttemptsMax = 0, ConcurrencyMax = 0, WaitingMax = 0 },
            Events = new() { StreamsPerDeviceMax = 0, Heartbeat = TimeSpan.Zero, ResumeEntriesMax = -1 },
            Hooks = new() { TimeLimit = TimeSpan.Zero },
        };
        ValidateOptionsResult result = new SyncHubOptionsCheck().Validate(null, options);
        string[] bounds = ["Memory:IdleIdentitiesMax", "Memory:IdleTime", "Memory:FrameBytesMax", "Memory:TransferBytesMax",
            "DeletesKept", "Feed:EntriesMax", "Feed:Age", "Feed:WaitingMax", "Webhooks:Timeout",
            "Webhooks:ChangesPerPayloadMax", "Webhooks:GiveUpAfter", "Webhooks:SecretOverlap", "Webhooks:HooksPerPoolMax",
            "DevicePush:Window",
            "DevicePush:AttemptsMax", "DevicePush:ConcurrencyMax", "DevicePush:WaitingMax", "Events:StreamsPerDeviceMax",
            "Events:Heartbeat", "Events:ResumeEntriesMax", "Hooks:TimeLimit"];
        Assert.Equal(bounds.Select(static option => $"SyncHub:{option} is"),
            result.Failures!.Select(static failure => string.Join(' ', failure.Split(' ').Take(2))));
    }

    [Fact]
    public async Task The_configuration_sets_bounds_of_memory_feeds_webhooks_push_and_events()
    {
        await using HubApp hub = await HubApp.StartAsync(static services => services.AddSingleton<IConfiguration>(
            new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["SyncHub:Memory:IdleIdentitiesMax"] = "7", ["SyncHub:Feed:EntriesMax"] = "1000",
                ["SyncHub:Feed:Age"] = "1.00:00",
                ["SyncHub:Webhooks:AllowsHttp"] = "true", ["SyncHub:DevicePush:Window"] = "00:00:09",
                ["SyncHub:Events:StreamsPerDeviceMax"] = "2",
            }).Build()));
        SyncHubOptions options = hub.Services.GetRequiredService<IOptions<SyncHubOptions>>().Value;
        Assert.Equal((7, 1000L, TimeSpan.FromDays(1), true, TimeSpan.FromSeconds(9), 2), (options.Memory.IdleIdentitiesMax,
            options.Feed.EntriesMax, options.Feed.Age, options.Webhooks.AllowsHttp, options.DevicePush.Window,
            options.Events.StreamsPerDeviceMax));
    }

    [Fact]
    public async Task Idle_identities_are_kept_up_to_the_configured_number()
    {
        await using HubApp hub = await HubApp.StartAsync(options: static hub => hub.Memory.IdleIdentitiesMax = 3);
        for (ulong i = 1; i <= 10; i++)
        {
            using IdentityLease lease = await hub.Store.LeaseAsync("game", new IdentityId(1, i));
            lease.Identity.OpenForJoin("save").Write(static save => save["x"] = 1);
        }

        // The hub's own sweep may be at it.
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        for (; hub.Store.OpenedCount > 3; await Task.Delay(1, soon.Token)) await hub.Store.SweepAsync();
        Assert.Equal(3, hub.Store.OpenedCount);
    }

    [Fact]
    public async Task A_feed_keeps_the_configured_number_of_entries()
    {
        await using HubApp hub = await HubApp.StartAsync(options: static hub => hub.Feed.EntriesMax = 1000);
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        ChangeFeed feed = hub.Services.GetRequiredService<ChangeFeed>();
        for (ulong i = 1; i <= 1100; i++)
            feed.Note(new HubChange("game", new IdentityId(1, i), "save", 1, null, 0x7fff_ffff_ffff));
        await feed.FlushAsync("game");
        await feed.SweepAsync();
        Assert.Equal(101, (await feed.ReadAsync("game", null, 1)).Entries[0].Sequence);
    }

    [Fact]
    public void A_function_or_stream_needs_an_address_and_a_secret()
    {
        var options = new SyncHubOptions();
        options.Cognito.Functions["check"] = new CognitoReceiver { Url = new Uri("http://example.org/"), Secret = "secret" };
        options.Cognito.Streams["events"] = new CognitoReceiver();
        ValidateOptionsResult result = new SyncHubOptionsCheck().Validate(null, options);
        foreach (string option in (string[])["Functions:check:Url", "Functions:check:Secret", "Streams:events:Url",
            "Streams:events:Secret"])
            Assert.Contains(result.Failures!, failure => failure.StartsWith(
                $"SyncHub:Cognito:{option} ", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_fault_of_the_Cognito_wire_compatible_API_is_named()
    {
        var options = new SyncHubOptions();
        options.Cognito.Port = 0;
        options.Cognito.Region = "no region";
        var key = new CognitoDeveloperKey { AccessKeyId = "ASIA000000000000", SecretAccessKey = "short" };
        options.Cognito.DeveloperKeys.Add(key);
        options.Cognito.DeveloperKeys.Add(key);
        options.Cognito.OpenIdConnectProviders.Add(new CognitoOpenIdConnectProvider { Issuer = "http://login.example.org" });
        ValidateOptionsResult result = new SyncHubOptionsCheck().Validate(null, options);
        foreach (string option in (string[])["Port", "Region", "DeveloperKeys:AccessKeyId", "DeveloperKeys:SecretAccessKey",
            "DeveloperKeys", "OpenIdConnectProviders:Issuer", "OpenIdConnectProviders:ClientIds"])
            Assert.Contains(result.Failures!,
                failure => failure.StartsWith($"SyncHub:Cognito:{option} ", StringComparison.Ordinal));
        Assert.DoesNotContain("short", result.FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_app_does_not_start_with_a_fault()
    {
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(
            () => AdminApp.StartAsync(static options => options.AdminPort = 0));
        Assert.Contains("SyncHub:AdminPort", failure.Message, StringComparison.Ordinal);
    }
}
