using SyncEngine.LiteDB.Files;

namespace SyncEngine.LiteDB.Tests.Simulation;

/// <summary>
/// A disk in memory that can lose power: what was not synced is lost, or a random part of it is, some of it torn
/// between sectors. It can also fail one operation, and be full.
/// </summary>
internal sealed class SimulatedDisk : IFileSystem
{
    private readonly HashSet<string> _locks = new();
    private readonly List<Action<Dictionary<string, SimulatedFile>>> _unsyncedNames = new();
    private Dictionary<string, SimulatedFile> _names = new();
    private Dictionary<string, SimulatedFile> _durableNames = new();
    private int _nextIdentity = 1;
    private bool _isDead;

    /// <summary>Operations so far; reads do not count unless <see cref="FailingReads"/> is set.</summary>
    public long Operations { get; private set; }

    /// <summary>The operation during which the power goes; none if negative.</summary>
    public long CutAt { get; set; } = -1;

    /// <summary>The operation that fails once; none if negative.</summary>
    public long FailAt { get; set; } = -1;

    /// <summary>The operation from which on nothing may grow until there is more capacity; none if negative.</summary>
    public long FullAt { get; set; } = -1;

    /// <summary>How many of the unsynced writes that survive a power cut are torn.</summary>
    public int TornPercent { get; init; } = 10;

    /// <summary>Syncs of files so far.</summary>
    public int Flushes { get; set; }

    /// <summary>Bytes written to files so far.</summary>
    public long BytesWritten { get; set; }

    public bool FailingReads { get; set; }

    /// <summary>Bytes that files may take in all.</summary>
    public long Capacity { get; set; } = long.MaxValue;

    public long UsedBytes => _names.Values.Distinct().Sum(file => file.Length);

    public bool IsDead => _isDead;

    public bool Exists(string path) => Alive(_names).ContainsKey(path);

    public IRawFile Open(string path, FileOpening opening)
    {
        if (!Alive(_names).TryGetValue(path, out var file))
        {
            if (opening == FileOpening.Existing) throw new FileNotFoundException(path);
            Step();
            file = new SimulatedFile(this, _nextIdentity++);
            Rename(names => names[path] = file);
        }
        else if (opening == FileOpening.Empty)
        {
            file.SetLength(0);
        }

        return new Handle(file);
    }

    public IDisposable Lock(string path)
    {
        if (!_locks.Add(path)) throw new IOException("In use: " + path);
        return new Unlocking(() => _locks.Remove(path));
    }

    public void Rename(string from, string to, bool overwrite)
    {
        Step();
        if (_names.ContainsKey(to) && !overwrite) throw new IOException("Exists: " + to);
        Rename(names =>
        {
            if (names.Remove(from, out var file)) names[to] = file;
        });
    }

    public void Delete(string path)
    {
        Step();
        Rename(names => names.Remove(path));
    }

    public void CreateFolder(string path)
    {
    }

    public void SyncFolderOf(string path)
    {
        Step();
        _durableNames = new Dictionary<string, SimulatedFile>(_names);
        _unsyncedNames.Clear();
    }

    /// <summary>The state of the disk after the power came back.</summary>
    /// <param name="random">Picks what survives.</param>
    /// <param name="keepNothing">Whether all that was not synced is lost; otherwise a random part of it is.</param>
    public void LosePower(Random random, bool keepNothing)
    {
        var names = new Dictionary<string, SimulatedFile>(_durableNames);
        var kept = keepNothing ? 0 : random.Next(_unsyncedNames.Count + 1);
        for (var i = 0; i < kept; i++) _unsyncedNames[i](names);
        foreach (var file in names.Values.Concat(_names.Values).Distinct()) file.LosePower(random, keepNothing);
        _names = names;
        _durableNames = new Dictionary<string, SimulatedFile>(names);
        Restart();
    }

    /// <summary>The process died, the system did not: everything written is there, though not durable.</summary>
    public void KillProcess() => Restart();

    /// <summary>Copies a file's bytes to another name, as a user would.</summary>
    public void Copy(string from, string to)
    {
        using var source = Open(from, FileOpening.Existing);
        using var target = Open(to, FileOpening.Empty);
        var bytes = new byte[source.Length];
        _ = source.ReadAt(0, bytes);
        target.WriteAt(0, bytes);
        target.FlushToDisk();
    }

    internal void Step(bool isRead = false)
    {
        if (_isDead) throw new IOException("The power is off.");
        if (isRead && !FailingReads) return;
        Operations++;
        if (Operations == CutAt)
        {
            _isDead = true;
            throw new IOException("The power goes off.");
        }

        if (Operations == FullAt) Capacity = UsedBytes;
        if (Operations == FailAt) throw new IOException("An operation fails.", 5);
    }

    internal void Reserve(long growth)
    {
        const int noSpace = 28;
        if (growth > 0 && UsedBytes + growth > Capacity) throw new IOException("No space left on device.", noSpace);
    }

    internal bool CutsNow => Operations + 1 == CutAt;

    private void Rename(Action<Dictionary<string, SimulatedFile>> change)
    {
        change(_names);
        _unsyncedNames.Add(change);
    }

    private void Restart()
    {
        _locks.Clear();
        _isDead = false;
        CutAt = FailAt = FullAt = -1;
    }

    private Dictionary<string, SimulatedFile> Alive(Dictionary<string, SimulatedFile> names) =>
        _isDead ? throw new IOException("The power is off.") : names;

    private sealed class Unlocking(Action unlock) : IDisposable
    {
        public void Dispose() => unlock();
    }

    /// <summary>A file opened once: closing it says nothing about its content.</summary>
    private sealed class Handle(SimulatedFile file) : IRawFile
    {
        private bool _isClosed;

        public long Length => Open.Length;

        public byte[]? Identity => BitConverter.GetBytes(Open.Identity);

        private SimulatedFile Open => _isClosed ? throw new ObjectDisposedException(nameof(Handle)) : file;

        public int ReadAt(long offset, Span<byte> buffer) => Open.ReadAt(offset, buffer);

        public void WriteAt(long offset, ReadOnlySpan<byte> bytes) => Open.WriteAt(offset, bytes);

        public void SetLength(long length) => Open.SetLength(length);

        public void FlushToDisk() => Open.FlushToDisk();

        public void Dispose() => _isClosed = true;
    }
}
