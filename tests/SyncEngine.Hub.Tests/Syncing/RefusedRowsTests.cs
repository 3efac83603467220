using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.LiteDB;
using SyncEngine.Storage;
using SyncEngine.Values;
using SyncEngine.Wire;
using Xunit;

namespace SyncEngine.Hub.Tests.Syncing;

/// <summary>Refused writes in the file: the largest and deepest ones, and what becomes of them with their dataset.</summary>
public sealed class RefusedRowsTests
{
    private const string Prefix = "refused/";
    private static readonly Dataset _empty = new("save", 1, new DatasetContext());

    [Fact]
    public async Task The_largest_and_the_deepest_value_is_kept_in_the_file_and_holds_nothing_up()
    {
        string folder = Directory.CreateTempSubdirectory("syncengine-refused-").FullName;
        try
        {
            Value large = new byte[(8 * 1024 * 1024) - 5], deep = 1;
            for (int i = 0; i < 32; i++) deep = Value.FromArray(deep);
            await using (SyncStore store = await LiteDbSyncStore.OpenAsync(Path.Combine(folder, "save.db")))
            {
                Dataset data = store.Identity.Dataset("save");
                await data.PutAsync("large", large);
                await data.PutAsync("deep", deep);
                TakeBack(data, 1, 2);
                await data.PutAsync("after", 1);
            }

            await using (SyncStore store = await LiteDbSyncStore.OpenAsync(Path.Combine(folder, "save.db")))
            {
                Dataset data = store.Identity.Dataset("save");
                Assert.Equal(1, data.Count);
                Assert.Equal(["large", "deep"], data.Refused.Select(static write => write.Key));
                Assert.True(large == data.Refused[0].Value);
                Assert.True(deep == data.Refused[1].Value);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_row_that_is_too_long_is_refused_before_it_can_hold_up_a_commit()
    {
        var disk = new MemoryDisk();
        using Journal journal = await Journal.OpenAsync(disk.Open);
        await Assert.ThrowsAsync<ArgumentException>(() => journal.SetRows([new("long", new byte[StorageBatch.RowBytesMax + 1])]));
        await journal.SetRows([new("short", [1])]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Refused_writes_go_with_their_dataset_or_identity(bool wipes)
    {
        var disk = new MemoryDisk();
        await using (SyncStore store = await SyncStore.OpenAsync(disk.Open))
        {
            Dataset data = store.Identity.Dataset("save"), other = store.Identity.Dataset("other");
            await data.PutAsync("kept", 1);
            await other.PutAsync("also", 1);
            TakeBack(data, 1);
            TakeBack(other, 1);
            await store.FlushAsync();
            await data.PutAsync("pending", 1);
            TakeBack(data, 3);
            if (wipes) await store.WipeIdentityAsync(store.Identity.Id);
            else await store.Identity.DeleteDatasetAsync("save");
        }

        using ISyncStorage storage = disk.Open();
        Assert.Equal(wipes ? 0 : 1, storage.ReadRows(Prefix, null, 10).Count);
    }

    [Fact]
    public async Task What_was_refused_is_there_when_a_dataset_is_opened_before_it_is_durable()
    {
        var disk = new MemoryDisk();
        using Journal journal = await Journal.OpenAsync(disk.Open, isByHand: true);
        var context = new DatasetContext { Journal = journal };
        Dataset data = new("save", 1, context), again = new("save", 1, context);
        data["k"] = 1;
        TakeBack(data, 1);
        await journal.RunAsync(storage =>
        {
            again.Load(storage, default);
            return true;
        });
        Assert.Equal("k", Assert.Single(again.Refused).Key);
    }

    [Fact]
    public void Many_are_taken_back_and_dismissed_without_delay()
    {
        const int Count = 10_000;
        var data = new Dataset("save", 1, new DatasetContext());
        data.Write(write =>
        {
            for (int i = 0; i < Count; i++) write["k" + i] = i;
        });
        TakeBack(data, [.. Enumerable.Range(1, Count)]);
        Assert.Equal(Count, data.Refused.Count);
        Assert.Equal(0, data.Count);
        data.DismissRefused(data.Refused);
        Assert.Empty(data.Refused);
    }

    private static void TakeBack(Dataset data, params int[] counters)
    {
        using DecodedFrame nothing = FrameReader.Read(_empty.EncodeCells([]), new FrameLimits());
        Assert.True(data.TakeBack([.. counters.Select(counter => new Dot(data.ReplicaId, counter))], nothing.Columns,
            SyncErrorCode.Unauthorized, "no"));
    }
}
