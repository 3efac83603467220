using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Datasets;
using SyncEngine.Hub.Cognito;
using SyncEngine.Hub.Cognito.Sync;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito.Sync;

/// <summary>A hub whose Sync API is called as the wire layer calls it.</summary>
internal sealed class SyncApi : IAsyncDisposable
{
    private readonly HubApp _app;
    private readonly Dictionary<string, CognitoOperation> _operations;

    private SyncApi(HubApp app, CognitoPool pool)
    {
        (_app, Pool) = (app, pool);
        _operations = app.Services.GetServices<ICognitoOperations>().SelectMany(static some => some.Operations)
            .ToDictionary(static operation => operation.Name);
    }

    public static CognitoCaller Developer { get; } = new() { AccessKeyId = "AKIADEVELOPER00000", IsDeveloper = true };

    public IServiceProvider Services => _app.Services;

    public HttpClient Admin => _app.Admin;

    public CognitoPool Pool { get; }

    /// <summary>A guest of the pool.</summary>
    public IdentityId Ann { get; private set; }

    public static async Task<SyncApi> StartAsync(string? pool = null, Action<IServiceCollection>? configure = null,
        Action<SyncHubOptions>? options = null, string? folder = null)
    {
        HubApp app = await HubApp.StartAsync(configure, folder, options);
        if (folder is null || pool is not null) await app.CreatePoolAsync(pool ?? """{"name":"game","allowsGuests":true}""");
        CognitoPool known = (await app.Services.GetRequiredService<CognitoPools>().FindByNameAsync("game"))!;
        var api = new SyncApi(app, known);
        api.Ann = await api.RegisterAsync();
        return api;
    }

    public async Task<IdentityId> RegisterAsync()
    {
        byte[] key = DeviceKey.PublicOf(DeviceKey.Create());
        var directory = Services.GetRequiredService<IdentityDirectory>();
        return (await directory.RegisterGuestAsync("game", key, null, null, default)).Row.Id;
    }

    public string WireOf(IdentityId id) => CognitoIds.Of(Pool.Row.Region, id);

    public static CognitoCaller CallerOf(IdentityId id) => new()
    {
        AccessKeyId = "ASIA0000000000000000", Pool = "game", Id = id, Role = "guest", IsGuest = true,
    };

    /// <summary>Who may call an operation.</summary>
    public CognitoAccess AccessOf(string operation) => _operations[operation].Access;

    /// <summary>Calls an operation about Ann, as Ann unless told otherwise.</summary>
    public async Task<JsonElement> CallAsync(string operation, string? body = null, string dataset = "save",
        IdentityId? id = null, CognitoCaller? caller = null, string? identity = null, string? pool = null, string? device = null,
        params (string Name, object Value)[] query)
    {
        using JsonDocument json = JsonDocument.Parse(body ?? "{}");
        JsonNode? answer = await _operations[operation].Answer(new CognitoRequest
        {
            Operation = operation,
            Caller = caller ?? CallerOf(id ?? Ann),
            Path = new Dictionary<string, string>
            {
                ["pool"] = pool ?? Pool.Id, ["identity"] = identity ?? WireOf(id ?? Ann), ["dataset"] = dataset,
                ["device"] = device ?? "",
            },
            Query = query.ToDictionary(
                static pair => pair.Name, static pair => Convert.ToString(pair.Value, CultureInfo.InvariantCulture)!),
            Body = json.RootElement,
        }, default);
        return JsonDocument.Parse(answer?.ToJsonString() ?? "{}").RootElement;
    }

    /// <summary>Expects an operation to be refused.</summary>
    public static async Task<CognitoException> RefusedAsync(string type, Func<Task> call)
    {
        CognitoException e = await Assert.ThrowsAsync<CognitoException>(call);
        Assert.True(type == e.Type, $"{e.Type}: {e.Message}");
        return e;
    }

    public Task<JsonElement> ListAsync(long since = 0, string dataset = "save", IdentityId? id = null) =>
        CallAsync("ListRecords", dataset: dataset, id: id, query: ("lastSyncCount", since));

    /// <summary>Begins a session and writes patches, given as members of a JSON object each.</summary>
    public async Task<JsonElement> UpdateAsync(
        string patches, string dataset = "save", IdentityId? id = null, string? device = null)
    {
        string token = (await ListAsync(0, dataset, id)).GetProperty("SyncSessionToken").GetString()!;
        string says = device is null ? "" : $"\"DeviceId\":\"{device}\",";
        return await CallAsync("UpdateRecords", $$"""{"SyncSessionToken":"{{token}}",{{says}}"RecordPatches":[{{patches}}]}""",
            dataset, id);
    }

    public static string Put(string key, string value, long count = 0) => new JsonObject
    {
        ["Op"] = "replace", ["Key"] = key, ["Value"] = value, ["SyncCount"] = count,
    }.ToJsonString();

    public static string Remove(string key, long count) => new JsonObject
    {
        ["Op"] = "remove", ["Key"] = key, ["SyncCount"] = count,
    }.ToJsonString();

    /// <summary>Records of an answer as key, text ("-" for none) and count.</summary>
    public static string Short(JsonElement answer) => string.Join(' ', answer.GetProperty("Records").EnumerateArray().Select(
        static record => record.GetProperty("Key").GetString() + "="
            + (record.TryGetProperty("Value", out JsonElement value) ? value.GetString() : "-")
            + "@" + record.GetProperty("SyncCount").GetInt64()));

    /// <summary>Changes the dataset on the hub as a native device's changes arrive.</summary>
    public async Task NativeAsync(Action<Dataset> change, string dataset = "save", IdentityId? id = null)
    {
        using IdentityLease lease = await _app.Store.LeaseAsync("game", id ?? Ann);
        Dataset hub = lease.Identity.OpenForJoin(dataset);
        Dataset device = new(dataset, 1, new DatasetContext());
        device.Join(await hub.SnapshotAsync());
        change(device);
        await hub.JoinAsync(await device.DeltaAsync(hub.Version));
    }

    public Task SetUpAsync(Func<SyncSetup, SyncSetup> change) => Services.GetRequiredService<CognitoPools>().ChangeAsync(
        Pool.Definition, row => row with { Sync = change(SyncSetup.Of(row)).Encode() });

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
