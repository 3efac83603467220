using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Syncing;
using SyncEngine.Hub.Tests.Hosting;
using SyncEngine.LiteDB;
using SyncEngine.Storage;
using Xunit;
using LoopbackServer = SyncEngine.Hub.Tests.Push.LoopbackServer;

namespace SyncEngine.Hub.Tests.Cognito.Clients;

/// <summary>
/// Hubs on which every documented error can be had: a whole one, one that takes no more requests, one that takes no more pools,
/// and one whose disk or clock fails when the script says so.
/// </summary>
public sealed class ErrorHubs : IAsyncLifetime
{
    public const string Script = "errors.mjs";
    private const string Js = "cognito-js";
    private readonly ClientHub _whole = new();
    private readonly FailingStorage.Disk _disk = new();
    private readonly FailingClock _clock = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("syncengine-hub-errors-");
    private LoopbackServer? _switch;
    private HubApp? _limited;
    private HubApp? _full;
    private HubApp? _broken;

    public async Task InitializeAsync()
    {
        if (!ClientProgram.HasNode) return;
        await _whole.InitializeAsync();
        _limited = await HubApp.StartAsync(
            options: options => options.RatePerAddress = new RequestRate { Burst = 1, PerSecond = 0.0001 });
        using (await _limited.Http.PostAsync("/", null)) _whole.Settings["limited"] = AddressOf(_limited);
        HubStore store = await FullStoreAsync();
        _full = await HubApp.StartAsync(services => services.AddSingleton(_ => store), options: ClientHub.AddKey);
        _whole.Settings["full"] = AddressOf(_full);
        _whole.Settings["broken"] = await PrepareAsync();
        _broken = await HubApp.StartAsync(AddFaults, _folder.FullName, ClientHub.AddKey);
        _switch = await LoopbackServer.StartAsync(SetFaultAsync);
        _whole.Settings["broken"]!["endpoint"] = AddressOf(_broken); // Set above.
        _whole.Settings["broken"]!["fault"] = _switch.Address.AbsoluteUri;
    }

    public async Task DisposeAsync()
    {
        (_disk.IsFull, _disk.IsUnreadable, _clock.Fails) = (false, false, false);
        foreach (HubApp? hub in (HubApp?[])[_broken, _full, _limited])
            if (hub is not null) await hub.DisposeAsync();
        if (_switch is not null) await _switch.DisposeAsync();
        await _whole.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    internal Task RequireAsync(string check) => _whole.RequireAsync(Js, Script, check);

    internal async Task<IEnumerable<string>> ChecksAsync() => (await _whole.RunAsync(Js, Script)).Details.Keys;

    private static string AddressOf(HubApp hub) => hub.Address.AbsoluteUri.TrimEnd('/');

    private static async Task<HubStore> FullStoreAsync()
    {
        HubStore store = await HubStore.OpenAsync(new MemoryDisk().Open);
        using var registry = new PoolRegistry(store.Rows, TimeProvider.System);
        for (int i = 0; i < PoolRegistry.PoolsMax; i++)
            Assert.Equal(PoolOutcome.Done, (await registry.CreateAsync(new IdentityPool { Name = $"pool-{i}" })).Outcome);
        return store;
    }

    /// <summary>Makes a pool, a guest and its credentials on the file that fails later. The hub is then started anew, so that it
    /// has nothing in memory.</summary>
    private async Task<JsonObject> PrepareAsync()
    {
        await using HubApp hub = await HubApp.StartAsync(folder: _folder.FullName, options: ClientHub.AddKey);
        string pool = await ClientHub.MakePoolAsync(hub, []);
        using var client = new SigningClient(hub.Address, TimeProvider.System);
        Answer guest = await client.IdentityAsync("GetId", new JsonObject { ["IdentityPoolId"] = pool });
        Assert.True(guest.Status == HttpStatusCode.OK, guest.Text);
        string id = guest.Json.GetProperty("IdentityId").GetString()!; // The answer's one member.
        Answer given = await client.IdentityAsync("GetCredentialsForIdentity", new JsonObject { ["IdentityId"] = id });
        JsonElement keys = given.Json.GetProperty("Credentials");
        return new JsonObject
        {
            ["pool"] = pool, ["id"] = id, ["keyId"] = keys.GetProperty("AccessKeyId").GetString(),
            ["secret"] = keys.GetProperty("SecretKey").GetString(), ["token"] = keys.GetProperty("SessionToken").GetString(),
        };
    }

    private void AddFaults(IServiceCollection services)
    {
        services.AddSingleton(_ => HubStore.OpenAsync(() => new FailingStorage(
            Path.Combine(_folder.FullName, "hub.db"), new LiteDbStorageOptions(), _disk)).AsTask().GetAwaiter().GetResult());
        services.AddSingleton<TimeProvider>(_clock);
        services.AddSingleton<IStartupFilter>(_clock);
    }

    private Task SetFaultAsync(HttpContext context, int number)
    {
        string told = context.Request.Path;
        (_disk.IsUnreadable, _disk.IsFull, _clock.Fails) = (told == "/unreadable", told == "/full", told == "/timeless");
        return Task.CompletedTask;
    }

    /// <summary>A clock that fails within requests alone: what a hub does besides goes on.</summary>
    private sealed class FailingClock : TimeProvider, IStartupFilter
    {
        private static readonly AsyncLocal<bool> _isRequest = new();

        public volatile bool Fails;

        public override DateTimeOffset GetUtcNow() => Fails && _isRequest.Value
            ? throw new InvalidOperationException("The clock of the test has stopped.") : base.GetUtcNow();

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(static (context, rest) =>
            {
                _isRequest.Value = true;
                return rest(context);
            });
            next(app);
        };
    }
}
