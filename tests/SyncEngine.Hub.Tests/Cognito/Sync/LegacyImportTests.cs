using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using SyncEngine.Datasets;
using SyncEngine.Hub.Cognito;
using SyncEngine.Hub.Cognito.Sync;
using Xunit;
using static SyncEngine.Hub.Tests.Cognito.Sync.SyncApi;

namespace SyncEngine.Hub.Tests.Cognito.Sync;

public sealed class LegacyImportTests
{
    private const string Old = "us-east-1:01234567-89ab-cdef-0123-456789abcdef";

    [Fact]
    public async Task A_dataset_that_was_taken_over_counts_on_from_where_it_was()
    {
        await using LegacyWorld world = await LegacyWorld.OpenAsync();
        LegacyPatch[] records =
            [new("b", "2", 37, 5_000), new("a", "1", 12, null), new("gone", null, 36, null), new("c", "", 37, null)];
        Assert.True(await world.ImportAsync(records));
        Assert.False(await world.ImportAsync(records));
        await world.CrashAsync();
        LegacyChanges all = await world.ReadAsync(0);
        Assert.Equal("a=1@12 gone=-@36 b=2@37 c=@37", string.Join(' ', all.Records.Select(static record =>
            $"{record.Key}={record.Value ?? "-"}@{record.SyncCount}")));
        Assert.Equal(37, all.SyncCount);
        Assert.Equal(5_000, all.Records[2].DeviceMilliseconds);
        Assert.Empty((await world.ReadAsync(37)).Records);
        await RefusedAsync("InvalidParameterException", () => world.ReadAsync(38));
        await RefusedAsync("ResourceConflictException", () => world.UpdateAsync(new LegacyPatch("a", "2", 1, null)));
        Assert.Equal(38, (await world.UpdateAsync(new LegacyPatch("a", "2", 12, null))).Single().SyncCount);
        Dataset device = LegacyWorld.NewDevice();
        await world.SyncAsync(device);
        device["a"] = "native";
        await world.SyncAsync(device);
        Assert.Equal(39, (await world.ReadAsync(38)).Records.Single().SyncCount);
    }

    [Fact]
    public async Task An_identity_is_taken_over_by_the_admin_interface_once()
    {
        await using SyncApi api = await StartAsync();
        const string body = """
            {"isOpen":true,"datasets":[{"name":"save","records":[{"key":"a","value":"1","syncCount":7},
             {"key":"b","syncCount":9,"deviceLastModified":1500000000250}]}]}
            """;
        JsonNode first = await PutAsync(api, Old, body, HttpStatusCode.OK);
        JsonNode second = await PutAsync(api, Old, body, HttpStatusCode.OK);
        Assert.True((bool)first["isNew"]! && (bool)first["datasets"]![0]!["isImported"]!);
        Assert.False((bool)second["isNew"]! || (bool)second["datasets"]![0]!["isImported"]!);
        var id = CognitoIds.IdentityOf(Guid.Parse(Old[10..]));
        Assert.Equal("b=-@9", Short(await api.ListAsync(7, id: id)));
        Assert.Equal("a=2@10", Short(await api.UpdateAsync(Put("a", "2", 7), id: id)));
    }

    [Fact]
    public async Task Merged_datasets_that_were_taken_over_are_told_until_they_are_deleted()
    {
        const string guest = "us-east-1:11111111-2222-3333-4444-555555555555";
        await using SyncApi api = await StartAsync();
        string body = $$"""
            {"isOpen":true,"datasets":[{"name":"save","records":[{"key":"a","value":"1","syncCount":7}]},
             {"name":"save.{{guest}}","records":[{"key":"a","value":"2","syncCount":3}]},
             {"name":"alone.{{guest}}","records":[{"key":"a","value":"3","syncCount":4}]},
             {"name":"save.x:1","records":[{"key":"a","value":"4","syncCount":5}]}]}
            """;
        await PutAsync(api, Old, body, HttpStatusCode.OK);
        var id = CognitoIds.IdentityOf(Guid.Parse(Old[10..]));
        Assert.Equal(["save." + guest], MergedIn(await api.ListAsync(0, id: id)));
        Assert.Equal(["alone." + guest], MergedIn(await api.ListAsync(0, "alone", id)));
        Assert.Empty(MergedIn(await api.ListAsync(0, "save." + guest, id)));
        Assert.Equal("a=2@3", Short(await api.ListAsync(0, "save." + guest, id)));

        // One that a client makes by itself is an ordinary one, also under the name of one that was deleted.
        await api.UpdateAsync(Put("a", "5"), "save." + Old, id);
        await api.CallAsync("DeleteDataset", dataset: "save." + guest, id: id);
        Assert.Empty(MergedIn(await api.ListAsync(0, id: id)));
        await api.UpdateAsync(Put("b", "6"), "save." + guest, id);
        Assert.Empty(MergedIn(await api.ListAsync(0, id: id)));
    }

    [Theory]
    [InlineData("""{"datasets":[{"name":"..","records":[]}]}""")]
    [InlineData("""{"datasets":[{"name":"save","records":[{"key":"a","value":"1","syncCount":0}]}]}""")]
    [InlineData("""{"datasets":[{"name":"save","records":[{"key":"","value":"1","syncCount":1}]}]}""")]
    [InlineData("""{"datasets":[{"name":"save","records":[{"key":"a","syncCount":1},{"key":"a","syncCount":2}]}]}""")]
    [InlineData("""{"datasets":[{"name":"save"}]}""")]
    [InlineData("""{"datasets":[null]}""")]
    public async Task What_is_no_import_is_refused_and_nothing_changes(string body)
    {
        await using SyncApi api = await StartAsync();
        await PutAsync(api, Old, body, HttpStatusCode.BadRequest);
        await PutAsync(api, "elsewhere:01234567-89ab-cdef-0123-456789abcdef", """{"datasets":[]}""", HttpStatusCode.BadRequest);
        await RefusedAsync("ResourceNotFoundException", () => api.CallAsync("ListRecords", caller: Developer, identity: Old));
    }

    private static IEnumerable<string?> MergedIn(JsonElement answer) =>
        answer.GetProperty("MergedDatasetNames").EnumerateArray().Select(static name => name.GetString());

    private static async Task<JsonNode> PutAsync(SyncApi api, string identity, string body, HttpStatusCode expected)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await api.Admin.PutAsync(
            $"/admin/pools/game/cognito/identities/{Uri.EscapeDataString(identity)}", content);
        Assert.True(expected == answer.StatusCode, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync<JsonNode>())!;
    }
}
