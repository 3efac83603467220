using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Reactive.Linq;
using System.Reactive.Threading.Tasks;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Hub.Accounts;
using SyncEngine.Hub.Merging;
using SyncEngine.Hub.Syncing;
using SyncEngine.Hub.Tests.Push;
using SyncEngine.Hubs;
using SyncEngine.Identities;
using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.Hub.Tests.Threats;

/// <summary>Whoever opens sessions at a bad moment, for too long, or with too much costs the hub nothing and is told what to
/// do.</summary>
public sealed class SessionThreatsTests
{
    private const string Guests = """{"name":"game","allowsGuests":true}""";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task More_replicas_than_a_pool_allows_are_refused_and_the_known_ones_go_on()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true,"limits":{"replicasMax":2}}""");
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore first = await device.OpenStoreAsync(), second = await device.OpenStoreAsync();
        await using SyncStore third = await device.OpenStoreAsync();
        Assert.Empty(await RefusalsAsync(first, "first"));
        Assert.Empty(await RefusalsAsync(second, "second"));
        Assert.Contains("2 are allowed", Assert.Single(await RefusalsAsync(third, "third")), StringComparison.Ordinal);
        Assert.Empty(await RefusalsAsync(first, "again"));
        using IdentityLease lease = await hub.Store.LeaseAsync("game", IdentityId.Parse(device.IdentityId));
        Dataset there = lease.Identity.OpenForJoin("save");
        foreach (string key in new[] { "first", "second", "again" }) Assert.Equal(1, there[key]);
        Assert.True(there["third"].IsMissing);

        async Task<IEnumerable<string>> RefusalsAsync(SyncStore store, string key)
        {
            await store.Identity.Dataset("save").PutAsync(key, 1);
            return (await store.SynchronizeAsync(device.Connector())).Refusals.Select(static refused => refused.Value.Message);
        }
    }

    [Fact]
    public async Task A_socket_that_asks_for_compression_gets_none()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Guests);
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        using ClientWebSocket socket = Socket(device);
        socket.Options.DangerousDeflateOptions = new WebSocketDeflateOptions();
        socket.Options.CollectHttpResponseDetails = true;
        using var patience = new CancellationTokenSource(_patience);
        await socket.ConnectAsync(new Uri($"ws://{hub.Address.Authority}/sync/ws"), patience.Token);
        Assert.Contains("Sec-WebSocket-Accept", socket.HttpResponseHeaders!.Keys, StringComparer.OrdinalIgnoreCase);
        Assert.DoesNotContain("Sec-WebSocket-Extensions", socket.HttpResponseHeaders.Keys, StringComparer.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Sessions_that_cannot_begin_leave_nothing_behind_and_say_when_to_come_again()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Guests);
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        var exchange = hub.Services.GetRequiredService<HttpExchange>();
        using (await hub.Services.GetRequiredService<OpenSessions>().FreezeAsync("game", IdentityId.Parse(device.IdentityId)))
        {
            for (int i = 0; i < 20; i++)
            {
                using HttpResponseMessage answer = await ExchangeAsync(hub, device, []);
                Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
                Assert.True(answer.Headers.RetryAfter?.Delta > TimeSpan.Zero);
            }

            (HttpStatusCode status, JsonElement body) = await hub.SendAsync(HttpMethod.Get, "/sync/events", device.AccessToken);
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "urn:syncengine:identity-busy"),
                (status, body.GetProperty("type").GetString()));
        }

        Assert.Equal(0, exchange.Count);
    }

    [Fact]
    public async Task A_socket_opened_during_a_merge_is_told_when_to_come_again_and_one_that_is_open_why_it_ends()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Guests);
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        using var patience = new CancellationTokenSource(_patience);
        using ClientWebSocket open = Socket(device), late = Socket(device);
        var address = new Uri($"ws://{hub.Address.Authority}/sync/ws");
        await open.ConnectAsync(address, patience.Token);
        var sessions = hub.Services.GetRequiredService<OpenSessions>();
        while (sessions.Count == 0) await Task.Delay(20, patience.Token);
        Task<IDisposable> freezing = sessions.FreezeAsync("game", IdentityId.Parse(device.IdentityId));
        byte[] buffer = new byte[4096];
        while ((await open.ReceiveAsync(buffer, patience.Token)).MessageType != WebSocketMessageType.Close)
        {
        }

        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, open.CloseStatus);
        Assert.Contains("onnect again", open.CloseStatusDescription, StringComparison.Ordinal);
        using IDisposable frozen = await freezing;
        await Assert.ThrowsAsync<WebSocketException>(() => late.ConnectAsync(address, patience.Token));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, late.HttpStatusCode);
        Assert.Contains("5", late.HttpResponseHeaders!["Retry-After"]);
        Assert.Equal(0, sessions.Count);
    }

    [Fact]
    public async Task A_client_that_comes_during_a_merge_comes_again()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Guests);
        await using SyncStore store = SyncStore.OpenInMemory();
        store.Identity.Dataset("save")["level"] = 1;
        IDisposable frozen = await hub.Services.GetRequiredService<OpenSessions>().FreezeAsync("game", store.Identity.Id);
        await using HubClient client = HubClient.Connect(store, new HubClientOptions(new Uri(hub.Address, "/sync"), "game"));
        SyncStatus waiting = await client.Link.Status.FirstAsync(static status => status.Failure is not null)
            .ToTask().WaitAsync(_patience);
        Assert.Equal(SyncErrorCode.ConnectionFailed, waiting.Failure!.Code);
        Assert.Contains("busy", waiting.Failure.Message, StringComparison.Ordinal);
        frozen.Dispose();
        await client.Link.Status.FirstAsync(static status => status is { State: SyncState.Live, PendingChanges: 0 })
            .ToTask().WaitAsync(_patience);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_session_that_was_let_in_before_a_merge_or_a_revocation_does_not_begin_after_it(bool isMerged)
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Guests);
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        using RawDevice other = await new RawDevice(hub, "game").RegisterAsync();
        IServiceProvider services = hub.Services;
        HubCaller caller = (await services.GetRequiredService<DeviceEntry>().FindCallerAsync(device.AccessToken, default))!;
        SyncCaller letIn = await services.GetRequiredService<SessionCallers>().OfAsync(caller, default);
        IdentityId id = IdentityId.Parse(device.IdentityId);
        if (isMerged)
        {
            await services.GetRequiredService<IdentityMerging>().MergeAsync(
                "game", id, IdentityId.Parse(other.IdentityId), Identities.MergeMode.Union, null, false, default);
        }
        else
        {
            await services.GetRequiredService<DeviceEntry>().RevokeDeviceAsync("game", id, device.DeviceId, default);
        }

        SyncException refused = await Assert.ThrowsAsync<SyncException>(
            () => services.GetRequiredService<SyncServing>().BeginAsync(letIn, default));
        Assert.Equal(SyncErrorCode.ConnectionFailed, refused.Code);
        Assert.Equal(0, services.GetRequiredService<OpenSessions>().Count);
    }

    [Fact]
    public async Task A_device_with_too_many_sessions_is_told_when_to_come_again()
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Guests);
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        using var patience = new CancellationTokenSource(_patience);
        while (true)
        {
            patience.Token.ThrowIfCancellationRequested();
            using HttpResponseMessage answer = await ExchangeAsync(hub, device, []);
            if (answer.StatusCode == HttpStatusCode.OK) continue;
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.True(answer.Headers.RetryAfter?.Delta > TimeSpan.Zero);
            return;
        }
    }

    [Fact]
    public async Task An_event_stream_ends_with_its_credential()
    {
        var time = new ManualTime();
        await using HubApp hub = await HubApp.StartAsync(services => services.AddSingleton<TimeProvider>(time));
        await hub.CreatePoolAsync(Guests);
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/sync/events");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", device.AccessToken);
        using HttpResponseMessage answer = await hub.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        using var patience = new CancellationTokenSource(_patience);
        while (await reader.ReadLineAsync(patience.Token) != "data: {}")
        {
        }

        time.Advance(TimeSpan.FromMinutes(61));
        while (await reader.ReadLineAsync(patience.Token) is not null)
        {
        }
    }

    [Theory]
    [InlineData(31_000_000, HttpStatusCode.OK)]
    [InlineData(68_000_000, HttpStatusCode.RequestEntityTooLarge)]
    public async Task A_request_may_be_as_large_as_a_frame_may_and_no_larger(int bytes, HttpStatusCode expected)
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Guests);
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        byte[] body = new byte[bytes];
        BinaryPrimitives.WriteInt32BigEndian(body, bytes - 4);
        using HttpResponseMessage answer = await ExchangeAsync(hub, device, body);
        Assert.Equal(expected, answer.StatusCode);
        if (expected != HttpStatusCode.OK)
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Theory]
    [InlineData("/sync/identity/replicas", """{"replicas":[null]}""")]
    [InlineData("/sync/identity/push", """{"platform":"apns","token":"t","datasets":[null]}""")]
    public async Task Nothing_in_a_list_is_refused_in_words(string path, string body)
    {
        await using HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Guests);
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        using var request = new HttpRequestMessage(HttpMethod.Put, path)
        {
            Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", device.AccessToken);
        using HttpResponseMessage answer = await hub.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.NotEmpty((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString()!);
    }

    [Fact]
    public async Task No_request_says_where_a_configured_hub_keeps_its_keys()
    {
        await using HubApp hub = await HubApp.StartAsync(options: options => options.Issuer = "https://sync.example.com");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/sync/.well-known/openid-configuration");
        request.Headers.Host = "evil.example";
        using HttpResponseMessage answer = await hub.Http.SendAsync(request);
        Assert.Equal("https://sync.example.com/sync/jwks.json",
            (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("jwks_uri").GetString());
    }

    private static ClientWebSocket Socket(RawDevice device)
    {
        var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.SetRequestHeader("Authorization", "Bearer " + device.AccessToken);
        return socket;
    }

    private static async Task<HttpResponseMessage> ExchangeAsync(HubApp hub, RawDevice device, byte[] body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/sync/exchange") { Content = new ByteArrayContent(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", device.AccessToken);
        request.Headers.ExpectContinue = true;
        return await hub.Http.SendAsync(request);
    }
}
