using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Datasets;
using SyncEngine.Hub.Cognito;
using SyncEngine.Hub.Cognito.Sync;
using SyncEngine.Hub.Rows;
using SyncEngine.Hub.Syncing;
using Xunit;
using static SyncEngine.Hub.Tests.Cognito.Sync.SyncApi;

namespace SyncEngine.Hub.Tests.Cognito.Sync;

public sealed class RecordOperationsTests
{
    [Fact]
    public async Task A_dataset_that_is_not_there_lists_as_empty_with_all_members()
    {
        await using SyncApi api = await StartAsync();
        JsonElement answer = await api.ListAsync();
        Assert.Equal("", Short(answer));
        Assert.Equal(0, answer.GetProperty("Count").GetInt32());
        Assert.Equal(0, answer.GetProperty("DatasetSyncCount").GetInt64());
        Assert.False(answer.GetProperty("DatasetExists").GetBoolean());
        Assert.False(answer.GetProperty("DatasetDeletedAfterRequestedSyncCount").GetBoolean());
        Assert.Empty(answer.GetProperty("MergedDatasetNames").EnumerateArray());
        Assert.NotEmpty(answer.GetProperty("SyncSessionToken").GetString()!);
        Assert.False(answer.TryGetProperty("NextToken", out _));
    }

    [Fact]
    public async Task Each_accepted_call_counts_one_and_each_record_carries_that_count()
    {
        await using SyncApi api = await StartAsync();
        Assert.Equal("a=1@1 b=@1", Short(await api.UpdateAsync(Put("a", "1") + "," + Put("b", ""))));
        Assert.Equal("a=2@2", Short(await api.UpdateAsync(Put("a", "2", 1))));
        Assert.Equal("b=-@3", Short(await api.UpdateAsync(Remove("b", 1))));
        Assert.Equal("c=-@4", Short(await api.UpdateAsync(Remove("c", 0))));
        JsonElement all = await api.ListAsync();
        Assert.Equal("a=2@2 b=-@3 c=-@4", Short(all));
        Assert.Equal(4, all.GetProperty("DatasetSyncCount").GetInt64());
        Assert.True(all.GetProperty("DatasetExists").GetBoolean());
        Assert.Equal(api.WireOf(api.Ann), all.GetProperty("LastModifiedBy").GetString());
        Assert.Equal("b=-@3 c=-@4", Short(await api.ListAsync(2)));
        Assert.Equal("", Short(await api.ListAsync(4)));
    }

    [Fact]
    public async Task Times_are_seconds_as_numbers_and_a_device_s_own_time_comes_back()
    {
        await using SyncApi api = await StartAsync();
        await api.UpdateAsync("""{"Op":"replace","Key":"a","Value":"1","SyncCount":0,"DeviceLastModifiedDate":1500000000.25}""");
        JsonElement record = (await api.ListAsync()).GetProperty("Records")[0];
        Assert.Equal(1500000000.25, record.GetProperty("DeviceLastModifiedDate").GetDouble());
        double now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;
        Assert.InRange(record.GetProperty("LastModifiedDate").GetDouble(), now - 300, now + 300);
        await api.NativeAsync(static device => device["a"] = "2");
        record = (await api.ListAsync()).GetProperty("Records")[0];
        Assert.NotEqual(1500000000.25, record.GetProperty("DeviceLastModifiedDate").GetDouble());
    }

    [Fact]
    public async Task A_stale_patch_rejects_the_whole_call_with_the_text_that_clients_match()
    {
        await using SyncApi api = await StartAsync();
        await api.UpdateAsync(Put("a", "1") + "," + Put("b", "1"));
        await api.UpdateAsync(Put("a", "2", 1));
        CognitoException e = await RefusedAsync(
            "ResourceConflictException", () => api.UpdateAsync(Put("b", "3", 1) + "," + Put("a", "3", 1)));
        Assert.Equal("Current SyncCount for: a is: 2 not: 1", e.Message);
        Assert.Equal(409, e.Status);
        Assert.Equal("b=1@1 a=2@2", Short(await api.ListAsync()));
    }

    [Fact]
    public async Task A_count_that_the_dataset_never_had_is_refused()
    {
        await using SyncApi api = await StartAsync();
        await api.UpdateAsync(Put("a", "1"));
        CognitoException e = await RefusedAsync("InvalidParameterException", () => api.ListAsync(37));
        Assert.Equal("No such SyncCount: 37 exists for this Dataset", e.Message);
    }

    [Fact]
    public async Task Pages_stay_consistent_while_somebody_writes()
    {
        await using SyncApi api = await StartAsync();
        for (int i = 0; i < 5; i++) await api.UpdateAsync(Put("k" + i, "1"));
        JsonElement page = await api.CallAsync("ListRecords", query: ("maxResults", 2));
        Assert.Equal("k0=1@1 k1=1@2", Short(page));
        await api.UpdateAsync(Put("k1", "2", 2) + "," + Put("k3", "2", 4));
        var shown = new List<string>();
        while (page.TryGetProperty("NextToken", out JsonElement next))
        {
            page = await api.CallAsync("ListRecords", query: [("maxResults", 2), ("nextToken", next.GetString()!)]);
            Assert.Equal(5, page.GetProperty("DatasetSyncCount").GetInt64());
            shown.Add(Short(page));
        }

        Assert.Equal(["k2=1@3 k4=1@5"], shown);
        Assert.Equal("k1=2@6 k3=2@6", Short(await api.ListAsync(5)));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("bm9uc2Vuc2U.bm9uc2Vuc2U")]
    public async Task A_token_that_the_hub_did_not_make_is_refused(string token)
    {
        await using SyncApi api = await StartAsync();
        await RefusedAsync("InvalidParameterException", () => api.CallAsync("ListRecords", query: ("nextToken", token)));
        await RefusedAsync("InvalidParameterException", () => api.CallAsync("ListRecords", query: ("syncSessionToken", token)));
        await RefusedAsync("InvalidParameterException", () => api.CallAsync("ListDatasets", query: ("nextToken", token)));
        await RefusedAsync("InvalidParameterException", () => api.CallAsync(
            "UpdateRecords", $$"""{"SyncSessionToken":"{{token}}","RecordPatches":[{{Put("a", "1")}}]}"""));
        Assert.False((await api.ListAsync()).GetProperty("DatasetExists").GetBoolean());
    }

    [Fact]
    public async Task A_session_token_is_needed_and_good_for_its_identity_and_dataset_alone()
    {
        await using SyncApi api = await StartAsync();
        string patches = $"\"RecordPatches\":[{Put("a", "1")}]";
        await RefusedAsync("InvalidParameterException", () => api.CallAsync("UpdateRecords", $"{{{patches}}}"));
        string other = (await api.ListAsync(0, "other")).GetProperty("SyncSessionToken").GetString()!;
        var bob = await api.RegisterAsync();
        string bobs = (await api.ListAsync(0, id: bob)).GetProperty("SyncSessionToken").GetString()!;
        foreach (string token in (string[])[other, bobs])
            await RefusedAsync("InvalidParameterException", () => api.CallAsync(
                "UpdateRecords", $$"""{"SyncSessionToken":"{{token}}",{{patches}}}"""));
        string own = (await api.ListAsync()).GetProperty("SyncSessionToken").GetString()!;
        JsonElement again = await api.CallAsync("ListRecords", query: ("syncSessionToken", own));
        string token2 = again.GetProperty("SyncSessionToken").GetString()!;
        Assert.Equal("a=1@1", Short(await api.CallAsync("UpdateRecords", $$"""{"SyncSessionToken":"{{token2}}",{{patches}}}""")));
    }

    [Fact]
    public async Task A_session_token_expires()
    {
        await using SyncApi api = await StartAsync();
        var time = new HubClock();
        using var seals = new SealedTexts(new HubRows());
        var sessions = new SyncSessions(seals, time);
        var row = (await ((Identities.IdentityDirectory)api.Services.GetService(typeof(Identities.IdentityDirectory))!)
            .FindAsync("game", api.Ann))!;
        var scope = new SyncScope(CallerOf(api.Ann), api.Pool, row);
        string token = await sessions.ContinueAsync(scope, "save", null, default);
        time.Advance(SyncSessions.Lifetime - TimeSpan.FromSeconds(1));
        await sessions.CheckAsync(scope, "save", token, default);
        time.Advance(TimeSpan.FromSeconds(2));
        await RefusedAsync("InvalidParameterException", () => sessions.CheckAsync(scope, "save", token, default).AsTask());
    }

    [Theory]
    [InlineData("""{"Op":"replace","Key":"a","Value":5,"SyncCount":0}""", "SerializationException")]
    [InlineData("""{"Op":"replace","Key":"a","Value":"1","SyncCount":"0"}""", "SerializationException")]
    [InlineData("""{"Op":"replace","Key":"a","Value":"1","SyncCount":0.5}""", "SerializationException")]
    [InlineData("""{"Op":"replace","Key":7,"Value":"1","SyncCount":0}""", "SerializationException")]
    [InlineData("""{"Op":"replace","Key":"a","Value":"1","SyncCount":0,"DeviceLastModifiedDate":""}""",
        "SerializationException")]
    [InlineData("\"text\"", "SerializationException")]
    [InlineData("""{"Op":"replace","Key":"a","SyncCount":0}""", "InvalidParameterException")]
    [InlineData("""{"Op":"replace","Key":"a","Value":"1"}""", "InvalidParameterException")]
    [InlineData("""{"Op":"replace","Key":"","Value":"1","SyncCount":0}""", "InvalidParameterException")]
    [InlineData("""{"Op":"upsert","Key":"a","Value":"1","SyncCount":0}""", "InvalidParameterException")]
    [InlineData("""{"Key":"a","Value":"1","SyncCount":0}""", "InvalidParameterException")]
    public async Task A_malformed_patch_is_refused_and_nothing_changes(string patch, string type)
    {
        await using SyncApi api = await StartAsync();
        await RefusedAsync(type, () => api.UpdateAsync(Put("b", "1") + "," + patch));
        Assert.False((await api.ListAsync()).GetProperty("DatasetExists").GetBoolean());
    }

    [Fact]
    public async Task Limits_refuse_what_is_too_much_and_nothing_changes()
    {
        await using SyncApi api = await StartAsync("""
            {"name":"game","allowsGuests":true,"limits":{"datasetsMax":2,"recordsMax":3,"datasetBytesMax":100,"keyBytesMax":8}}
            """);
        await RefusedAsync("InvalidParameterException", () => api.UpdateAsync(Put("123456789", "1")));
        await RefusedAsync("InvalidParameterException", () => api.UpdateAsync(Put("k", new string('x', 1_048_576))));
        await RefusedAsync("InvalidParameterException", () => api.UpdateAsync(Put("a", "1") + "," + Put("a", "2")));
        string four = string.Join(',', "abcd".Select(static letter => Put($"{letter}", "1")));
        await RefusedAsync("LimitExceededException", () => api.UpdateAsync(four));
        await RefusedAsync("LimitExceededException", () => api.UpdateAsync(Put("a", new string('x', 100))));
        Assert.False((await api.ListAsync()).GetProperty("DatasetExists").GetBoolean());

        // A hundred bytes of keys and texts fit, whatever they take inside.
        Assert.Equal(1, (await api.UpdateAsync(Put("a", new string('x', 49)) + "," + Put("b", new string('y', 49))))
            .GetProperty("Records")[0].GetProperty("SyncCount").GetInt64());
        await api.UpdateAsync(Put("a", "1"), "second");
        await RefusedAsync("LimitExceededException", () => api.UpdateAsync(Put("a", "1"), "third"));
        await api.CallAsync("DeleteDataset", dataset: "second");
        await api.UpdateAsync(Put("a", "1"), "third");
        Assert.Equal(2, (await api.CallAsync("ListDatasets")).GetProperty("Count").GetInt32());
    }

    [Fact]
    public async Task A_record_whose_write_was_refused_is_listed_and_written_as_before()
    {
        await using SyncApi api = await SyncApi.StartAsync(
            """{"name":"game","allowsGuests":true,"limits":{"datasetBytesMax":100}}""");
        await api.UpdateAsync(SyncApi.Put("a", "1"));
        await SyncApi.RefusedAsync("LimitExceededException",
            () => api.UpdateAsync(SyncApi.Put("a", new string('x', 99), 1) + "," + SyncApi.Put("b", new string('x', 99))));
        Assert.Equal("a=1@1", SyncApi.Short(await api.ListAsync()));
        Assert.Equal("a=2@2", SyncApi.Short(await api.UpdateAsync(SyncApi.Put("a", "2", 1))));
    }

    [Fact]
    public async Task A_first_write_that_is_refused_leaves_no_dataset_open()
    {
        await using SyncApi api = await StartAsync(
            """{"name":"game","allowsGuests":true,"limits":{"datasetBytesMax":1000,"recordsMax":2}}""");
        await RefusedAsync("ResourceConflictException", () => api.UpdateAsync(Put("a", "1", 5), "stale"));
        await RefusedAsync("LimitExceededException", () => api.UpdateAsync(Put("a", new string('x', 1000)), "long"));
        await RefusedAsync("LimitExceededException",
            () => api.UpdateAsync(Put("a", "1") + "," + Put("b", "1") + "," + Put("c", "1"), "many"));
        using IdentityLease lease = await api.Services.GetRequiredService<HubStore>().LeaseAsync("game", api.Ann);
        Assert.Empty(lease.Identity.Opened);

        // One that somebody else uses stays open for that one.
        Dataset native = lease.Identity.OpenForJoin("shared");
        await RefusedAsync("ResourceConflictException", () => api.UpdateAsync(Put("a", "1", 5), "shared"));
        native.Write(static write => write["b"] = "2");
        Assert.Equal("b=2@1", Short(await api.ListAsync(0, "shared")));
        Assert.Equal("a=1@1", Short(await api.UpdateAsync(Put("a", "1"), "stale")));
        Assert.Equal(["shared", "stale"], lease.Identity.Opened.Select(static dataset => dataset.Name).Order());
    }

    [Fact]
    public async Task A_policy_that_denies_writing_is_kept()
    {
        await using SyncApi api = await StartAsync("""
            {"name":"game","allowsGuests":true,"roles":{"guest":{"version":1,"statements":[
             {"effect":"allow","action":"dataset:*","resource":"identity/${identity.id}/dataset/*"},
             {"effect":"deny","action":"dataset:write","resource":"identity/*/dataset/prizes"}]},
             "authenticated":{"version":1,"statements":[]}}}
            """);
        await api.UpdateAsync(Put("a", "1"));
        await RefusedAsync("NotAuthorizedException", () => api.UpdateAsync(Put("a", "1"), "prizes"));
        await RefusedAsync("NotAuthorizedException", () => api.CallAsync("DeleteDataset", dataset: "prizes"));
        Assert.Equal("", Short(await api.ListAsync(0, "prizes")));
    }
}
