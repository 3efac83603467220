using System.Net;
using System.Text.Json;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito;

/// <summary>Two devices of one person at a hub, each with a store in memory.</summary>
internal sealed class DevicePair(
    HubApp hub, DeveloperBackend backend, RawDevice deviceOne, RawDevice deviceTwo, SyncStore one, SyncStore two)
    : IAsyncDisposable
{
    public RawDevice DeviceOne => deviceOne;

    public RawDevice DeviceTwo => deviceTwo;

    public SyncStore One => one;

    public SyncStore Two => two;

    public static async Task<DevicePair> StartAsync(
        string more = "", TimeProvider? clockOne = null, TimeProvider? clockTwo = null)
    {
        var backend = new DeveloperBackend();
        HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(backend.Pool("game", more));
        RawDevice one = await SignInAsync(hub, backend, "ann"), two = await SignInAsync(hub, backend, "ann");
        Assert.Equal(one.IdentityId, two.IdentityId);
        return new DevicePair(hub, backend, one, two, await one.OpenStoreAsync(With(clockOne)),
            await two.OpenStoreAsync(With(clockTwo)));
    }

    /// <summary>One round of the first device, one of the second, and one of the first again.</summary>
    public async Task ExchangeAsync()
    {
        await one.SynchronizeAsync(deviceOne.Connector());
        await two.SynchronizeAsync(deviceTwo.Connector());
        await one.SynchronizeAsync(deviceOne.Connector());
    }

    public async ValueTask DisposeAsync()
    {
        await one.DisposeAsync();
        await two.DisposeAsync();
        await hub.DisposeAsync();
        deviceOne.Dispose();
        deviceTwo.Dispose();
        backend.Dispose();
    }

    public static async Task<RawDevice> SignInAsync(HubApp hub, DeveloperBackend backend, string person)
    {
        var device = new RawDevice(hub, "game");
        (HttpStatusCode status, JsonElement body) =
            await device.TrySignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", person));
        Assert.True(status == HttpStatusCode.OK, body.ToString());
        return device;
    }

    private static SyncStoreOptions With(TimeProvider? clock) => new() { TimeProvider = clock ?? TimeProvider.System };
}
