using SyncEngine.Causality;
using SyncEngine.LiteDB.Files;
using SyncEngine.LiteDB.Rows;
using SyncEngine.LiteDB.Wal;
using SyncEngine.Storage;

namespace SyncEngine.LiteDB;

/// <summary>
/// A store in a LiteDB file: what a commit acknowledged survives a kill of the process and a power cut.
/// </summary>
/// <remarks>
/// <para>Three files: the database at the path given, its log beside it (<c>-wal</c>) and an empty lock file
/// (<c>.lock</c>). While the storage is closed, the database alone holds everything.</para>
/// <para>Not thread-safe: one thread opens, uses and disposes it, outside any custom task scheduler. A commit costs one
/// fsync. After a failure of the disk the files are reopened by the next call, so that a commit can be tried
/// again.</para>
/// </remarks>
public sealed class LiteDbStorage : ISyncStorage
{
    private readonly StoreFiles _files;
    private readonly StagedSnapshots _staged = new();
    private Database? _database;
    private StoreState _state = new();
    private Dictionary<long, int> _metadataPieces = new();
    private HighWaterMark? _mark;
    private FrameScan? _reading;
    private bool _hasLostCommits;
    private bool _isDisposed;

    private LiteDbStorage(StoreFiles files)
    {
        _files = files;
    }

    /// <inheritdoc/>
    public string Name => _files.Path;

    /// <inheritdoc/>
    public bool IsCopied { get; private set; }

    /// <inheritdoc/>
    public long SizeBytes => Guarded(database => database.SizeBytes);

    /// <summary>Opens the store at a path, or makes an empty one if there is no file.</summary>
    /// <param name="path">The database file; its folder must exist.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="SyncException">
    /// <see cref="SyncErrorCode.FileInUse"/> if another store has it open; <see cref="SyncErrorCode.Damaged"/> if it is
    /// not a store or its structure is damaged, and <see cref="SyncErrorCode.UnsupportedVersion"/> if a newer build
    /// wrote it, both with the file untouched; <see cref="SyncErrorCode.StorageFull"/> and <see
    /// cref="SyncErrorCode.StorageFailed"/> if the disk fails. A store on a full disk opens, and refuses commits until
    /// there is room.
    /// </exception>
    public static LiteDbStorage Open(string path, LiteDbStorageOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        var fullPath = Path.GetFullPath(path);
        StoreFiles files;
        try
        {
            files = StoreFiles.Lock(fullPath, options ?? new LiteDbStorageOptions());
        }
        catch (Exception e) when (e is not SyncException)
        {
            throw FileErrors.Translate(e, fullPath);
        }

        var storage = new LiteDbStorage(files);
        try
        {
            storage.EnsureOpen();
            return storage;
        }
        catch (Exception e)
        {
            storage.Dispose();
            throw FileErrors.Translate(e, fullPath);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<int, byte[]> ReadMetadata() => Guarded(database =>
    {
        var pages = new Dictionary<int, byte[]>();
        var pieces = RowReader.PiecesOf(database.Engine);
        using var scan = new RowScan(database.Engine, Table.Metadata.Name, int.MinValue, int.MaxValue);
        while (scan.MoveNext())
        {
            if (scan.Document is null
                || !RowCodec.TryDecode(Table.Metadata, scan.Id, scan.Document, pieces, out var bytes))
            {
                throw new InvalidDataException($"metadata page {scan.Id} does not match its checksum.");
            }

            pages.Add((int)scan.Id, bytes.ToArray());
        }

        return (IReadOnlyDictionary<int, byte[]>)pages;
    });

    /// <inheritdoc/>
    public byte[]? ReadRow(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Guarded(database => KeyedRows.Find(database.Engine, key));
    }

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, byte[]>> ReadRows(string prefix, string? after, int limit)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        return Guarded(database => KeyedRows.Range(database.Engine, prefix, after, limit));
    }

    /// <inheritdoc/>
    public void ReadFrames(int dataset, IFrameReader reader, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(reader);
        Guarded(database =>
        {
            _reading = new FrameScan(database.Engine, _state);
            _reading.Read(dataset, reader, cancellationToken);
            if (_hasLostCommits) _reading.ReportLostCommits(dataset, reader);
            KeepAside(database, _reading);
            return 0;
        });
    }

    /// <inheritdoc/>
    public void Commit(StorageBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        CheckFrames(batch);
        Guarded(database =>
        {
            CheckFlips(database, batch);
            if (IsEmpty(batch)) return 0;
            _state.Heads.Prepare(batch.Frames.Select(static frame => frame.Dataset)
                .Concat(batch.Flips.Select(static flip => flip.Dataset)).Concat(batch.DroppedDatasets));
            var removal = BatchWriter.PlanRemoval(database.Engine, _state, _staged, batch.Frames.Count);
            var writer = new BatchWriter(_state, _metadataPieces);
            if (batch.ClaimsFile) writer.Claim(_files.PlaceOf(database));

            // A claim passes the mark, so that the file is not taken for a restored one again.
            var commits = Math.Max(database.Commits, batch.ClaimsFile ? _mark!.Read() : 0) + 1;
            database.Run(commits, true, engine => writer.Apply(engine, batch, _staged, removal));
            foreach (var flip in batch.Flips) _staged.Forget(flip.Dataset);
            if (batch.ClaimsFile) IsCopied = false;
            _mark!.Raise(commits);
            return 0;
        });
    }

    /// <inheritdoc/>
    public void StageSnapshotPage(int dataset, int page, ReadOnlyMemory<byte> frame)
    {
        Guarded(database =>
        {
            var staged = _staged[dataset];
            if (page == 0) staged = new StagedSnapshot(_state.NextGeneration++, _state.NextJunk++, 0);
            if (staged is not { } snapshot || snapshot.PageCount != page)
            {
                throw new ArgumentOutOfRangeException(nameof(page), page, "Pages are staged in order, from 0.");
            }

            _staged[dataset] = snapshot with { PageCount = page + 1 };
            database.Run(database.Commits, false,
                engine => new BatchWriter(_state, _metadataPieces).Stage(engine, snapshot, page, frame));
            return 0;
        });
    }

    /// <inheritdoc/>
    public void Compact(IProgress<double>? progress, CancellationToken cancellationToken) => Guarded(database =>
    {
        database.Checkpoint();
        StoreCopy.Write(_files, database, _state, _files.NewPath, IsCopied, progress, cancellationToken);
        database.Dispose();
        try
        {
            _files.Publish(_files.NewPath, _files.Path, overwrite: true);
        }
        catch
        {
            _files.TryDelete(_files.NewPath);
            throw;
        }

        progress?.Report(1);
        return 0;
    });

    /// <inheritdoc/>
    public IReadOnlyList<StorageFault> Verify(IProgress<double>? progress, CancellationToken cancellationToken) =>
        Guarded(database => new Verification(database, _state).Run(progress, cancellationToken));

    /// <inheritdoc/>
    public void Backup(string path, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(path);
        var target = Path.GetFullPath(path);
        if (_files.Exists(target))
        {
            throw new SyncException(SyncErrorCode.StorageFailed,
                $"{target} exists already. Choose another name for the backup, or move that file away.");
        }

        Guarded(database =>
        {
            var temporary = target + ".new";
            StoreCopy.Write(_files, database, _state, temporary, isCopy: true, progress, cancellationToken);
            try
            {
                _files.Publish(temporary, target, overwrite: false);
            }
            catch
            {
                _files.TryDelete(temporary);
                throw;
            }

            progress?.Report(1);
            return 0;
        });
    }

    /// <summary>
    /// Moves what the log holds into the database and closes the files. Nothing acknowledged depends on it.
    /// </summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _database?.Dispose();
        _mark?.Dispose();
        _files.Dispose();
    }

    private static bool IsEmpty(StorageBatch batch) => batch.Frames.Count == 0 && batch.Metadata.Count == 0
        && batch.Flips.Count == 0 && batch.Rows.Count == 0 && batch.DroppedDatasets.Count == 0 && !batch.ClaimsFile;

    private static void CheckFrames(StorageBatch batch)
    {
        foreach (var frame in batch.Frames)
        {
            if (frame.Sequence is < 1 or > DatasetHead.SequenceMax)
            {
                throw new ArgumentException($"Sequence {frame.Sequence} is out of range.", nameof(batch));
            }
        }

        foreach (var (key, bytes) in batch.Rows)
        {
            if (key.Length is 0 or > StorageBatch.RowKeyLengthMax || key.Any(static c => c is < ' ' or > '~')
                || bytes?.Length > StorageBatch.RowBytesMax)
            {
                throw new ArgumentException($"A row's key has 1 to {StorageBatch.RowKeyLengthMax} printable ASCII characters, "
                    + $"its bytes are at most {StorageBatch.RowBytesMax:N0}.", nameof(batch));
            }
        }
    }

    private void CheckFlips(Database database, StorageBatch batch)
    {
        foreach (var flip in batch.Flips)
        {
            if (flip.PageCount == 0) continue;
            if (_staged[flip.Dataset] is { } staged)
            {
                var rows = RowReader.Ids(database.Engine, Table.Snapshot.Name,
                    DatasetHead.SnapshotRow(staged.Generation, 0), DatasetHead.SnapshotRow(staged.Generation, -1),
                    int.MaxValue);
                if (staged.PageCount == flip.PageCount && rows.Count == flip.PageCount) continue;
            }
            else if (_state.Heads.TryGetValue(flip.Dataset, out var head)
                && head.PageCount == flip.PageCount && head.FirstKept == flip.FirstKeptSequence)
            {
                continue;
            }

            _staged.Forget(flip.Dataset);
            throw new SyncException(SyncErrorCode.StorageFailed,
                $"The snapshot of dataset {flip.Dataset} in {Name} lacks pages. Stage it again from page 0.");
        }
    }

    /// <summary>Copies damaged rows to a collection of their own, for whoever wants to look into them.</summary>
    private static void KeepAside(Database database, FrameScan frames)
    {
        if (frames.Lost.Count > 0 && !database.IsUnsettled)
        {
            database.Run(database.Commits, false, engine =>
                engine.Upsert(Table.LostName, frames.Lost, global::LiteDB.BsonAutoId.Int64));
        }

        // LiteDB threw in the middle of a query; a new engine starts from a clean slate.
        if (frames.HadFaults) database.Dispose();
    }

    private T Guarded<T>(Func<Database, T> work)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        try
        {
            return work(EnsureOpen());
        }
        catch (Exception e) when (e is OperationCanceledException or ArgumentException || _reading?.IsInReader == true)
        {
            // The caller's own doing, which says nothing about the files.
            _reading = null;
            throw;
        }
        catch (Exception e)
        {
            // Whatever failed, the files are read anew before anything else is done with them.
            _database?.Abandon(false);
            throw FileErrors.Translate(e, Name);
        }
    }

    private Database EnsureOpen()
    {
        if (_database is { IsClosed: false }) return _database;
        _database = null;
        var database = _files.Open();
        try
        {
            _state = StoreState.Load(database.Engine);
            _metadataPieces = StoreState.PieceCounts(database.Engine, Table.Metadata);
            _mark ??= _files.OpenMark(database.Id);
            _hasLostCommits |= database.HasLostCommits;
            var place = _files.PlaceOf(database);
            IsCopied = _state.IsMarkedCopied || (place is not null && !place.AsSpan().SequenceEqual(_state.Place))
                || _mark.Read() > database.Commits || _hasLostCommits;
            return _database = database;
        }
        catch
        {
            database.Abandon(false);
            throw;
        }
    }
}
