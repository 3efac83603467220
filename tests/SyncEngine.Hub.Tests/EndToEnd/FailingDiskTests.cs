using System.Net;
using System.Reactive.Linq;
using System.Reactive.Threading.Tasks;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Datasets;
using SyncEngine.Hub.Syncing;
using SyncEngine.Hub.Tests.Hosting;
using SyncEngine.Hubs;
using SyncEngine.LiteDB;
using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.Hub.Tests.EndToEnd;

/// <summary>A hub whose disk fails while it runs says so, promises nothing, and goes on once the disk does.</summary>
public sealed class FailingDiskTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("syncengine-hub-test").FullName;
    private readonly FailingStorage.Disk _disk = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("full")]
    [InlineData("read-only")]
    [InlineData("gone")]
    public async Task It_answers_503_and_is_unhealthy_until_the_disk_works_again_and_loses_nothing(string failure)
    {
        using var backend = new DeveloperBackend();
        await using SyncStore phone = SyncStore.OpenInMemory(), laptop = SyncStore.OpenInMemory();
        await using (HubApp hub = await HubApp.StartAsync(services => services.AddSingleton(_ => Open())))
        {
            await hub.CreatePoolAsync(backend.Pool("game"));
            await using HubClient client = HubClient.Connect(phone, Options(hub));
            await client.SignInAsync(DeveloperBackend.Provider, backend.Vouch(hub, "game", "ann"));
            phone.Identity.Dataset("save")["before"] = 1;
            await UntilSynced(client);
            string token = await client.GetAccessTokenAsync();

            Break(failure, true);
            phone.Identity.Dataset("save")["meanwhile"] = 2;
            using (var patience = new CancellationTokenSource(_patience))
                while ((await hub.Http.GetAsync("/health", patience.Token)).IsSuccessStatusCode)
                    await Task.Delay(20, patience.Token);
            Assert.NotEqual(0, client.Link.PendingNow);
            Assert.Contains(HttpStatusCode.ServiceUnavailable, await AskAsync(hub, backend, token));
            Assert.NotEqual(0, client.Link.PendingNow);

            Break(failure, false);
            client.Link.RetryNow();
            await UntilSynced(client);
            Assert.Equal(HttpStatusCode.OK, (await hub.Http.GetAsync("/health")).StatusCode);
            await hub.CreatePoolAsync("""{"name":"later"}""");
        }

        await using HubApp again = await HubApp.StartAsync(services => services.AddSingleton(_ => Open()));
        await using HubClient other = HubClient.Connect(laptop, Options(again));
        await other.SignInAsync(DeveloperBackend.Provider, backend.Vouch(again, "game", "ann"));
        await UntilSynced(other);
        Dataset save = laptop.Identity.Dataset("save");
        Assert.Equal((1, 2), (save.Get<int>("before"), save.Get<int>("meanwhile")));
    }

    /// <summary>Asks for everything that must be written or read; each answer is a sound one or a 503 in the usual
    /// form.</summary>
    private static async Task<List<HttpStatusCode>> AskAsync(HubApp hub, DeveloperBackend backend, string token)
    {
        var device = new { publicKey = "AAAA", challenge = "AAAA", signature = "AAAA" };
        List<(HttpStatusCode Status, JsonElement Body)> answers =
        [
            await hub.PostAsync("/sync/pools/game/challenges", new { }),
            await hub.PostAsync("/sync/pools/game/nonces", new { }),
            await hub.PostAsync("/sync/pools/game/guests", device),
            await hub.PostAsync("/sync/pools/game/sessions", new
            {
                device.publicKey, device.challenge, device.signature, provider = DeveloperBackend.Provider,
                token = backend.Vouch(hub, "game", "bob"),
            }),
            await hub.PostAsync("/sync/pools/game/logins/plan", new
            {
                provider = DeveloperBackend.Provider, token = backend.Vouch(hub, "game", "bob"),
            }, token),
            await hub.PostAsync("/sync/exchange", new { }, token),
            await hub.SendAsync(HttpMethod.Get, "/sync/identity", token),
            await hub.SendAsync(HttpMethod.Get, "/sync/identity/devices", token),
            await hub.SendAsync(HttpMethod.Delete, "/sync/identity/devices/0123", token),
            await hub.SendAsync(HttpMethod.Get, "/sync/jwks.json"),
            await hub.PostAsync("/admin/pools", new { name = "other" }, HubApp.AdminKey),
            await hub.SendAsync(HttpMethod.Get, "/admin/pools", HubApp.AdminKey),
            await hub.SendAsync(HttpMethod.Get, "/admin/pools/game/identities", HubApp.AdminKey),
            await hub.SendAsync(HttpMethod.Get, "/admin/pools/game/changes", HubApp.AdminKey),
            await hub.SendAsync(HttpMethod.Get, "/admin/pools/game/webhooks", HubApp.AdminKey),
        ];
        Assert.DoesNotContain(answers, static answer => (int)answer.Status >= 500
            && (answer.Status != HttpStatusCode.ServiceUnavailable || answer.Body.ValueKind != JsonValueKind.Object
                || answer.Body.GetProperty("type").GetString() != "urn:syncengine:storage-failed"
                || answer.Body.GetProperty("detail").GetString()!.Length == 0));
        return [.. answers.Select(static answer => answer.Status)];
    }

    private static HubClientOptions Options(HubApp hub) => new(new Uri(hub.Address, "/sync"), "game");

    private static Task<SyncStatus> UntilSynced(HubClient client) => client.Link.Status
        .FirstAsync(static status => status is { State: SyncState.Live, PendingChanges: 0 }).ToTask().WaitAsync(_patience);

    private void Break(string failure, bool isBroken)
    {
        if (failure == "full") _disk.IsFull = isBroken;
        else if (failure == "read-only") _disk.IsReadOnly = isBroken;
        else _disk.IsGone = isBroken;
    }

    private HubStore Open() => HubStore.OpenAsync(
        () => new FailingStorage(Path.Combine(_folder, "hub.db"), new LiteDbStorageOptions { LocalStateFolder = _folder }, _disk),
        new HubStoreOptions { Time = TimeProvider.System }).AsTask().GetAwaiter().GetResult();
}
