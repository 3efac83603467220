using System.Diagnostics;
using System.Globalization;
using SyncEngine.Causality;
using SyncEngine.CrashChild;
using SyncEngine.Datasets;
using Xunit;

namespace SyncEngine.LiteDB.Tests;

/// <summary>The whole engine on a real file.</summary>
public sealed class EngineTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("syncengine-").FullName;

    private string StoreFile => Path.Combine(_folder, "save.db");

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public async Task What_the_engine_acknowledged_survives_kills(int seed, bool withSynchronizationContext)
    {
        var random = new Random(seed);
        long acknowledged = 0;
        for (int kill = 0; kill < 5; kill++)
        {
            acknowledged = Math.Max(acknowledged, RunChild(random, withSynchronizationContext));
            (long count, string? fault) = await EngineChild.CheckAsync(StoreFile, Path.Combine(_folder, "state"));
            Assert.True(fault is null, $"seed {seed}, kill {kill}: {fault}");
            Assert.True(count >= acknowledged, $"seed {seed}, kill {kill}: {acknowledged} acknowledged, {count} there");
            acknowledged = count;
        }
    }

    [Fact]
    public async Task A_copied_file_writes_under_a_new_replica_and_both_merge_without_loss()
    {
        await using (SyncStore store = await OpenAsync(StoreFile))
        {
            await store.Identity.Dataset("save").PutAsync("before", 1);
            store.Identity.Dataset("save").Counter("coins").Add(100);
        }

        string copied = Path.Combine(_folder, "copy.db");
        File.Copy(StoreFile, copied);
        await using SyncStore original = await OpenAsync(StoreFile), copy = await OpenAsync(copied);
        Dataset left = original.Identity.Dataset("save"), right = copy.Identity.Dataset("save");
        left["a"] = 1;
        right["b"] = 2;
        left.Counter("coins").Add(10);
        right.Counter("coins").Add(20);
        Assert.NotEqual(left.ReplicaId, right.ReplicaId);
        await copy.ApplyAsync(await original.ExportAsync(copy.GetVersions()));
        await original.ApplyAsync(await copy.ExportAsync(original.GetVersions()));
        Assert.Equal(left.Digest, right.Digest);
        Assert.Equal(130, left.Counter("coins").Value);
        Assert.Equal((1, 2), (left.Get<int>("a"), left.Get<int>("b")));
    }

    [Fact]
    public async Task A_backup_made_while_in_use_opens_with_all_that_was_durable()
    {
        string backup = Path.Combine(_folder, "backup.db");
        await using SyncStore store = await OpenAsync(StoreFile);
        Dataset save = store.Identity.Dataset("save");
        for (int i = 0; i < 500; i++) save["k" + i] = i;
        await store.BackupAsync(backup);
        save["later"] = 1;
        await using SyncStore opened = await OpenAsync(backup);
        Assert.Equal(500, opened.Identity.Dataset("save").Count);
        var refused = await Assert.ThrowsAsync<SyncException>(async () => await store.BackupAsync(backup));
        Assert.Equal(SyncErrorCode.StorageFailed, refused.Code);
        Assert.Equal(501, save.Count);
    }

    [Fact]
    public async Task Compaction_keeps_everything_and_gives_room_back()
    {
        await using SyncStore store = await OpenAsync(StoreFile);
        Dataset save = store.Identity.Dataset("save");
        for (int i = 0; i < 40; i++) await save.PutAsync("big", new byte[100_000]);
        await save.PutAsync("big", 1);
        long before = await store.GetSizeBytesAsync();
        await store.CompactAsync();
        Assert.True(await store.GetSizeBytesAsync() < before);
        await save.PutAsync("after", 2);
        await store.DisposeAsync();
        await using SyncStore again = await OpenAsync(StoreFile);
        Assert.Equal(2, again.Identity.Dataset("save").Get<int>("after"));
        Assert.Equal(1, again.Identity.Dataset("save").Get<int>("big"));
        Assert.Empty(await again.VerifyAsync());
    }

    [Fact]
    public async Task A_second_store_on_the_file_is_refused_at_once()
    {
        await using SyncStore store = await OpenAsync(StoreFile);
        var refused = await Assert.ThrowsAsync<SyncException>(async () => await OpenAsync(StoreFile));
        Assert.Equal(SyncErrorCode.FileInUse, refused.Code);
        Assert.Contains(StoreFile, refused.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ValueTask<SyncStore> OpenAsync(string path) => LiteDbSyncStore.OpenAsync(
        path, storageOptions: new LiteDbStorageOptions { LocalStateFolder = Path.Combine(_folder, "state") });

    private long RunChild(Random random, bool withSynchronizationContext)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        start.ArgumentList.Add(typeof(EngineChild).Assembly.Location);
        start.ArgumentList.Add(StoreFile);
        start.ArgumentList.Add(Path.Combine(_folder, "state"));
        start.ArgumentList.Add(withSynchronizationContext.ToString());
        start.ArgumentList.Add("engine");
        using Process child = Process.Start(start)!;
        long last = 0;
        for (int left = random.Next(40, 200); left >= 0 && child.StandardOutput.ReadLine() is { } line; left--)
            last = long.Parse(line, CultureInfo.InvariantCulture);
        Thread.SpinWait(random.Next(200_000));
        child.Kill();
        string rest = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        foreach (string line in rest[..(rest.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries))
            last = long.Parse(line, CultureInfo.InvariantCulture);
        return last;
    }
}
