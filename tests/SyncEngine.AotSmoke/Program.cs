using SyncEngine;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Storage;

// A native program writes every kind, merges two replicas, reopens a disk and hears of it; it prints ok or fails.
var disk = new MemoryDisk();
await using (SyncStore store = await SyncStore.OpenAsync(disk.Open))
{
    Dataset save = store.Identity.Dataset("save");
    await save.WriteAsync(w =>
    {
        w["player"] = "Ann";
        w.Counter("coins").Add(100);
        w.Max("best").Raise(9001);
        w.Set("badges").Add("first-win");
        w.Map("settings")["volume"] = 0.8;
        w.List("inventory").Add("sword");
    });
}

await using SyncStore reopened = await SyncStore.OpenAsync(disk.Open);
using SyncStore other = SyncStore.OpenInMemory();
await other.AdoptIdentityAsync(reopened.Identity.Id);
Dataset left = reopened.Identity.Dataset("save"), right = other.Identity.Dataset("save");
var heard = new TaskCompletionSource<int>();
using IDisposable subscription = right.Changes.Subscribe(changes => heard.TrySetResult(changes.Count));
right["player"] = "Bea";
right.Counter("coins").Add(30);
await other.ApplyAsync(await reopened.ExportAsync(other.GetVersions(), packs: true));
await reopened.ApplyAsync(await other.ExportAsync(reopened.GetVersions()));
bool equal = left.Digest == right.Digest && left.Version.Equals(right.Version)
    && left.Counter("coins").Value == 130 && left.Conflicts.Count == 1
    && right.Contains("inventory", RecordKind.List) && await heard.Task.WaitAsync(TimeSpan.FromSeconds(30)) > 0;
Console.WriteLine(equal ? "ok" : "the replicas differ");
return equal ? 0 : 1;
