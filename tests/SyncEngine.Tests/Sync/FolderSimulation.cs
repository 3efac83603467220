using SyncEngine.Causality;
using SyncEngine.Sync;
using SyncEngine.Tests.Simulation;

namespace SyncEngine.Tests.Sync;

/// <summary>Ends a simulated process in the middle of a round: no disk error, so that nothing is tidied up.</summary>
internal sealed class KilledException : Exception;

/// <summary>One device's replica of a shared folder, in memory, with faults.</summary>
internal sealed class MemoryFiles : IFolderFiles
{
    private long _time = 1_000;

    public Dictionary<string, (byte[] Bytes, long Time)> Files { get; } = [];

    public bool IsThere { get; set; } = true;

    public int Reads { get; set; }

    /// <summary>Asked before each operation, by its name and path.</summary>
    public Action<string, string> Before { get; set; } = static (_, _) => { };

    public IEnumerable<string> Shared => Files.Keys.Where(FolderNames.IsShared).Order(StringComparer.Ordinal);

    public void Put(string path, byte[] bytes) => Files[path] = (bytes, ++_time);

    public bool FolderExists(string path) => IsThere;

    public IReadOnlyList<string> ListFolders(string path) => Files.Keys
        .Select(file => Path.GetRelativePath(path, file).Split(Path.DirectorySeparatorChar)[0]).Distinct().ToList();

    public IReadOnlyList<FolderFile> List(string path)
    {
        Before("list", path);
        return Files.Keys.Where(file => file.StartsWith(path, StringComparison.Ordinal)).Select(Find).ToList();
    }

    public FolderFile Find(string path) => new(path, Files[path].Bytes.Length, Files[path].Time);

    public byte[] Read(string path)
    {
        Before("read", path);
        Reads++;
        return Files[path].Bytes;
    }

    public void CreateFolder(string path) => Before("create", path);

    public void WriteDurably(string path, byte[] bytes)
    {
        Before("write", path);
        Put(path, bytes);
    }

    public void Move(string from, string to)
    {
        Before("move", from);
        if (Files.ContainsKey(to)) throw new IOException("The name is taken.");
        Put(to, Files[from].Bytes);
        Files.Remove(from);
    }

    public void Delete(string path)
    {
        Before("delete", path);
        Files.Remove(path);
    }
}

/// <summary>A device: a store, and its replica of the shared folder.</summary>
internal sealed class FolderDevice
{
    private readonly SyncStoreOptions _options;

    public FolderDevice(ulong seed, ManualTime? time = null, bool adopts = true)
    {
        Time = time ?? new ManualTime();
        _options = new SyncStoreOptions { TimeProvider = Time, RandomSource = RandomSource.Seeded(seed) };
        Store = SyncStore.OpenInMemory(_options);
        Folder = new SyncFolder(RootPath, Files) { Adopts = adopts };
    }

    public static string RootPath { get; } = Path.GetFullPath("/shared");

    public ManualTime Time { get; }

    public MemoryFiles Files { get; } = new();

    public SyncFolder Folder { get; }

    public SyncStore Store { get; }

    public string Here => Path.Combine(RootPath, Store.Identity.Id.ToString());

    public FolderResult Round(SyncFolder? folder = null) =>
        Store.SynchronizeAsync(folder ?? Folder).GetAwaiter().GetResult();

    public byte[] Export() => Store.ExportAsync().AsTask().GetAwaiter().GetResult();

    public void MarkPaired() => Store.AdoptIdentityAsync(Store.Identity.Id).AsTask().GetAwaiter().GetResult();

    /// <summary>
    /// By dataset its vector and the digest of what lives. Deletes are left out: one that was forgotten here may stand there.
    /// </summary>
    public string Print() => string.Join("\n", Store.Identity.DatasetNames.Select(Store.Identity.Dataset)
        .Where(static dataset => dataset.Version.Count > 0)
        .Select(static dataset => $"{dataset.Name} {dataset.Version} {dataset.Digest:x16}"));

    /// <summary>Carries all files and removals at once, as a cloud does once it is done.</summary>
    public static void Mirror(FolderDevice from, FolderDevice to)
    {
        foreach (string path in from.Files.Shared.ToList())
            if (!to.Files.Files.ContainsKey(path)) to.Files.Put(path, from.Files.Files[path].Bytes);
    }
}

/// <summary>
/// A cloud folder: it sees what appears and disappears in each replica, and carries it to the others late, in any order,
/// cut off at first, twice, and under other names.
/// </summary>
internal sealed class SimulatedCloud(IReadOnlyList<FolderDevice> devices, Random random)
{
    private readonly List<HashSet<string>> _seen = devices.Select(static _ => new HashSet<string>()).ToList();
    private readonly List<(int To, string Path, byte[]? Bytes)> _queue = [];

    /// <summary>Notices what the devices did since the last look.</summary>
    public void Look()
    {
        for (int i = 0; i < devices.Count; i++)
        {
            HashSet<string> now = [.. devices[i].Files.Shared];
            foreach (string path in now.Except(_seen[i]))
                Queue(i, path, devices[i].Files.Files[path].Bytes);
            foreach (string path in _seen[i].Except(now)) Queue(i, path, null);
            _seen[i] = now;
        }
    }

    /// <summary>Does one random thing of what is to do.</summary>
    public void Step()
    {
        Look();
        if (_queue.Count == 0) return;
        int index = random.Next(_queue.Count);
        (int to, string path, byte[]? bytes) = _queue[index];
        int kind = random.Next(10);
        if (bytes is not null && kind == 0)
        {
            // Half of it first; the rest comes later.
            Arrive(to, path, bytes[..random.Next(bytes.Length)]);
            return;
        }

        _queue.RemoveAt(index);
        if (bytes is not null && kind == 1)
            Arrive(to, path.Replace(".sync", " (conflicted copy).sync", StringComparison.Ordinal), bytes);
        if (kind == 2) _queue.Add((to, path, bytes));
        if (bytes is not null) Arrive(to, path, bytes);
        else Leave(to, path);
    }

    /// <summary>Delivers everything that there is.</summary>
    public void Settle()
    {
        Look();
        while (_queue.Count > 0)
        {
            foreach ((int to, string path, byte[]? bytes) in _queue.ToList())
            {
                if (bytes is not null) Arrive(to, path, bytes);
                else Leave(to, path);
            }

            _queue.Clear();
            Look();
        }
    }

    /// <summary>A file vanishes somewhere and comes back later.</summary>
    public void Hide()
    {
        Look();
        int device = random.Next(devices.Count);
        List<string> paths = [.. devices[device].Files.Shared];
        if (paths.Count == 0) return;
        string path = paths[random.Next(paths.Count)];
        _queue.Add((device, path, devices[device].Files.Files[path].Bytes));
        Leave(device, path);
    }

    private void Queue(int from, string path, byte[]? bytes)
    {
        for (int i = 0; i < devices.Count; i++)
        {
            if (i == from) continue;
            if (bytes is null) _queue.RemoveAll(item => item.To == i && item.Path == path);
            _queue.Add((i, path, bytes));
        }
    }

    private void Arrive(int to, string path, byte[] bytes)
    {
        devices[to].Files.Put(path, bytes);
        _seen[to].Add(path);
    }

    private void Leave(int to, string path)
    {
        devices[to].Files.Files.Remove(path);
        _seen[to].Remove(path);
    }
}
