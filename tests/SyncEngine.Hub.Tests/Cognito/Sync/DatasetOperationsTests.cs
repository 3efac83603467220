using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Hub.Cognito;
using SyncEngine.Hub.Cognito.Sync;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Merging;
using SyncEngine.Hub.Rows;
using SyncEngine.Hub.Syncing;
using Xunit;
using static SyncEngine.Hub.Tests.Cognito.Sync.SyncApi;

namespace SyncEngine.Hub.Tests.Cognito.Sync;

public sealed class DatasetOperationsTests
{
    [Fact]
    public async Task A_dataset_is_described_listed_and_deleted()
    {
        await using SyncApi api = await StartAsync();
        await RefusedAsync("ResourceNotFoundException", () => api.CallAsync("DescribeDataset"));
        await RefusedAsync("ResourceNotFoundException", () => api.CallAsync("DeleteDataset"));
        await api.UpdateAsync(Put("a", "1é") + "," + Put("b", ""));
        await api.UpdateAsync(Put("a", "1"), "Other.name_of:it-1");
        JsonElement dataset = (await api.CallAsync("DescribeDataset")).GetProperty("Dataset");
        Assert.Equal("save", dataset.GetProperty("DatasetName").GetString());
        Assert.Equal(api.WireOf(api.Ann), dataset.GetProperty("IdentityId").GetString());
        Assert.Equal(api.WireOf(api.Ann), dataset.GetProperty("LastModifiedBy").GetString());
        Assert.Equal(5, dataset.GetProperty("DataStorage").GetInt64());
        Assert.Equal(2, dataset.GetProperty("NumRecords").GetInt64());
        double created = dataset.GetProperty("CreationDate").GetDouble();
        Assert.InRange(dataset.GetProperty("LastModifiedDate").GetDouble(), created - 1, created + 300);
        JsonElement page = await api.CallAsync("ListDatasets", query: ("maxResults", 1));
        Assert.Equal("Other.name_of:it-1", page.GetProperty("Datasets")[0].GetProperty("DatasetName").GetString());
        Assert.Equal(1, page.GetProperty("Count").GetInt32());
        page = await api.CallAsync("ListDatasets", query: [("nextToken", page.GetProperty("NextToken").GetString()!)]);
        Assert.Equal("save", page.GetProperty("Datasets")[0].GetProperty("DatasetName").GetString());
        Assert.False(page.TryGetProperty("NextToken", out _));
        JsonElement usage = (await api.CallAsync("DescribeIdentityUsage")).GetProperty("IdentityUsage");
        Assert.Equal(2, usage.GetProperty("DatasetCount").GetInt32());
        Assert.Equal(7, usage.GetProperty("DataStorage").GetInt64());
        Assert.Equal(api.Pool.Id, usage.GetProperty("IdentityPoolId").GetString());

        Assert.Equal(2, (await api.CallAsync("DeleteDataset")).GetProperty("Dataset").GetProperty("NumRecords").GetInt32());
        await RefusedAsync("ResourceNotFoundException", () => api.CallAsync("DescribeDataset"));
        Assert.Equal(1, (await api.CallAsync("ListDatasets")).GetProperty("Count").GetInt32());
        JsonElement gone = await api.ListAsync(1);
        Assert.True(gone.GetProperty("DatasetDeletedAfterRequestedSyncCount").GetBoolean());
        Assert.False(gone.GetProperty("DatasetExists").GetBoolean());
        Assert.Equal("c=1@3", Short(await api.UpdateAsync(Put("c", "1"))));
        Assert.True((await api.ListAsync(1)).GetProperty("DatasetDeletedAfterRequestedSyncCount").GetBoolean());
        Assert.False((await api.ListAsync(0)).GetProperty("DatasetDeletedAfterRequestedSyncCount").GetBoolean());
    }

    [Fact]
    public async Task Credentials_reach_their_own_identity_alone_and_developer_keys_reach_all()
    {
        await using SyncApi api = await StartAsync();
        await api.UpdateAsync(Put("a", "1"));
        CognitoCaller bob = CallerOf(await api.RegisterAsync());
        foreach (string operation in (string[])
            ["ListRecords", "UpdateRecords", "DescribeDataset", "DeleteDataset", "ListDatasets", "DescribeIdentityUsage",
                "RegisterDevice", "SubscribeToDataset", "UnsubscribeFromDataset"])
        {
            CognitoException e = await RefusedAsync("NotAuthorizedException", () => api.CallAsync(operation, caller: bob));
            Assert.StartsWith($"Access to Identity '{api.WireOf(api.Ann)}'", e.Message, StringComparison.Ordinal);
            Assert.Equal(operation is "RegisterDevice" or "SubscribeToDataset" or "UnsubscribeFromDataset"
                ? CognitoAccess.Identity : CognitoAccess.Signed, api.AccessOf(operation));
        }

        Assert.Equal("a=1@1", Short(await api.CallAsync("ListRecords", caller: Developer)));
        string unknown = "us-east-1:00000000-0000-0000-0000-000000000001";
        CognitoException missing = await RefusedAsync("ResourceNotFoundException",
            () => api.CallAsync("ListRecords", caller: Developer, identity: unknown));
        Assert.Equal($"Identity '{unknown}' not found.", missing.Message);
        await RefusedAsync("InvalidParameterException",
            () => api.CallAsync("ListRecords", caller: Developer, identity: "nobody"));
        await RefusedAsync("ResourceNotFoundException", () => api.CallAsync("ListRecords", caller: Developer, pool: unknown));
        await RefusedAsync("NotAuthorizedException", () => api.CallAsync("ListRecords", pool: unknown));
    }

    [Fact]
    public async Task What_only_developers_may_do_says_so()
    {
        await using SyncApi api = await StartAsync();
        foreach (string operation in (string[])
            ["DescribeIdentityPoolUsage", "ListIdentityPoolUsage", "GetIdentityPoolConfiguration", "SetIdentityPoolConfiguration",
                "GetCognitoEvents", "SetCognitoEvents", "BulkPublish", "GetBulkPublishDetails"])
            Assert.Equal(CognitoAccess.Developer, api.AccessOf(operation));
    }

    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("é")]
    public async Task A_name_that_is_none_is_refused(string name)
    {
        await using SyncApi api = await StartAsync();
        foreach (string operation in (string[])["ListRecords", "DescribeDataset", "DeleteDataset", "UpdateRecords"])
            await RefusedAsync("InvalidParameterException", () => api.CallAsync(operation, dataset: name));
        await RefusedAsync("InvalidParameterException", () => api.ListAsync(dataset: new string('a', 129)));
    }

    [Fact]
    public async Task A_merged_guest_s_dataset_shows_beside_the_account_s_until_it_is_deleted()
    {
        await using SyncApi api = await StartAsync();
        var guest = await api.RegisterAsync();
        await api.UpdateAsync(Put("who", "account"));
        await api.UpdateAsync(Put("who", "guest"), id: guest);
        await api.UpdateAsync(Put("who", "guest"), "alone", id: guest);
        await api.Services.GetRequiredService<IdentityMerging>().MergeAsync(
            "game", guest, api.Ann, MergeMode.Manual, null, false, default);
        string merged = "save." + api.WireOf(guest);
        Assert.Equal([merged], MergedIn(await api.ListAsync()));
        Assert.Equal(["alone." + api.WireOf(guest)], MergedIn(await api.ListAsync(dataset: "alone")));
        Assert.Equal("who=account@1", Short(await api.ListAsync()));
        Assert.Equal("who=guest@1", Short(await api.ListAsync(dataset: merged)));
        Assert.Contains(merged, (await api.CallAsync("ListDatasets")).GetProperty("Datasets").EnumerateArray()
            .Select(static dataset => dataset.GetProperty("DatasetName").GetString()));
        Assert.Equal("who=both@2", Short(await api.UpdateAsync(Put("who", "both", 1))));
        await api.CallAsync("DeleteDataset", dataset: merged);
        Assert.Empty(MergedIn(await api.ListAsync()));
        CognitoException e = await RefusedAsync("NotAuthorizedException", () => api.ListAsync(id: guest));
        Assert.StartsWith($"Access to Identity '{api.WireOf(guest)}' is forbidden", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Datasets_that_may_not_be_read_are_neither_listed_nor_counted()
    {
        await using SyncApi api = await StartAsync("""
            {"name":"game","allowsGuests":true,"roles":{"guest":{"version":1,"statements":[
             {"effect":"allow","action":"dataset:*","resource":"identity/${identity.id}/dataset/*"},
             {"effect":"deny","action":"dataset:read","resource":["identity/*/dataset/hidden","identity/*/dataset/save.*"]}]},
             "authenticated":{"version":1,"statements":[]}}}
            """);
        var guest = await api.RegisterAsync();
        await api.UpdateAsync(Put("a", "1"));
        await api.UpdateAsync(Put("who", "guest"), id: guest);
        await api.NativeAsync(static device => device["b"] = "22", "hidden");
        await api.UpdateAsync(Put("c", "3"), "zoo");
        await api.Services.GetRequiredService<IdentityMerging>().MergeAsync(
            "game", guest, api.Ann, MergeMode.Manual, null, false, default);
        Assert.Equal(["save", "zoo"], NamesIn(await api.CallAsync("ListDatasets")));
        JsonElement page = await api.CallAsync("ListDatasets", query: ("maxResults", 1));
        page = await api.CallAsync("ListDatasets", query: [("nextToken", page.GetProperty("NextToken").GetString()!)]);
        Assert.Equal(["zoo"], NamesIn(page));
        Assert.False(page.TryGetProperty("NextToken", out _));
        Assert.Empty(MergedIn(await api.ListAsync()));
        JsonElement usage = (await api.CallAsync("DescribeIdentityUsage")).GetProperty("IdentityUsage");
        Assert.Equal(2, usage.GetProperty("DatasetCount").GetInt32());
        Assert.Equal(4, usage.GetProperty("DataStorage").GetInt64());

        // A developer key may do everything.
        string merged = "save." + api.WireOf(guest);
        Assert.Equal(["hidden", "save", merged, "zoo"], NamesIn(await api.CallAsync("ListDatasets", caller: Developer)));
        Assert.Equal([merged], MergedIn(await api.CallAsync("ListRecords", caller: Developer)));
        usage = (await api.CallAsync("DescribeIdentityUsage", caller: Developer)).GetProperty("IdentityUsage");
        Assert.Equal(4, usage.GetProperty("DatasetCount").GetInt32());
    }

    [Fact]
    public async Task An_identity_that_is_gone_is_told_by_the_id_that_clients_know()
    {
        await using SyncApi api = await StartAsync(options: static hub => hub.Cognito.Region = "eu-west-1");
        await api.Services.GetRequiredService<IdentityMerging>().MergeAsync(
            "game", api.Ann, await api.RegisterAsync(), MergeMode.Manual, null, false, default);

        // As a call finds it that was let in before.
        var datasets = api.Services.GetRequiredService<LegacyDatasets>();
        var patch = new LegacyPatch("a", "1", 0, null);
        foreach (Func<Task> call in (Func<Task>[])
        [
            () => datasets.UpdateAsync("game", api.Ann, "save", [patch], new SessionLimits(), null, null, default),
            () => datasets.DeleteAsync("game", api.Ann, "save", null, default),
            () => datasets.ImportAsync("game", api.Ann, "save", [patch with { SyncCount = 1 }], 1, default),
        ])
        {
            CognitoException e = await RefusedAsync("NotAuthorizedException", call);
            Assert.Equal($"Access to Identity '{api.WireOf(api.Ann)}' is forbidden.", e.Message);
            Assert.StartsWith("eu-west-1:", api.WireOf(api.Ann), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Pool_usage_adds_up_what_its_identities_hold()
    {
        await using SyncApi api = await StartAsync();
        await api.UpdateAsync(Put("a", "1"));
        await api.UpdateAsync(Put("a", "22"), id: await api.RegisterAsync());
        JsonElement usage = (await api.CallAsync("DescribeIdentityPoolUsage", caller: Developer))
            .GetProperty("IdentityPoolUsage");
        Assert.Equal(api.Pool.Id, usage.GetProperty("IdentityPoolId").GetString());
        Assert.Equal(5, usage.GetProperty("DataStorage").GetInt64());
        Assert.Equal(2, usage.GetProperty("SyncSessionsCount").GetInt64());
        Assert.True(usage.GetProperty("LastModifiedDate").GetDouble() > 1_700_000_000);
        JsonElement all = await api.CallAsync("ListIdentityPoolUsage", caller: Developer, query: ("maxResults", 5));
        Assert.Equal(1, all.GetProperty("Count").GetInt32());
        Assert.Equal(5, all.GetProperty("MaxResults").GetInt32());
        Assert.Equal(5, all.GetProperty("IdentityPoolUsages")[0].GetProperty("DataStorage").GetInt64());
    }

    [Fact]
    public async Task A_deleted_identity_leaves_no_row_behind()
    {
        await using SyncApi api = await StartAsync();
        await api.UpdateAsync(Put("a", "1"));
        var rows = api.Services.GetRequiredService<HubRows>();
        Assert.NotEmpty(await rows.ReadRangeAsync(HubStore.BesideOf("game", api.Ann), null, 10));
        await api.Services.GetRequiredService<IdentityRemoval>().DeleteAsync("game", api.Ann, default);
        Assert.Empty(await rows.ReadRangeAsync(HubStore.BesideOf("game", api.Ann), null, 10));
    }

    private static IEnumerable<string?> NamesIn(JsonElement answer) => answer.GetProperty("Datasets").EnumerateArray()
        .Select(static dataset => dataset.GetProperty("DatasetName").GetString());

    private static IEnumerable<string?> MergedIn(JsonElement answer) =>
        answer.GetProperty("MergedDatasetNames").EnumerateArray().Select(static name => name.GetString());
}
