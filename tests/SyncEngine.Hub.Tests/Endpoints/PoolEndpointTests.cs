using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using SyncEngine.Hub.Tests.Pools;
using Xunit;

namespace SyncEngine.Hub.Tests.Endpoints;

public sealed class PoolEndpointTests : IAsyncLifetime
{
    private const string Game =
        """{"name":"game","allowsGuests":true,"providers":[{"name":"google","kind":"google","audiences":["app-1"]}]}""";

    private AdminApp _app = null!;

    public async Task InitializeAsync() => _app = await AdminApp.StartAsync();

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task A_pool_is_created_with_defaults_and_described()
    {
        Answer created = await _app.PostAsync("/admin/pools", Game);
        Assert.Equal(HttpStatusCode.Created, created.Status);
        Assert.Equal("/admin/pools/game", created.Response.Headers.Location?.ToString());
        Answer described = await _app.GetAsync("/admin/pools/game");
        Assert.Equal(HttpStatusCode.OK, described.Status);
        Assert.Equal(created.Body, described.Body);
        Assert.Equal(created.Tag, described.Tag);
        JsonElement pool = described.Json;
        Assert.Equal(1, pool.GetProperty("revision").GetInt64());
        Assert.Equal(TimeSpan.Zero, pool.GetProperty("createdAt").GetDateTimeOffset().Offset);
        Assert.True(pool.GetProperty("relaysAllowed").GetBoolean());
        Assert.Equal("authenticatedRole", pool.GetProperty("fallback").GetString());
        Assert.Equal(["authenticated", "guest"], pool.GetProperty("roles").EnumerateObject().Select(role => role.Name).Order());
        JsonElement limits = pool.GetProperty("limits");
        Assert.Equal((20, 1024, 1_048_576, 128), (limits.GetProperty("datasetsMax").GetInt32(),
            limits.GetProperty("recordsMax").GetInt32(), limits.GetProperty("datasetBytesMax").GetInt32(),
            limits.GetProperty("keyBytesMax").GetInt32()));
        Assert.Equal("google", pool.GetProperty("providers")[0].GetProperty("kind").GetString());
        (await _app.PostAsync("/admin/pools", Game)).Refused(HttpStatusCode.Conflict, "pool-exists");
    }

    [Fact]
    public async Task A_description_can_be_changed_and_sent_back()
    {
        await _app.PostAsync("/admin/pools", Game);
        Answer seen = await _app.GetAsync("/admin/pools/game");
        JsonNode pool = JsonNode.Parse(seen.Body)!;
        pool["description"] = "Spiel 🎮";
        pool["limits"]!["recordsMax"] = null;
        Answer changed = await _app.PutAsync("/admin/pools/game", pool.ToJsonString(), seen.Tag);
        Assert.Equal(HttpStatusCode.OK, changed.Status);
        Assert.Equal(2, changed.Json.GetProperty("revision").GetInt64());
        Assert.Equal("Spiel 🎮", changed.Json.GetProperty("description").GetString());
        Assert.Equal(JsonValueKind.Null, changed.Json.GetProperty("limits").GetProperty("recordsMax").ValueKind);
        Assert.Equal(seen.Json.GetProperty("createdAt").GetString(), changed.Json.GetProperty("createdAt").GetString());

        Answer late = await _app.PutAsync("/admin/pools/game", pool.ToJsonString(), seen.Tag);
        late.Refused(HttpStatusCode.PreconditionFailed, "pool-changed");
        Assert.Equal(changed.Tag, late.Tag);
        foreach (string tag in (string[])["W/" + changed.Tag, "nonsense", "\"\"", "2"])
            (await _app.PutAsync("/admin/pools/game", pool.ToJsonString(), tag)).Refused(HttpStatusCode.PreconditionFailed,
                "pool-changed");
        (await _app.PutAsync("/admin/pools/game", pool.ToJsonString(), null))
            .Refused(HttpStatusCode.PreconditionRequired, "condition-missing");
        Assert.Equal(HttpStatusCode.OK, (await _app.PutAsync("/admin/pools/game", pool.ToJsonString(), "*")).Status);
    }

    [Fact]
    public async Task Changes_go_to_the_pool_of_the_address()
    {
        await _app.PostAsync("/admin/pools", Game);
        (await _app.PutAsync("/admin/pools/other", Game, "*")).Refused(HttpStatusCode.BadRequest, "other-name", "$.name");
        (await _app.PutAsync("/admin/pools/other", Game.Replace("game", "other"), "*"))
            .Refused(HttpStatusCode.NotFound, "no-such-pool");
        (await _app.PutAsync("/admin/pools/game", """{"name":"game","guestRole":"authenticated"}""", "*"))
            .Refused(HttpStatusCode.BadRequest, "bad-pool", "$.guestRole");
    }

    [Fact]
    public async Task Lists_come_in_pages()
    {
        foreach (string name in (string[])["b", "a", "d", "c"])
            Assert.Equal(HttpStatusCode.Created, (await _app.PostAsync("/admin/pools", $$"""{"name":"{{name}}"}""")).Status);
        JsonElement page = (await _app.GetAsync("/admin/pools?limit=3")).Json;
        Assert.Equal(["a", "b", "c"], page.GetProperty("pools").EnumerateArray()
            .Select(pool => pool.GetProperty("name").GetString()));
        Assert.Equal("c", page.GetProperty("next").GetString());
        page = (await _app.GetAsync("/admin/pools?limit=3&cursor=c")).Json;
        Assert.Equal(1, page.GetProperty("pools").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, page.GetProperty("next").ValueKind);
        foreach (string limit in (string[])["0", "101", "-1", "x", "", "1&limit=2", "99999999999"])
            (await _app.GetAsync("/admin/pools?limit=" + limit)).Refused(HttpStatusCode.BadRequest, "bad-limit");
        (await _app.GetAsync("/admin/pools?cursor=" + new string('c', 300))).Refused(HttpStatusCode.BadRequest, "bad-cursor");
    }

    [Fact]
    public async Task A_pool_is_deleted()
    {
        Answer created = await _app.PostAsync("/admin/pools", Game);
        (await _app.DeleteAsync("/admin/pools/game", "\"0.0\"")).Refused(HttpStatusCode.PreconditionFailed, "pool-changed");
        (await _app.DeleteAsync("/admin/pools/game?force=yes")).Refused(HttpStatusCode.BadRequest, "bad-force");
        Assert.Equal(HttpStatusCode.NoContent, (await _app.DeleteAsync("/admin/pools/game", created.Tag)).Status);
        (await _app.GetAsync("/admin/pools/game")).Refused(HttpStatusCode.NotFound, "no-such-pool");
        (await _app.DeleteAsync("/admin/pools/game")).Refused(HttpStatusCode.NotFound, "no-such-pool");
        Assert.Null(await _app.Rows.ReadAsync("pool/game"));
    }

    [Fact]
    public async Task Identities_go_with_their_pool_only_by_force()
    {
        await _app.PostAsync("/admin/pools", Game);
        await _app.Rows.WriteAsync(KeyValuePair.Create<string, byte[]?>("id/game/1", [1]));
        (await _app.DeleteAsync("/admin/pools/game")).Refused(HttpStatusCode.Conflict, "pool-not-empty");
        (await _app.DeleteAsync("/admin/pools/game?force=false")).Refused(HttpStatusCode.Conflict, "pool-not-empty");
        _app.Pools.RemoveIdentities = (name, _) => _app.Rows.WriteAsync(KeyValuePair.Create<string,
            byte[]?>($"id/{name}/1", null));
        Assert.Equal(HttpStatusCode.NoContent, (await _app.DeleteAsync("/admin/pools/game?force=true")).Status);
    }

    [Fact]
    public async Task No_answer_has_a_secret()
    {
        string json = """{"name":"game","providers":[{"name":"f","kind":"facebook","appId":"1","appSecret":"hush-hush"}]}""";
        var answers = new List<Answer> { await _app.PostAsync("/admin/pools", json), await _app.GetAsync("/admin/pools/game") };
        answers.Add(await _app.PutAsync("/admin/pools/game", answers[1].Body, answers[1].Tag));
        answers.Add(await _app.GetAsync("/admin/pools"));
        Assert.All(answers, answer => Assert.True(answer.Response.IsSuccessStatusCode, answer.Body));
        Assert.All(answers, answer => Assert.DoesNotContain("hush", answer.Body, StringComparison.Ordinal));
        Assert.True(answers[2].Json.GetProperty("providers")[0].GetProperty("hasAppSecret").GetBoolean());
        Assert.Equal("hush-hush", (await _app.Pools.FindAsync("game"))!.Providers[0].AppSecret);
    }

    [Theory]
    [InlineData("..%2f")]
    [InlineData("..%2f..%2fetc")]
    [InlineData("%2e%2e%2fpool")]
    [InlineData("a%00b")]
    [InlineData("p%C3%B6ol")]
    [InlineData("%F0%9D%90%A9")]
    [InlineData("a.b")]
    [InlineData("a%5cb")]
    [InlineData("game%20")]
    public async Task Names_with_tricks_name_nothing(string name)
    {
        await _app.PostAsync("/admin/pools", Game);
        if (name.Contains("%00", StringComparison.Ordinal))
        {
            // The server itself refuses the line.
            Assert.Equal(HttpStatusCode.BadRequest, (await _app.GetAsync("/admin/pools/" + name)).Status);
            return;
        }

        foreach (HttpMethod method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Put, HttpMethod.Delete])
            (await _app.SendAsync(method, "/admin/pools/" + name, method == HttpMethod.Put ? Game : null, "*"))
                .Refused(HttpStatusCode.BadRequest, "bad-name");
    }

    [Fact]
    public async Task Refused_definitions_change_nothing()
    {
        (await _app.PostAsync("/admin/pools", """{"name":"../x"}""")).Refused(HttpStatusCode.BadRequest, "bad-pool", "$.name");
        string jwk = JsonSerializer.Serialize(SamplePools.Jwk(isPrivate: true));
        (await _app.PostAsync("/admin/pools",
            $$"""{"name":"x","providers":[{"name":"d","kind":"developer","keys":[{{jwk}}]}]}"""))
            .Refused(HttpStatusCode.BadRequest, "bad-pool", "$.providers[0].keys[0]");
        Assert.Empty((await _app.Rows.ReadRangeAsync("", null, 9)));
    }

    [Fact]
    public async Task Other_addresses_and_methods_are_told_apart_from_nothing()
    {
        foreach (string path in (string[])["/admin", "/admin/", "/admin/x", "/admin/x.y", "/admin/pools/a/b/c"])
            (await _app.GetAsync(path)).Refused(HttpStatusCode.NotFound, "no-such-address");
        (await _app.SendAsync(HttpMethod.Patch, "/admin/pools/game", "{}")).Refused(HttpStatusCode.NotFound, "no-such-address");
    }
}
