using System.Text.Json.Nodes;
using SyncEngine.Datasets;
using SyncEngine.Hub.Pools;
using SyncEngine.Hubs;
using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito.Clients;

/// <summary>
/// Real clients, unmodified, against a hub on loopback: the AWS SDK for JavaScript version 3, the sync manager for JavaScript on
/// version 2, and boto3. Each check of a script is a test here.
/// </summary>
public sealed class ClientTests(ClientHub hub) : IClassFixture<ClientHub>
{
    private const string Js = "cognito-js";
    private const string Py = "cognito-py";

    public static TheoryData<string> IdentityChecks => [.. ClientProgram.ChecksOf(Js, "identity.mjs")];

    public static TheoryData<string> SyncChecks => [.. ClientProgram.ChecksOf(Js, "sync.mjs")];

    public static TheoryData<string> ManagerChecks => [.. ClientProgram.ChecksOf(Js, "manager.mjs")];

    public static TheoryData<string> Boto3Checks => [.. ClientProgram.ChecksOf(Py, "round.py")];

    [NodeTheory]
    [MemberData(nameof(IdentityChecks))]
    public Task Identity_through_the_JavaScript_SDK(string check) => hub.RequireAsync(Js, "identity.mjs", check);

    [NodeTheory]
    [MemberData(nameof(SyncChecks))]
    public Task Sync_through_the_JavaScript_SDK(string check) => hub.RequireAsync(Js, "sync.mjs", check);

    [NodeTheory]
    [MemberData(nameof(ManagerChecks))]
    public Task The_sync_manager_for_JavaScript(string check) => hub.RequireAsync(Js, "manager.mjs", check);

    [Boto3Theory]
    [MemberData(nameof(Boto3Checks))]
    public Task Boto3(string check) => hub.RequireAsync(Py, "round.py", check);

    [NodeFact]
    public async Task A_native_device_and_a_JavaScript_client_share_a_dataset()
    {
        await RunAsync("writes first");
        await using SyncStore store = SyncStore.OpenInMemory();
        (string pool, string provider) = await PoolAsync();
        await using HubClient client = HubClient.Connect(
            store, new HubClientOptions(new Uri(hub.Hub.Address, "/sync"), pool) { DeviceName = "native" });
        await client.SignInAsync(provider, hub.TokenOf("hugo"));
        Dataset save = store.Identity.Dataset("save");
        WebSocketConnector connector = await ConnectorAsync(client);
        await store.SynchronizeAsync(connector);
        Assert.Equal(["1", "x"], [save["level"].AsString(), save["old"].AsString()]);
        save["level"] = "2";
        save["native"] = "yes";
        save.Counter("coins").Add(30);
        save.Delete("old");
        Assert.True((await store.SynchronizeAsync(connector)).IsComplete);
        await RunAsync("writes after the native device");
        Assert.True((await store.SynchronizeAsync(connector)).IsComplete);
        Assert.Equal("3", save["level"]);
        Assert.Equal(30, save.Counter("coins").Value);
        Assert.Empty(save.Conflicts);
    }

    private async Task RunAsync(string phase)
    {
        JsonObject settings = hub.Settings.DeepClone().AsObject();
        settings["phase"] = phase;
        (IReadOnlyDictionary<string, string> details, string words) =
            await ClientProgram.RunAsync(Js, "native.mjs", hub.Hub.Address, settings);
        Assert.True(details.TryGetValue(phase, out string? detail), words);
        Assert.True(detail.Length == 0, detail);
    }

    /// <summary>The hub's names of the pool and of its provider.</summary>
    private async Task<(string Pool, string Provider)> PoolAsync()
    {
        var pools = (PoolRegistry)hub.Hub.Services.GetService(typeof(PoolRegistry))!; // AddSyncHub registers it.
        IdentityPool pool = (await pools.FindAsync("Clients"))!; // Made by the fixture.
        return (pool.Name, Assert.Single(pool.Providers).Name);
    }

    private async Task<WebSocketConnector> ConnectorAsync(HubClient client)
    {
        string token = await client.GetAccessTokenAsync();
        return new WebSocketConnector(new Uri($"ws://{hub.Hub.Address.Authority}/sync/ws"),
            options => options.SetRequestHeader("Authorization", "Bearer " + token));
    }
}
