using SyncEngine.CrashChild;
using SyncEngine.LiteDB;
using SyncEngine.Storage;

// With a fourth argument, engine, it writes through the whole engine instead: see EngineChild. With a fourth and a fifth, a
// name and a port, it syncs with another child: see SyncChild.
// Arguments: the store, its local state folder, whether a synchronization context is installed. Prints the number of
// each commit once it was acknowledged, until somebody kills it.
var (path, stateFolder, withContext) = (args[0], args[1], bool.Parse(args[2]));
if (args.Length > 4)
{
    await SyncChild.RunAsync(path, stateFolder, args[3], int.Parse(args[4], System.Globalization.CultureInfo.InvariantCulture));
    return;
}

if (args.Length > 3)
{
    await EngineChild.RunAsync(path, stateFolder, withContext);
    return;
}

var worker = new Thread(() =>
{
    if (withContext) SynchronizationContext.SetSynchronizationContext(new ChildContext());
    using var output = Console.OpenStandardOutput();
    using var storage = LiteDbStorage.Open(path, new LiteDbStorageOptions { LocalStateFolder = stateFolder });
    var next = CrashFrames.LastCommit(storage) + 1;
    for (var commit = next; ; commit++)
    {
        if (commit % 200 == 0) CrashFrames.Snapshot(storage, commit);
        else storage.Commit(CrashFrames.Batch(commit));
        output.Write(System.Text.Encoding.ASCII.GetBytes(commit + "\n"));
        output.Flush();
    }
});
worker.Start();
worker.Join();

namespace SyncEngine.CrashChild
{
    /// <summary>Any type but the base one keeps LiteDB's queue from running inline, as on a UI thread.</summary>
    internal sealed class ChildContext : SynchronizationContext;

    /// <summary>What the child writes with its n-th commit, so that another process can check it.</summary>
    public static class CrashFrames
    {
        /// <summary>The batch of a commit: a frame in each of two datasets, and the number as metadata.</summary>
        public static StorageBatch Batch(long commit)
        {
            var batch = new StorageBatch();
            batch.Frames.Add(new LogFrame(1, commit, Frame(1, commit)));
            batch.Frames.Add(new LogFrame(2, commit, Frame(2, commit)));
            batch.Metadata[1] = BitConverter.GetBytes(commit);
            return batch;
        }

        /// <summary>Replaces the log of dataset 1 by a snapshot of three pages.</summary>
        public static void Snapshot(ISyncStorage storage, long commit)
        {
            for (var page = 0; page < 3; page++) storage.StageSnapshotPage(1, page, Frame(100 + page, commit));
            var batch = Batch(commit);
            batch.Flips.Add(new SnapshotFlip(1, 3, commit));
            storage.Commit(batch);
        }

        /// <summary>The bytes of a frame, up to 9,000 of them.</summary>
        public static byte[] Frame(int dataset, long commit)
        {
            var bytes = new byte[(commit * 7919 + dataset * 104729) % 9000 + 1];
            new Random(HashCode((int)commit, dataset)).NextBytes(bytes);
            return bytes;
        }

        /// <summary>The number of the last commit in a store.</summary>
        public static long LastCommit(ISyncStorage storage) =>
            storage.ReadMetadata().TryGetValue(1, out var bytes) ? BitConverter.ToInt64(bytes) : 0;

        private static int HashCode(int first, int second) => first * 31 + second;
    }
}
