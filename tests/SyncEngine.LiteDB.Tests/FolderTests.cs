using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.LiteDB.Tests;

/// <summary>Two real files that sync through a real folder.</summary>
public sealed class FolderTests
{
    [Fact]
    public async Task Two_stores_sync_through_a_folder_on_disk()
    {
        DirectoryInfo place = Directory.CreateTempSubdirectory("syncengine-folder-");
        try
        {
            var options = new LiteDbStorageOptions { LocalStateFolder = Path.Combine(place.FullName, "state") };
            ValueTask<SyncStore> Open(string name) =>
                LiteDbSyncStore.OpenAsync(Path.Combine(place.FullName, name), storageOptions: options);
            string cloud = Path.Combine(place.FullName, "cloud");
            Directory.CreateDirectory(cloud);
            await using (SyncStore left = await Open("a.db"))
            await using (SyncStore right = await Open("b.db"))
            {
                left.Identity.Dataset("save")["player"] = "Ann";
                Assert.True((await left.SynchronizeAsync(new SyncFolder(cloud))).IsComplete);
                Assert.True((await right.SynchronizeAsync(new SyncFolder(cloud) { Adopts = true })).IsComplete);
                right.Identity.Dataset("save").Counter("coins").Add(3);
                Assert.True((await right.SynchronizeAsync(new SyncFolder(cloud))).IsComplete);
                Assert.True((await left.SynchronizeAsync(new SyncFolder(cloud))).IsComplete);
                Assert.Equal(left.Identity.Dataset("save").Digest, right.Identity.Dataset("save").Digest);
                Assert.Equal(2, left.Identity.Dataset("save").Count);
            }

            await using SyncStore again = await Open("a.db");
            FolderResult idle = await again.SynchronizeAsync(new SyncFolder(cloud));
            Assert.Equal((0, 0L, true), (idle.FilesWritten, idle.ChangesReceived, idle.IsComplete));
        }
        finally
        {
            place.Delete(recursive: true);
        }
    }
}
