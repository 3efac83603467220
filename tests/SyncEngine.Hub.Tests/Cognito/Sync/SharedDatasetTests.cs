using System.Text.Json;
using SyncEngine.Datasets;
using SyncEngine.Hub.Cognito.Sync;
using SyncEngine.Hub.Syncing;
using SyncEngine.Values;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito.Sync;

public sealed class SharedDatasetTests
{
    [Fact]
    public async Task Native_values_show_as_documented_texts()
    {
        await using LegacyWorld world = await LegacyWorld.OpenAsync();
        Dataset device = LegacyWorld.NewDevice();
        device.Write(static write =>
        {
            write["a text"] = "5";
            write["b empty"] = "";
            write["c number"] = 5;
            write["d double"] = 5.0;
            write["e null"] = Value.Null;
            write["f bytes"] = Value.FromBytes([1, 2]);
            write.Counter("g counter").Add(7);
            write.Max("h max").Raise(3);
            write.Set("i set").Add("x");
            write.Map("j map")["f"] = true;
            write.List("k list").Add("one");
        });
        await world.SyncAsync(device);
        LegacyChanges changes = await world.ReadAsync(0);
        Assert.Equal(
            ["a text:5", "b empty:", "c number:5", "d double:5.0", "e null:null", "f bytes:{\"$bytes\":\"AQI=\"}", "g counter:7",
                "h max:3", "i set:[\"x\"]", "j map:{\"f\":true}", "k list:[\"one\"]"],
            changes.Records.Select(static record => $"{record.Key}:{record.Value}"));
        Assert.All(changes.Records, static record => Assert.Equal(1, record.SyncCount));
    }

    [Fact]
    public async Task A_legacy_write_keeps_the_kind_of_what_it_writes_over()
    {
        await using LegacyWorld world = await LegacyWorld.OpenAsync();
        Dataset device = LegacyWorld.NewDevice();
        device.Write(static write =>
        {
            write["number"] = 5;
            write["text"] = "5";
            write.Set("set").Add("x");
            write.Max("max").Raise(3);
        });
        await world.SyncAsync(device);
        await world.UpdateAsync(new LegacyPatch("number", "6", 1, null), new LegacyPatch("text", "6", 1, null),
            new LegacyPatch("set", "[\"x\",\"y\"]", 1, null), new LegacyPatch("max", "2", 1, null));
        await world.SyncAsync(device);
        Assert.Equal(6, device.Get<int>("number"));
        Assert.Equal("6", device.Get<string>("text"));
        Assert.Equal(2, device.Set("set").Count);
        Assert.Equal(2, device.Max("max").Value);
        await world.UpdateAsync(new LegacyPatch("number", "six", 2, null));
        await world.SyncAsync(device);
        Assert.Equal("six", device.Get<string>("number"));
    }

    [Fact]
    public async Task What_is_no_value_of_a_counter_is_refused_and_nothing_changes()
    {
        await using LegacyWorld world = await LegacyWorld.OpenAsync();
        Dataset device = LegacyWorld.NewDevice();
        device.Counter("coins").Add(3);
        await world.SyncAsync(device);
        await SyncApi.RefusedAsync("InvalidParameterException", () => world.UpdateAsync(
            new LegacyPatch("other", "1", 0, null), new LegacyPatch("coins", "many", 1, null)));
        LegacyChanges changes = await world.ReadAsync(0);
        Assert.Equal("coins=3", string.Join(' ', changes.Records.Select(static record => $"{record.Key}={record.Value}")));
        Assert.Equal(1, changes.SyncCount);
    }

    [Theory]
    [InlineData("max", """{"$double":"NaN"}""")]
    [InlineData("min", """{"$double":"NaN"}""")]
    [InlineData("map", """{"":1}""")]
    [InlineData("set", "long")]
    [InlineData("list", "deep")]
    public async Task What_a_record_cannot_hold_is_refused_and_nothing_changes(string key, string text)
    {
        await using SyncApi api = await SyncApi.StartAsync();
        await api.NativeAsync(static device =>
        {
            device.Max("max").Raise(3);
            device.Min("min").Lower(3);
            device.Map("map")["field"] = 1;
            device.Set("set").Add("a");
            device.List("list").Add(1);
        });
        JsonElement listed = await api.ListAsync();
        string before = SyncApi.Short(listed);
        long count = listed.GetProperty("DatasetSyncCount").GetInt64();
        text = text switch
        {
            "long" => $"[\"{new string('x', 5000)}\"]",
            "deep" => new string('[', 50) + new string(']', 50),
            _ => text,
        };
        await SyncApi.RefusedAsync("InvalidParameterException", () => api.UpdateAsync(SyncApi.Put(key, text, count)));
        Assert.Equal(before, SyncApi.Short(await api.ListAsync()));
    }

    [Fact]
    public async Task Additions_of_both_doors_to_a_counter_all_count()
    {
        await using LegacyWorld world = await LegacyWorld.OpenAsync();
        Dataset device = LegacyWorld.NewDevice();
        device.Counter("money").Add(100);
        await world.SyncAsync(device);
        device.Counter("money").Add(20);
        await world.UpdateAsync(new LegacyPatch("money", "110", 1, null));
        await world.SyncAsync(device);
        Assert.Equal(130, device.Counter("money").Value);
        Assert.Equal("130", (await world.ReadAsync(0)).Records.Single().Value);
    }

    [Fact]
    public async Task The_empty_text_and_absence_are_two_things_for_both()
    {
        await using LegacyWorld world = await LegacyWorld.OpenAsync();
        Dataset device = LegacyWorld.NewDevice();
        await world.UpdateAsync(new LegacyPatch("empty", "", 0, null), new LegacyPatch("gone", "1", 0, null));
        await world.UpdateAsync(new LegacyPatch("gone", null, 1, null));
        await world.SyncAsync(device);
        Assert.Equal("", device["empty"]);
        Assert.True(device.Contains("empty"));
        Assert.False(device.Contains("gone"));
        device.Delete("empty");
        await world.SyncAsync(device);
        Assert.Null((await world.ReadAsync(2)).Records.Single().Value);
    }

    [Fact]
    public async Task A_native_change_makes_a_legacy_write_stale_and_merges_otherwise()
    {
        await using LegacyWorld world = await LegacyWorld.OpenAsync();
        Dataset device = LegacyWorld.NewDevice();
        await world.UpdateAsync(new LegacyPatch("a", "1", 0, null), new LegacyPatch("b", "1", 0, null));
        await world.SyncAsync(device);
        device["a"] = "native";
        await world.SyncAsync(device);
        var e = await SyncApi.RefusedAsync(
            "ResourceConflictException", () => world.UpdateAsync(new LegacyPatch("a", "legacy", 1, null)));
        Assert.Equal("Current SyncCount for: a is: 2 not: 1", e.Message);
        Assert.Equal(3, (await world.UpdateAsync(new LegacyPatch("b", "legacy", 1, null))).Single().SyncCount);
        await world.SyncAsync(device);
        Assert.Equal("native legacy", $"{device["a"].AsString()} {device["b"].AsString()}");
    }

    [Fact]
    public async Task A_deleted_dataset_is_gone_for_both_and_can_be_made_again()
    {
        await using LegacyWorld world = await LegacyWorld.OpenAsync();
        Dataset device = LegacyWorld.NewDevice();
        await world.UpdateAsync(new LegacyPatch("a", "1", 0, null));
        await world.UpdateAsync(new LegacyPatch("b", "1", 0, null));
        await world.SyncAsync(device);
        Assert.Equal(4, (await world.DeleteAsync())!.Bytes);
        Assert.Null(await world.DeleteAsync());
        LegacyChanges after = await world.ReadAsync(2);
        Assert.True(after.IsDeletedSince);
        Assert.False(after.Exists);
        Assert.False((await world.ReadAsync(0)).IsDeletedSince);
        await world.SyncAsync(device);
        Assert.Equal(0, device.Count);
        await world.ReopenAsync();
        await SyncApi.RefusedAsync("ResourceConflictException", () => world.UpdateAsync(new LegacyPatch("a", "2", 1, null)));
        long count = (await world.UpdateAsync(new LegacyPatch("c", "2", 0, null))).Single().SyncCount;
        Assert.Equal(4, count);
        LegacyChanges again = await world.ReadAsync(2);
        Assert.True(again.IsDeletedSince);
        Assert.True(again.Exists);
        Assert.False((await world.ReadAsync(3)).IsDeletedSince);
    }

    [Fact]
    public async Task Counts_survive_that_the_log_is_compacted_and_the_hub_is_opened_again()
    {
        await using LegacyWorld world = await LegacyWorld.OpenAsync();
        long count = 0;
        for (int i = 0; i < 100; i++)
        {
            string text = new string((char)('a' + (i % 26)), 60_000);
            count = (await world.UpdateAsync(new LegacyPatch("big" + (i % 3), text, Math.Max(0, count - 2), null)))
                .Single().SyncCount;
        }

        Assert.True(await world.OnHubAsync(static hub => hub.StoredBytes < 3_000_000), "the log was not compacted");
        LegacyChanges before = await world.ReadAsync(count - 2);
        await world.CrashAsync();
        LegacyChanges after = await world.ReadAsync(count - 2);
        Assert.Equal(100, count);
        Assert.Equal(before.Records, after.Records);
        Assert.Equal([99, 100], after.Records.Select(static record => record.SyncCount));
    }

    [Fact]
    public async Task Who_lacks_forgotten_deletes_begins_anew()
    {
        await using LegacyWorld world = await LegacyWorld.OpenAsync();
        await world.UpdateAsync(new LegacyPatch("a", "1", 0, null), new LegacyPatch("b", "1", 0, null));
        await world.UpdateAsync(new LegacyPatch("a", null, 1, null));
        await world.OnHubAsync(static hub => hub.ForgetDeletes(hub.Version));
        Assert.True((await world.ReadAsync(1)).IsDeletedSince);
        Assert.Equal("b", (await world.ReadAsync(0)).Records.Single().Key);

        // Who knows the delete lacks nothing and may write the record anew; what nobody was told of stays a conflict.
        Assert.False((await world.ReadAsync(2)).IsDeletedSince);
        var e = await SyncApi.RefusedAsync(
            "ResourceConflictException", () => world.UpdateAsync(new LegacyPatch("a", "2", 3, null)));
        Assert.Equal("Current SyncCount for: a is: 0 not: 3", e.Message);
        Assert.Equal(3, (await world.UpdateAsync(new LegacyPatch("a", "2", 2, null))).Single().SyncCount);
        Assert.Equal("a", (await world.ReadAsync(2)).Records.Single().Key);
    }

    [Fact]
    public async Task A_dataset_of_forgotten_deletes_alone_can_be_described_and_deleted()
    {
        await using LegacyWorld world = await LegacyWorld.OpenAsync();
        await world.UpdateAsync(new LegacyPatch("a", "1", 0, null));
        await world.UpdateAsync(new LegacyPatch("a", null, 1, null));
        await world.OnHubAsync(static hub => hub.ForgetDeletes(hub.Version));
        LegacySummary summary = (await world.DeleteAsync())!;
        Assert.Equal((0, world.Time.GetUtcNow().ToUnixTimeMilliseconds()), (summary.Count, summary.CreatedMilliseconds));
        Assert.Equal(summary.CreatedMilliseconds, summary.ModifiedMilliseconds);
        Assert.Null(await world.DeleteAsync());
        LegacyChanges changes = await world.ReadAsync(2);
        Assert.True(changes.IsDeletedSince);
        Assert.Equal(3, changes.SyncCount);
        Assert.False((await world.ReadAsync(3)).IsDeletedSince);
    }

    [Fact]
    public async Task A_flood_of_removes_takes_no_more_room_than_some()
    {
        await using LegacyWorld world = await LegacyWorld.OpenAsync();
        world.Limits = new SessionLimits { RecordsMax = 10 };
        await world.UpdateAsync(new LegacyPatch("kept", "1", 0, null));
        long count = 1;
        for (int round = 0; round < 60; round++)
        {
            string[] keys = [.. Enumerable.Range(0, 5).Select(i => $"k{round}.{i}")];
            count = (await world.UpdateAsync([.. keys.Select(static key => new LegacyPatch(key, "1", 0, null))]))[0].SyncCount;
            await world.UpdateAsync([.. keys.Select(key => new LegacyPatch(key, null, count, null))]);
            count = (await world.UpdateAsync(new LegacyPatch("never" + round, null, 0, null)))[0].SyncCount;
            Assert.InRange(await world.OnHubAsync(static hub => hub.State.Tombstones), 0, DatasetRoom.DeletesFactor * 10);
        }

        Assert.Equal(1, await world.OnHubAsync(static hub => hub.Count));
        Assert.True((await world.ReadAsync(1)).IsDeletedSince);
        Assert.Equal("kept", (await world.ReadAsync(0)).Records.Single(static record => record.Value is not null).Key);
        Assert.False((await world.ReadAsync(count)).IsDeletedSince);
        Assert.Equal(count + 1, (await world.UpdateAsync(new LegacyPatch("k0.0", "again", 3, null))).Single().SyncCount);
    }
}
