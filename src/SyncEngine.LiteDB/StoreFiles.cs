using System.Security.Cryptography;
using SyncEngine.Causality;
using SyncEngine.LiteDB.Files;
using SyncEngine.LiteDB.Rows;
using SyncEngine.LiteDB.Wal;

namespace SyncEngine.LiteDB;

/// <summary>The files of one store: their names, the lock, making them and opening them.</summary>
internal sealed class StoreFiles : IDisposable
{
    private readonly LiteDbStorageOptions _options;
    private readonly IDisposable _lock;

    private StoreFiles(string path, LiteDbStorageOptions options, IDisposable fileLock)
    {
        Path = path;
        _options = options;
        _lock = fileLock;
    }

    public string Path { get; }

    public string LogPath => Path + "-wal";

    /// <summary>Where a file is built before it takes the store's name.</summary>
    public string NewPath => Path + ".new";

    private IFileSystem Files => _options.Files;

    /// <summary>Takes the store's lock; nothing else is touched.</summary>
    public static StoreFiles Lock(string path, LiteDbStorageOptions options)
    {
        var lockPath = path + ".lock";
        try
        {
            return new StoreFiles(path, options, options.Files.Lock(lockPath));
        }
        catch (DirectoryNotFoundException e)
        {
            throw new SyncException(SyncErrorCode.StorageFailed,
                $"The folder of {path} does not exist. Create it, then open the store.", innerException: e);
        }
        catch (IOException e) when (!FileErrors.IsFull(e))
        {
            throw new SyncException(SyncErrorCode.FileInUse,
                $"{path} is open in another process or another store of this one. Close it there, then open it here.",
                innerException: e);
        }
    }

    /// <summary>Opens the database, after making it if there is none.</summary>
    public Database Open()
    {
        if (!Files.Exists(Path)) Create();
        else SyncFolder();
        if (Files.Exists(NewPath)) TryDelete(NewPath);
        IRawFile? dataFile = null;
        IRawFile? logFile = null;
        try
        {
            dataFile = Files.Open(Path, FileOpening.Existing);
            if (Files.Exists(LogPath)) logFile = Files.Open(LogPath, FileOpening.Existing);
            var recovery = Recovery.Read(dataFile, logFile, Path, _options.Faults);
            if (recovery.IsLogForeign)
            {
                logFile!.Dispose();
                logFile = null;
                SetLogAside();
            }

            logFile ??= CreateLog();
            return Database.Open(dataFile, logFile, recovery, _options.Faults);
        }
        catch
        {
            dataFile?.Dispose();
            logFile?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Builds a store's file under its temporary name; the caller fills it, finishes it and renames it.
    /// </summary>
    /// <param name="path">The temporary name.</param>
    /// <param name="database">Which database it is.</param>
    /// <param name="commits">The commit counter it starts at.</param>
    public Database Build(string path, Guid database, long commits)
    {
        var file = Files.Open(path, FileOpening.Empty);
        try
        {
            return Database.Build(file, database, commits);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>What tells this machine and this file from others; null if either cannot be told.</summary>
    public byte[]? PlaceOf(Database database)
    {
        if (database.FileIdentity is not { } file || _options.MachineIdentity() is not { } machine) return null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(machine);
        hash.AppendData(file);
        return hash.GetHashAndReset();
    }

    /// <summary>Gives a finished file its name, durably.</summary>
    public void Publish(string temporary, string path, bool overwrite)
    {
        Files.Rename(temporary, path, overwrite);
        Files.SyncFolderOf(path);
    }

    public bool Exists(string path) => Files.Exists(path);

    public void TryDelete(string path)
    {
        try
        {
            Files.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whatever is left under a temporary name is removed when the store opens next.
        }
    }

    public HighWaterMark OpenMark(Guid database) => new(Files, _options.LocalStateFolder, database, Path);

    public void Dispose() => _lock.Dispose();

    private void Create()
    {
        var id = new byte[16];
        RandomNumberGenerator.Fill(id);
        try
        {
            var database = Build(NewPath, new Guid(id), 0);
            try
            {
                var state = new StoreState { Place = PlaceOf(database) };
                database.Run(0, false, engine =>
                    engine.Upsert(Table.Own.Name, new[] { RowCodec.Encode(Table.Own, 1, state.OwnToBytes()) },
                        global::LiteDB.BsonAutoId.Int64));
                database.FinishBuilding();
            }
            finally
            {
                database.Dispose();
            }

            // A log without its data file is of no use to anybody, but it is not ours to delete.
            if (Files.Exists(LogPath)) SetLogAside();
            Publish(NewPath, Path, overwrite: false);
        }
        catch
        {
            TryDelete(NewPath);
            throw;
        }
    }

    /// <summary>
    /// A process that was killed just after a rename left a name that is not durable yet, and commits that were
    /// acknowledged under it would go with it.
    /// </summary>
    private void SyncFolder()
    {
        try
        {
            Files.SyncFolderOf(Path);
        }
        catch (IOException e) when (FileErrors.IsFull(e))
        {
            // A store on a full disk opens all the same; it cannot commit anyway.
        }
    }

    private IRawFile CreateLog()
    {
        var file = Files.Open(LogPath, FileOpening.ExistingOrNew);
        Files.SyncFolderOf(LogPath);
        return file;
    }

    private void SetLogAside()
    {
        var number = 1;
        while (Files.Exists($"{LogPath}.lost-{number}")) number++;
        Publish(LogPath, $"{LogPath}.lost-{number}", overwrite: false);
    }
}
