using System.Net;
using System.Text.Json;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Hub.Syncing;
using SyncEngine.Identities;
using SyncEngine.Json;
using SyncEngine.Values;
using Xunit;

namespace SyncEngine.Hub.Tests.Endpoints;

/// <summary>An operator's own services read what identities have, and keep up with it.</summary>
public sealed class DatasetEndpointTests
{
    private const string Pool = """{"name":"game","allowsGuests":true,"limits":{"recordsMax":null,"datasetBytesMax":null}}""";

    [Fact]
    public async Task Datasets_are_listed_in_pages_with_what_they_hold()
    {
        await using HubApp hub = await StartAsync();
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await WriteAsync(hub, device, "save", static save =>
        {
            save["level"] = 3;
            save["gone"] = 1;
        });
        await WriteAsync(hub, device, "save", static save => save.Delete("gone"));
        await WriteAsync(hub, device, "board", static board => board.Max("best").Raise(7));
        (HttpStatusCode status, JsonElement first) = await GetAsync(hub, $"identities/{device.IdentityId}/datasets?limit=1");
        Assert.True(status == HttpStatusCode.OK, first.ToString());
        Assert.Equal("board", Assert.Single(first.GetProperty("datasets").EnumerateArray()).GetProperty("dataset").GetString());
        (_, JsonElement second) = await GetAsync(hub, $"identities/{device.IdentityId}/datasets?limit=1&cursor="
            + first.GetProperty("next").GetString());
        JsonElement save = Assert.Single(second.GetProperty("datasets").EnumerateArray());
        Assert.Equal(JsonValueKind.Null, second.GetProperty("next").ValueKind);
        Assert.Equal("""{"dataset":"save","revision":2,"records":1,"deletes":1,"bytes":6}""", save.GetRawText());
    }

    [Fact]
    public async Task Records_of_each_kind_read_as_an_export_writes_them()
    {
        await using HubApp hub = await StartAsync();
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await WriteAsync(hub, device, "save", static save =>
        {
            save["photo"] = Value.FromBytes([1, 2, 3]);
            save.Counter("gold").Add(5);
            save.Max("best").Raise(2.5);
            save.Min("least").Lower(1);
            save.Set("bag").Add("é");
            save.Map("who")["name"] = "Ann";
            save.List("todo").Add(1);
        });
        (_, JsonElement page) = await GetAsync(hub, $"identities/{device.IdentityId}/datasets/save");
        Assert.Equal("""
            {"records":[{"key":"bag","kind":"set","value":["é"],"revision":1},
            {"key":"best","kind":"max","value":2.5,"revision":1},
            {"key":"gold","kind":"counter","value":5,"revision":1},{"key":"least","kind":"min","value":1,"revision":1},
            {"key":"photo","kind":"register","value":{"$bytes":"AQID"},"revision":1},
            {"key":"todo","kind":"list","value":[1],"revision":1},
            {"key":"who","kind":"map","value":{"name":"Ann"},"revision":1}],"revision":1,"next":null}
            """.ReplaceLineEndings(""), page.GetRawText());
    }

    [Fact]
    public async Task What_changed_since_a_revision_is_told_and_what_was_deleted()
    {
        await using HubApp hub = await StartAsync();
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await WriteAsync(hub, device, "save", static save =>
        {
            (save["a"], save["b"], save["c"]) = (1, 1, 1);
            save.Map("m")["x"] = 1;
        });
        await WriteAsync(hub, device, "save", static save => save["b"] = 2);
        await WriteAsync(hub, device, "save", static save =>
        {
            save.Delete("c");
            save.Map("m")["y"] = 2;
        });
        (_, JsonElement since) = await GetAsync(hub, $"identities/{device.IdentityId}/datasets/save?since=1");
        Assert.Equal("""
            {"records":[{"key":"b","kind":"register","value":2,"revision":2},
            {"key":"c","kind":"register","revision":3,"isDeleted":true},
            {"key":"m","kind":"map","value":{"x":1,"y":2},"revision":3}],"revision":3,"next":null}
            """.ReplaceLineEndings(""), since.GetRawText());
        (_, JsonElement all) = await GetAsync(hub, $"identities/{device.IdentityId}/datasets/save");
        Assert.Equal(["a", "b", "m"], all.GetProperty("records").EnumerateArray().Select(record => record.GetProperty("key")
            .GetString()));
        (_, JsonElement none) = await GetAsync(hub, $"identities/{device.IdentityId}/datasets/save?since=3");
        Assert.Equal("""{"records":[],"revision":3,"next":null}""", none.GetRawText());
    }

    [Fact]
    public async Task What_changes_between_two_pages_is_not_lost()
    {
        await using HubApp hub = await StartAsync();
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await WriteAsync(hub, device, "save", static save =>
        {
            save["0"] = 1;
            save["old"] = 1;
        });
        await WriteAsync(hub, device, "save", static save => save.Delete("old"));
        await WriteAsync(hub, device, "save", static save =>
        {
            for (int i = 0; i < 20; i++) save.Counter("k" + i).Add(1);
        });
        var mirror = new PoolMirror(hub.Admin, "game", limit: 3);
        int round = 0;
        await mirror.ReadAsync(device.IdentityId, "save", () => WriteAsync(hub, device, "save", save =>
        {
            if (++round > 6) return;
            save.Delete(round == 1 ? "0" : "new" + (round - 1));
            save.Counter("k" + round).Add(round);
            save["new" + round] = round;
            save.Delete("k1" + round, RecordKind.Counter);
        }));
        Assert.True(round > 6);
        await AssertSameAsync(hub, mirror);
    }

    [Fact]
    public async Task A_page_ends_after_a_mebibyte()
    {
        await using HubApp hub = await StartAsync();
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await WriteAsync(hub, device, "save", static save =>
        {
            for (int i = 0; i < 5; i++) save["k" + i] = new string('x', 600_000);
        });
        (_, JsonElement page) = await GetAsync(hub, $"identities/{device.IdentityId}/datasets/save");
        Assert.Equal(2, page.GetProperty("records").GetArrayLength());
        var mirror = new PoolMirror(hub.Admin, "game", limit: 1000);
        await mirror.ReadAsync(device.IdentityId, "save");
        await AssertSameAsync(hub, mirror);
    }

    [Fact]
    public async Task Who_may_have_missed_deletes_is_told_to_begin_anew()
    {
        await using HubApp hub = await StartAsync();
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await WriteAsync(hub, device, "save", static save => (save["a"], save["b"]) = (1, 1));
        await WriteAsync(hub, device, "save", static save => save.Delete("a"));
        using (IdentityLease lease = await hub.Store.LeaseAsync("game", IdentityId.Parse(device.IdentityId)))
        {
            Dataset save = lease.Identity.OpenForJoin("save");
            await save.FlushAsync();
            Assert.Equal(1, save.ForgetDeletes(save.Version));
        }

        string path = $"identities/{device.IdentityId}/datasets/save";
        Assert.Contains("without since", Refused(await GetAsync(hub, path + "?since=1"), HttpStatusCode.Gone, "revision-gone"),
            StringComparison.Ordinal);
        (_, JsonElement all) = await GetAsync(hub, path);
        Assert.Equal("b", Assert.Single(all.GetProperty("records").EnumerateArray()).GetProperty("key").GetString());
        long revision = all.GetProperty("revision").GetInt64();
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(hub, $"{path}?since={revision}")).Status);
        Refused(await GetAsync(hub, $"{path}?since={revision + 1}"), HttpStatusCode.Gone, "revision-gone");
        Refused(await GetAsync(hub, $"{path}?since={long.MaxValue}"), HttpStatusCode.Gone, "revision-gone");
    }

    [Fact]
    public async Task A_refusal_says_what_to_do()
    {
        await using HubApp hub = await StartAsync();
        using RawDevice device = await new RawDevice(hub, "game").RegisterAsync();
        await WriteAsync(hub, device, "save", static save => save["a"] = 1);
        string path = $"identities/{device.IdentityId}/datasets";
        Refused(await GetAsync(hub, path, pool: "other"), HttpStatusCode.NotFound, "no-such-pool");
        Refused(await GetAsync(hub, path, pool: "no pool"), HttpStatusCode.BadRequest, "bad-name");
        Refused(await GetAsync(hub, "identities/me/datasets"), HttpStatusCode.BadRequest, "bad-identity");
        Refused(await GetAsync(hub, $"identities/{new string('1', 32)}/datasets"), HttpStatusCode.NotFound, "not-found");
        Assert.Contains("list", Refused(await GetAsync(hub, path + "/other"), HttpStatusCode.NotFound, "no-such-dataset"),
            StringComparison.Ordinal);
        foreach (string since in (string[])["-1", "x", "", "1&since=2"])
            Refused(await GetAsync(hub, $"{path}/save?since={since}"), HttpStatusCode.BadRequest, "bad-since");
        foreach (string limit in (string[])["0", "1001", "x"])
            Refused(await GetAsync(hub, $"{path}/save?limit={limit}"), HttpStatusCode.BadRequest, "bad-limit");
        foreach (string cursor in (string[])["x", "!", "MS4x", "", new string('A', 7000)])
            Refused(await GetAsync(hub, $"{path}/save?cursor={cursor}"), HttpStatusCode.BadRequest, "bad-cursor");
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.SendAsync(HttpMethod.Get, $"/admin/pools/game/{path}")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized,
            (await hub.SendAsync(HttpMethod.Get, $"/admin/pools/game/{path}/save", device.AccessToken)).Status);
    }

    [Fact]
    public async Task Backfill_and_feed_lose_nothing_while_devices_write()
    {
        await using HubApp hub = await StartAsync();
        var devices = new List<RawDevice>();
        for (int i = 0; i < 4; i++) devices.Add(await new RawDevice(hub, "game").RegisterAsync());
        var random = new Random(7);
        for (int i = 0; i < 40; i++) await WriteSomethingAsync(hub, devices, random);
        var mirror = new PoolMirror(hub.Admin, "game", limit: 2);
        await mirror.BackfillAsync(async () =>
        {
            // Its id may come before the ones that are listed already.
            if (devices.Count < 12) devices.Add(await new RawDevice(hub, "game").RegisterAsync());
            for (int i = 0; i < 10; i++) await WriteSomethingAsync(hub, devices, random);
        });
        for (int i = 0; i < 40; i++) await WriteSomethingAsync(hub, devices, random);
        foreach (RawDevice device in devices) await WriteAsync(hub, device, "last", static last => last["end"] = true);
        await mirror.FollowAsync(() => mirror.Records.Keys.Count(static name => name.Dataset == "last") == devices.Count);
        await AssertSameAsync(hub, mirror);
        foreach (RawDevice device in devices) device.Dispose();
    }

    private static async Task<HubApp> StartAsync()
    {
        HubApp hub = await HubApp.StartAsync();
        await hub.CreatePoolAsync(Pool);
        return hub;
    }

    private static Task WriteSomethingAsync(HubApp hub, List<RawDevice> devices, Random random) =>
        WriteAsync(hub, devices[random.Next(devices.Count)], "d" + random.Next(3), data =>
        {
            string key = "k" + random.Next(6);
            if (random.Next(3) == 0) data.Delete(key);
            else data[key] = random.Next();
            data.Counter("sum").Add(1);
        });

    /// <summary>Writes as the hub does, in one transaction.</summary>
    private static async Task WriteAsync(HubApp hub, RawDevice device, string dataset, Action<Transaction> write)
    {
        using IdentityLease lease = await hub.Store.LeaseAsync("game", IdentityId.Parse(device.IdentityId));
        lease.Identity.OpenForJoin(dataset).Write(write);
    }

    private static async Task<(HttpStatusCode Status, JsonElement Body)> GetAsync(HubApp hub, string path, string pool = "game")
    {
        using HttpResponseMessage response = await hub.Admin.GetAsync($"/admin/pools/{pool}/{path}");
        return (response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement);
    }

    private static string Refused((HttpStatusCode Status, JsonElement Body) answer, HttpStatusCode status, string code)
    {
        Assert.Equal((status, "urn:syncengine:" + code), (answer.Status, answer.Body.GetProperty("type").GetString()));
        return answer.Body.GetProperty("detail").GetString()!;
    }

    private static async Task AssertSameAsync(HubApp hub, PoolMirror mirror)
    {
        var expected = new Dictionary<(string, string, string, string), string>();
        JsonElement identities = await mirror.GetAsync("identities");
        foreach (JsonElement identity in identities.GetProperty("identities").EnumerateArray())
        {
            string id = identity.GetProperty("identityId").GetString()!;
            using IdentityLease lease = await hub.Store.LeaseAsync("game", IdentityId.Parse(id));
            foreach (string name in lease.Identity.DatasetNames)
            {
                Dataset dataset = lease.Identity.OpenForJoin(name);
                foreach (RecordName record in dataset.Records)
                    expected[(id, name, record.Key, RecordKindName.Of(record.Kind))] =
                        ValueJson.Format(json => RecordJson.WriteValue(json, dataset, record));
            }
        }

        Assert.NotEmpty(expected);
        Assert.Equal(expected.OrderBy(static record => record.Key), mirror.Records.OrderBy(static record => record.Key));
    }
}
