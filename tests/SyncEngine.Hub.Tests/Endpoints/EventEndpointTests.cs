using System.Net;
using System.Text;
using System.Text.Json;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Tests.Push;
using Xunit;

namespace SyncEngine.Hub.Tests.Endpoints;

/// <summary>Webhooks and the feed of a pool, over the admin interface.</summary>
public sealed class EventEndpointTests
{
    private const string Hooks = "/admin/pools/game/webhooks";
    private const string Changes = "/admin/pools/game/changes";

    [Fact]
    public async Task A_webhook_is_defined_described_listed_and_deleted_and_shows_its_secret_once()
    {
        await using HubApp hub = await StartAsync();
        Assert.Empty((await GetAsync(hub, Hooks)).GetProperty("webhooks").EnumerateArray());
        JsonElement made = await CreateAsync(hub, """{"url":"https://push.example.com/hook","datasets":"save*"}""");
        Assert.True(WebhookSignature.IsSecret(made.GetProperty("secret").GetString()!));
        string id = made.GetProperty("webhookId").GetString()!;
        JsonElement described = await GetAsync(hub, $"{Hooks}/{id}");
        Assert.Equal(("https://push.example.com/hook", "change", "save*", 0), (described.GetProperty("url").GetString(),
            described.GetProperty("event").GetString(), described.GetProperty("datasets").GetString(),
            described.GetProperty("failures").GetInt32()));
        Assert.Equal(JsonValueKind.Null, described.GetProperty("secret").ValueKind);
        JsonElement listed = Assert.Single((await GetAsync(hub, Hooks)).GetProperty("webhooks").EnumerateArray());
        Assert.Equal(described.GetRawText(), listed.GetRawText());
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(hub, HttpMethod.Delete, $"{Hooks}/{id}")).Status);
        Assert.Empty((await GetAsync(hub, Hooks)).GetProperty("webhooks").EnumerateArray());
        Refused(await SendAsync(hub, HttpMethod.Delete, $"{Hooks}/{id}"), HttpStatusCode.NotFound, "no-such-webhook");
    }

    [Fact]
    public async Task A_rotated_secret_is_new_and_both_sign()
    {
        await using HubApp hub = await StartAsync();
        await using LoopbackServer server = await LoopbackServer.AnsweringAsync(200);
        JsonElement made = await CreateAsync(hub, JsonSerializer.Serialize(new { url = server.Address }));
        (HttpStatusCode status, JsonElement rotated) = await SendAsync(hub, HttpMethod.Post,
            $"{Hooks}/{made.GetProperty("webhookId").GetString()}/rotate");
        Assert.Equal(HttpStatusCode.OK, status);
        string[] secrets = [rotated.GetProperty("secret").GetString()!, made.GetProperty("secret").GetString()!];
        Assert.NotEqual(secrets[0], secrets[1]);
        await DeviceWritesAsync(hub);
        ReceivedRequest received = await server.NextAsync();
        foreach (string secret in secrets) PushFixture.AssertSigned(received, secret, TimeProvider.System);
    }

    [Fact]
    public async Task A_disabled_webhook_is_enabled_and_gets_what_it_missed()
    {
        await using HubApp hub = await StartAsync();
        await using LoopbackServer server = await LoopbackServer.AnsweringAsync(410, 200);
        JsonElement made = await CreateAsync(hub, JsonSerializer.Serialize(new { url = server.Address }));
        string path = $"{Hooks}/{made.GetProperty("webhookId").GetString()}";
        await DeviceWritesAsync(hub);
        byte[] missed = (await server.NextAsync()).Body;
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((await GetAsync(hub, path)).GetProperty("disabledReason").ValueKind == JsonValueKind.Null)
            await Task.Delay(1, soon.Token);
        (HttpStatusCode status, JsonElement enabled) = await SendAsync(hub, HttpMethod.Post, path + "/enable");
        Assert.Equal((HttpStatusCode.OK, JsonValueKind.Null), (status, enabled.GetProperty("disabledReason").ValueKind));
        Assert.Equal(missed, (await server.NextAsync()).Body);
    }

    [Theory]
    [InlineData("""{"url":"https://push.example.com/","event":"all"}""", "bad-event")]
    [InlineData("""{"url":"http://push.example.com/"}""", "bad-webhook")]
    [InlineData("""{"url":"push"}""", "bad-webhook")]
    [InlineData("""{"url":"https://push.example.com/","datasets":"a b"}""", "bad-webhook")]
    [InlineData("""{"event":"change"}""", "missing-member")]
    [InlineData("""{"url":"https://push.example.com/","secret":"s"}""", "unknown-member")]
    public async Task A_webhook_that_cannot_be_is_refused(string body, string code)
    {
        await using HubApp hub = await StartAsync();
        Refused(await SendAsync(hub, HttpMethod.Post, Hooks, body), HttpStatusCode.BadRequest, code);
        Assert.Empty((await GetAsync(hub, Hooks)).GetProperty("webhooks").EnumerateArray());
    }

    [Fact]
    public async Task A_refused_address_names_the_option_that_would_allow_it()
    {
        await using HubApp hub = await StartAsync();
        Assert.Contains("SyncHub:Webhooks:AllowsHttp", Refused(await SendAsync(hub, HttpMethod.Post, Hooks,
            """{"url":"http://push.example.com/"}"""), HttpStatusCode.BadRequest, "bad-webhook"), StringComparison.Ordinal);
        await using HubApp open = await StartAsync(static hub => hub.Webhooks.AllowsHttp = true);
        await CreateAsync(open, """{"url":"http://push.example.com/"}""");
    }

    [Fact]
    public async Task What_there_is_not_is_not_found()
    {
        await using HubApp hub = await StartAsync();
        foreach ((HttpMethod method, string path) in (IEnumerable<(HttpMethod, string)>)[(HttpMethod.Get, "webhooks"),
            (HttpMethod.Post, "webhooks"), (HttpMethod.Get, "changes")])
            Refused(await SendAsync(hub, method, $"/admin/pools/other/{path}", """{"url":"https://push.example.com/"}"""),
                HttpStatusCode.NotFound, "no-such-pool");
        foreach ((HttpMethod method, string path) in (IEnumerable<(HttpMethod, string)>)[(HttpMethod.Get, ""),
            (HttpMethod.Post, "/enable"), (HttpMethod.Post, "/rotate")])
            Refused(await SendAsync(hub, method, $"{Hooks}/none{path}"), HttpStatusCode.NotFound, "no-such-webhook");
    }

    [Fact]
    public async Task The_feed_is_read_on_from_a_cursor_and_waited_for()
    {
        await using HubApp hub = await StartAsync();
        Task<JsonElement> waiting = GetAsync(hub, Changes + "?wait=60");
        RawDevice device = await DeviceWritesAsync(hub);
        JsonElement first = await waiting;
        JsonElement change = Assert.Single(first.GetProperty("changes").EnumerateArray());
        Assert.Equal((1, "change", device.IdentityId, "save", 1), (change.GetProperty("sequence").GetInt64(),
            change.GetProperty("type").GetString(), change.GetProperty("identityId").GetString(),
            change.GetProperty("dataset").GetString(), change.GetProperty("revision").GetInt64()));
        await DeviceWritesAsync(hub);
        JsonElement second = await GetAsync(hub, $"{Changes}?wait=60&limit=1&cursor={first.GetProperty("cursor").GetString()}");
        Assert.Equal(2, Assert.Single(second.GetProperty("changes").EnumerateArray()).GetProperty("sequence").GetInt64());
        Assert.False(second.GetProperty("hasMore").GetBoolean());
        JsonElement page = await GetAsync(hub, Changes + "?limit=1&cursor=start");
        Assert.True(page.GetProperty("hasMore").GetBoolean());
        JsonElement latest = await GetAsync(hub, Changes + "?cursor=latest");
        Assert.Empty(latest.GetProperty("changes").EnumerateArray());
        Assert.Equal(second.GetProperty("cursor").GetString(), latest.GetProperty("cursor").GetString());
    }

    [Fact]
    public async Task A_cursor_that_the_feed_does_not_reach_is_gone_and_the_answer_says_how_to_begin_anew()
    {
        await using HubApp hub = await StartAsync();
        await DeviceWritesAsync(hub);
        string cursor = (await GetAsync(hub, Changes + "?wait=60")).GetProperty("cursor").GetString()!;
        await BeginPoolAnewAsync(hub);
        Assert.Contains("cursor=latest", Refused(await SendAsync(hub, HttpMethod.Get, $"{Changes}?cursor={cursor}"),
            HttpStatusCode.Gone, "feed-gone"), StringComparison.Ordinal);
        Refused(await SendAsync(hub, HttpMethod.Get, Changes + "?cursor=x"), HttpStatusCode.BadRequest, "bad-cursor");
        foreach (string limit in (string[])["0", "1001", "x"])
            Refused(await SendAsync(hub, HttpMethod.Get, $"{Changes}?limit={limit}"), HttpStatusCode.BadRequest, "bad-limit");
        foreach (string wait in (string[])["-1", "61"])
            Refused(await SendAsync(hub, HttpMethod.Get, $"{Changes}?wait={wait}"), HttpStatusCode.BadRequest, "bad-wait");
    }

    [Fact]
    public async Task A_device_reaches_a_webhook_by_a_signed_payload_and_no_word_of_the_data()
    {
        await using HubApp hub = await StartAsync();
        await using LoopbackServer server = await LoopbackServer.AnsweringAsync(200);
        JsonElement made = await CreateAsync(hub, JsonSerializer.Serialize(new { url = server.Address, datasets = "sa*" }));
        RawDevice device = await DeviceWritesAsync(hub);
        ReceivedRequest received = await server.NextAsync();
        PushFixture.AssertSigned(received, made.GetProperty("secret").GetString()!, TimeProvider.System);
        string text = Encoding.UTF8.GetString(received.Body);
        JsonElement data = JsonDocument.Parse(text).RootElement.GetProperty("data");
        JsonElement change = Assert.Single(data.GetProperty("changes").EnumerateArray());
        Assert.Equal((device.IdentityId, "save", 1), (change.GetProperty("identityId").GetString(),
            change.GetProperty("dataset").GetString(), change.GetProperty("revision").GetInt64()));
        Assert.DoesNotContain("treasure", text, StringComparison.Ordinal);
        JsonElement rest = await GetAsync(hub, $"{Changes}?cursor={data.GetProperty("cursor").GetString()}");
        Assert.Empty(rest.GetProperty("changes").EnumerateArray());
    }

    [Fact]
    public async Task A_new_pool_of_an_old_name_inherits_no_webhook()
    {
        await using HubApp hub = await StartAsync();
        await using LoopbackServer server = await LoopbackServer.AnsweringAsync(200);
        await CreateAsync(hub, JsonSerializer.Serialize(new { url = server.Address }));
        await CreateAsync(hub, JsonSerializer.Serialize(new { url = server.Address, @event = "proposal" }));
        await BeginPoolAnewAsync(hub);
        Assert.Empty((await GetAsync(hub, Hooks)).GetProperty("webhooks").EnumerateArray());
        await DeviceWritesAsync(hub);
        Assert.Single((await GetAsync(hub, Changes + "?wait=60")).GetProperty("changes").EnumerateArray());
        Assert.Equal(0, server.Count);
    }

    private static async Task BeginPoolAnewAsync(HubApp hub)
    {
        hub.Admin.DefaultRequestHeaders.TryAddWithoutValidation("If-Match", "*");
        Assert.Equal(HttpStatusCode.NoContent,
            (await SendAsync(hub, HttpMethod.Delete, "/admin/pools/game?force=true")).Status);
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
    }

    private static async Task<HubApp> StartAsync(Action<SyncHubOptions>? options = null)
    {
        HubApp hub = await HubApp.StartAsync(options: options);
        await hub.CreatePoolAsync("""{"name":"game","allowsGuests":true}""");
        return hub;
    }

    /// <summary>A new guest writes and syncs over a session.</summary>
    private static async Task<RawDevice> DeviceWritesAsync(HubApp hub)
    {
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await using SyncStore store = await device.OpenStoreAsync();
        store.Identity.Dataset("save")["where"] = "treasure";
        await store.SynchronizeAsync(device.Connector());
        return device;
    }

    private static async Task<JsonElement> CreateAsync(HubApp hub, string body)
    {
        (HttpStatusCode status, JsonElement made) = await SendAsync(hub, HttpMethod.Post, Hooks, body);
        Assert.True(status == HttpStatusCode.Created, made.ToString());
        return made;
    }

    private static async Task<JsonElement> GetAsync(HubApp hub, string path)
    {
        (HttpStatusCode status, JsonElement body) = await SendAsync(hub, HttpMethod.Get, path);
        return status == HttpStatusCode.OK ? body : throw new InvalidOperationException($"{path}: {status} {body}");
    }

    private static async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(
        HubApp hub, HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await hub.Admin.SendAsync(request);
        string text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }

    private static string Refused((HttpStatusCode Status, JsonElement Body) answer, HttpStatusCode status, string code)
    {
        Assert.True(status == answer.Status, $"{answer.Status}: {answer.Body}");
        Assert.Equal("urn:syncengine:" + code, answer.Body.GetProperty("type").GetString());
        return answer.Body.GetProperty("detail").GetString()!;
    }
}
