using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SyncEngine.Hub.Syncing;
using SyncEngine.Hub.Tests.Hosting;
using SyncEngine.Hub.Tests.Push;
using SyncEngine.Identities;
using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.Hub.Tests.EndToEnd;

/// <summary>Whatever ends a session from the hub's side, also one on which nothing happens.</summary>
public sealed class SessionEndTests
{
    private const string Guests = """{"name":"game","allowsGuests":true}""";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("expiry")]
    [InlineData("cut")]
    [InlineData("stop")]
    public async Task The_hub_ends_an_open_socket(string reason)
    {
        var time = new ManualTime();
        using var logs = new CollectedLogs(typeof(SyncServing).FullName);
        await using HubApp hub = await HubApp.StartAsync(services => services.AddSingleton<TimeProvider>(time)
            .AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(logs)));
        await hub.CreatePoolAsync(Guests);
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        using var patience = new CancellationTokenSource(_patience);
        await using ISyncTransport transport = await device.Connector().ConnectAsync(patience.Token);
        Assert.False((await transport.ReceiveAsync(patience.Token)).IsEmpty);
        var sessions = hub.Services.GetRequiredService<OpenSessions>();
        Assert.Equal(1, sessions.Count);
        if (reason == "expiry") time.Advance(TimeSpan.FromMinutes(61));
        else if (reason == "stop") hub.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        else await sessions.CutAsync("game", IdentityId.Parse(device.IdentityId), device.DeviceId);
        Assert.True((await transport.ReceiveAsync(patience.Token)).IsEmpty);

        // Ended by the hub, not because the peer, which here never says who it is, was silent for too long.
        await logs.Until(static lines => lines.Count > 0);
        Assert.EndsWith("was ended by the hub", Assert.Single(logs.Lines).Text, StringComparison.Ordinal);
        Assert.Equal(0, sessions.Count);
    }
}
