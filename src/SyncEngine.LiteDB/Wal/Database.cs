using LiteDB;
using LiteDB.Engine;
using SyncEngine.LiteDB.Files;

namespace SyncEngine.LiteDB.Wal;

/// <summary>
/// An open database: LiteDB's engine over the two files, recovered before LiteDB sees them. Belongs to one thread.
/// </summary>
internal sealed class Database : IDisposable
{
    public const int CheckpointPages = 500;
    private const int ConfirmationTimeoutMilliseconds = 60_000;

    private readonly IRawFile _dataFile;
    private readonly IRawFile? _logFile;
    private readonly LogFile _log;
    private readonly DataStream _data;
    private readonly PlantedFaults? _faults;
    private readonly LiteEngine _engine;
    private Recovery? _recovery;
    private bool _isClosed;

    private Database(IRawFile dataFile, IRawFile? logFile, LogFile log, DataStream data, PlantedFaults? faults)
    {
        (_dataFile, _logFile, _log, _data, _faults) = (dataFile, logFile, log, data, faults);
        _engine = new LiteEngine(new EngineSettings
        {
            DataStream = data,
            LogStream = new LogStream(log, ResetLog),
            Collation = new Collation("/Ordinal"),
        });
    }

    /// <summary>Which database this is; the same in every copy of the file.</summary>
    public Guid Id => _log.Header.Database;

    /// <summary>Durable commits since the database was made.</summary>
    public long Commits { get; private set; }

    /// <summary>
    /// Whether recovery could not write its pages to a full disk: reading works, committing does not.
    /// </summary>
    public bool IsUnsettled { get; private set; }

    /// <summary>For reads; writes go through <see cref="Run"/>.</summary>
    public LiteEngine Engine => _engine;

    public bool IsClosed => _isClosed;

    public byte[]? FileIdentity => _dataFile.Identity;

    public long SizeBytes => _dataFile.Length + (_logFile?.Length ?? 0);

    /// <summary>Opens the database and brings what the log holds into the data file.</summary>
    public static Database Open(IRawFile dataFile, IRawFile logFile, Recovery recovery, PlantedFaults? faults)
    {
        var log = new LogFile(logFile, faults) { Commits = recovery.Commits };
        var data = new DataStream(dataFile, log, faults) { IsRecovering = true };
        recovery.HeaderPage.CopyTo(log.HeaderPage, 0);
        log.Start(recovery.LogHeader);
        recovery.Replay(data);
        var unsettled = false;
        try
        {
            Settle(logFile, log, data, recovery);
        }
        catch (IOException e) when (FileErrors.IsFull(e))
        {
            unsettled = true;
        }

        return new Database(dataFile, logFile, log, data, faults)
        {
            Commits = recovery.Commits,
            IsUnsettled = unsettled,
            _recovery = unsettled ? recovery : null,
        };
    }

    /// <summary>
    /// Makes an empty database in a file that nobody else knows yet; it has no log file until it is opened.
    /// </summary>
    public static Database Build(IRawFile dataFile, Guid id, long commits)
    {
        var log = new LogFile(null, null) { Commits = commits };
        log.Reset(id, LogFile.NewId());
        var data = new DataStream(dataFile, log, null) { IsBuilding = true };
        var database = new Database(dataFile, null, log, data, null) { Commits = commits };
        database._engine.Pragma("CHECKPOINT", CheckpointPages);
        return database;
    }

    /// <summary>
    /// Runs one transaction. When this throws, the database is closed: the outcome is known again once it was reopened.
    /// </summary>
    /// <param name="commits">What the commit counter becomes.</param>
    /// <param name="isDurable">Whether to return only once it is durable; otherwise it is when a later one is.</param>
    /// <param name="work">Writes through the engine.</param>
    public void Run(long commits, bool isDurable, Action<LiteEngine> work)
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        var inTransaction = false;
        try
        {
            if (IsUnsettled) Settle();
            _log.Commits = commits;
            var confirmed = _log.Confirmed;
            inTransaction = _engine.BeginTrans();
            work(_engine);
            _engine.Commit();
            inTransaction = false;
            if (_faults?.SkipConfirmationSync == true)
            {
                _log.Write();
            }
            else
            {
                _log.WaitForConfirmed(confirmed + 1, ConfirmationTimeoutMilliseconds);
                if (isDurable) _log.Sync();
                else _log.Write();
            }

            Commits = commits;
        }
        catch (TimeoutException)
        {
            // LiteDB's queue is dead, and disposing its engine would wait for it for ever.
            CloseStreams();
            CloseFiles();
            throw;
        }
        catch
        {
            Abandon(inTransaction);
            throw;
        }
    }

    /// <summary>Moves what the log holds into the data file, so that the data file alone is the database.</summary>
    public void Checkpoint()
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        try
        {
            if (IsUnsettled) Settle();
            _engine.Checkpoint();
        }
        catch
        {
            Abandon(false);
            throw;
        }
    }

    /// <summary>Finishes a file that <see cref="Build"/> made: all pages in it, synced.</summary>
    public void FinishBuilding()
    {
        _engine.Checkpoint();
        _engine.Dispose();
        _log.Close();
        _data.Flush();
        _data.IsClosed = true;
        _isClosed = true;
        _dataFile.FlushToDisk();
    }

    /// <summary>
    /// Reads the data file page by page as it is on disk; yields the position of each that fails its check.
    /// </summary>
    public IEnumerable<long> DamagedPages(Action<double>? progress, CancellationToken cancellationToken)
    {
        var page = new byte[Page.Size];
        var length = _dataFile.Length / Page.Size * Page.Size;
        for (var position = 0L; position < length; position += Page.Size)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var sound = _dataFile.ReadAt(position, page) == page.Length && Page.Unseal(page, position);
            if (position % (Page.Size * 128L) == 0) progress?.Invoke((double)position / length);
            if (!sound) yield return position;
        }
    }

    /// <summary>
    /// Closes the database and its files; everything committed is in the data file unless the disk failed.
    /// </summary>
    public void Dispose()
    {
        if (_isClosed) return;
        _isClosed = true;
        _engine.Dispose();
        _log.Close();
        _data.IsClosed = true;
        try
        {
            if (_log.PageCount == 0 && !IsUnsettled) _log.Shrink();
        }
        catch (IOException)
        {
            // A log file that keeps its size does no harm.
        }

        CloseFiles();
    }

    /// <summary>Gives everything up after a failure; the files are reopened and recovered as after a crash.</summary>
    public void Abandon(bool inTransaction)
    {
        if (_isClosed) return;
        CloseStreams();
        try
        {
            // An undisposed transaction of LiteDB would end the process from its finalizer.
            if (inTransaction) _engine.Rollback();
        }
        catch (Exception)
        {
            // LiteDB ends its transactions when it is disposed, too.
        }

        try
        {
            _engine.Dispose();
        }
        catch (Exception)
        {
            // The files count, not LiteDB's last words.
        }

        CloseFiles();
    }

    private void CloseStreams()
    {
        _isClosed = true;
        _data.IsClosed = true;
        _log.Close();
    }

    private void CloseFiles()
    {
        _dataFile.Dispose();
        _logFile?.Dispose();
    }

    private void ResetLog()
    {
        if (_data.IsClosed) return;
        _log.Reset(_log.Header.Database, _log.Header.Id);
    }

    private void Settle()
    {
        Settle(_logFile!, _log, _data, _recovery!);
        IsUnsettled = false;
        _recovery = null;
    }

    private static void Settle(IRawFile logFile, LogFile log, DataStream data, Recovery recovery)
    {
        if (recovery.Frames.Count > 0) LogFile.Rewrite(logFile, recovery.Frames);
        data.Flush();
        if (recovery.NeedsNewLog) log.Reset(recovery.Database, recovery.CheckpointIdAfterReplay);
        data.IsRecovering = false;
    }
}
