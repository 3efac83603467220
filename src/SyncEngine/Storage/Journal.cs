using SyncEngine.Causality;

namespace SyncEngine.Storage;

/// <summary>
/// Group commit: one dedicated thread owns the storage, gathers what changed in any dataset into one batch and makes it
/// durable with one commit. The thread has no SynchronizationContext, so no storage can be led astray by one. A simulation
/// has no such thread: there the work is done when <see cref="RunNow"/> is called, so that a seed replays a run.
/// </summary>
internal sealed partial class Journal : IDisposable
{
    private static readonly TimeSpan _retryDelay = TimeSpan.FromSeconds(1);

    private readonly object _gate = new();
    private readonly Queue<Action<ISyncStorage>> _work = new();
    private readonly Thread? _thread;
    private readonly Func<ISyncStorage> _open;
    private readonly TaskCompletionSource<bool> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private HashSet<IJournaled> _dirty = [];
    private Dictionary<int, byte[]?> _metadata = [];
    private List<int> _dropped = [];
    private List<string> _droppedRows = [];
    private bool _claims;
    private TaskCompletionSource<bool> _next = NewCompletion();
    private StorageBatch? _stuck;
    private HashSet<IJournaled> _inFlight = [];
    private TaskCompletionSource<bool> _inFlightCompletion = NewCompletion();
    private IJournaled? _snapshotting;
    private bool _retries;
    private bool _stopping;
    private volatile bool _ended;
    private ISyncStorage? _storage;

    private Journal(Func<ISyncStorage> open, bool isByHand)
    {
        _open = open;
        if (!isByHand) _thread = new Thread(Loop) { IsBackground = true, Name = "SyncEngine storage" };
    }

    /// <summary>Why the last commit failed; null while all is well. Writes are refused while it is set.</summary>
    public SyncException? Failure { get; private set; }

    /// <summary>Whether the storage is closed: nothing becomes durable any more.</summary>
    public bool HasEnded => _ended;

    /// <summary>Called on the storage thread when <see cref="Failure"/> changes.</summary>
    public Action<SyncException?>? FailureChanged { get; set; }

    /// <summary>Starts the thread and opens the storage on it; by hand there is no thread.</summary>
    public static async ValueTask<Journal> OpenAsync(Func<ISyncStorage> open, bool isByHand = false)
    {
        var journal = new Journal(open, isByHand);
        if (journal._thread is null)
        {
            journal._storage = open();
            return journal;
        }

        journal._thread.Start();
        await journal._opened.Task.ConfigureAwait(false);
        return journal;
    }

    /// <summary>Runs something on the storage thread, between commits.</summary>
    public Task<T> RunAsync<T>(Func<ISyncStorage, T> work)
    {
        var completion = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Run(ISyncStorage storage)
        {
            try
            {
                completion.SetResult(work(storage));
            }
            catch (OperationCanceledException e)
            {
                completion.TrySetCanceled(e.CancellationToken);
            }
            catch (Exception e)
            {
                completion.SetException(e);
            }
        }

        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            if (_thread is not null) _work.Enqueue(Run);
            Monitor.Pulse(_gate);
        }

        if (_thread is null) Run(_storage!);
        return completion.Task;
    }

    /// <summary>Has a dataset's changes made durable with the next commit.</summary>
    public void MarkDirty(IJournaled source)
    {
        lock (_gate)
        {
            _dirty.Add(source);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>
    /// Has metadata pages written, or removed where null, together with the next commit; they are durable with the
    /// returned task.
    /// </summary>
    public Task SetMetadata(bool claimsFile, params ReadOnlySpan<(int Page, byte[]? Bytes)> pages)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            foreach ((int page, byte[]? bytes) in pages) _metadata[page] = bytes;
            _claims |= claimsFile;
            Monitor.Pulse(_gate);
            return _next.Task;
        }
    }

    /// <summary>Has a dataset's frames removed with the next commit, and the rows whose keys begin with a prefix.</summary>
    public void Drop(int dataset, IJournaled? source, params string[] rowPrefixes)
    {
        lock (_gate)
        {
            if (source is not null) _dirty.Remove(source);
            _dropped.Add(dataset);
            _dropped.Add(-dataset);
            _droppedRows.AddRange(rowPrefixes);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>
    /// Lets go of a dataset that was closed while its identity goes on: a snapshot that was begun for it is given up, so
    /// that nothing of it is written after it was read anew.
    /// </summary>
    public Task ReleaseAsync(IJournaled source) => RunAsync(_ =>
    {
        if (_snapshotting != source) return true;
        source.AbandonSnapshot();
        _snapshotting = null;
        return true;
    });

    /// <summary>Has a failed commit tried again now instead of after a while.</summary>
    public void Retry()
    {
        lock (_gate)
        {
            _retries = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Commits what is pending, closes the storage and ends the thread.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.Pulse(_gate);
        }

        if (_thread is not null) _thread.Join();
        else End();
    }

    private static TaskCompletionSource<bool> NewCompletion()
    {
        var completion = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);

        // Nobody need wait for it: a failure that no one awaits is told by Failure, not by the finalizer.
        completion.Task.ContinueWith(static task => _ = task.Exception, CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return completion;
    }

    private void Loop()
    {
        try
        {
            _storage = _open();
        }
        catch (Exception e)
        {
            _opened.SetException(e);
            return;
        }

        _opened.SetResult(true);
        while (true)
        {
            Action<ISyncStorage>? work = null;
            lock (_gate)
            {
                while (!HasWork())
                {
                    if (_stopping) break;
                    if (Failure is null) Monitor.Wait(_gate);
                    else if (!Monitor.Wait(_gate, _retryDelay)) _retries = true;
                }

                if (_work.Count > 0) work = _work.Dequeue();
                else if (_stopping && (Failure is not null || !HasWork())) break;
            }

            if (work is not null) work(_storage);
            else if (_stuck is not null || HasPending()) Commit(_storage);
            else StagePage(_storage);
        }

        End();
    }

    private void End()
    {
        RunNow();
        _storage!.Dispose();
        _ended = true;
        ReleaseWaiters(new SyncException(SyncErrorCode.StorageFailed,
            "The store was closed before this was durable. Open it again and repeat the change."));
    }

    /// <summary>Tells everyone who waits for a commit that it failed; what they wait for stays queued.</summary>
    private void ReleaseWaiters(SyncException failure)
    {
        List<IJournaled> waiting;
        TaskCompletionSource<bool> next;
        lock (_gate)
        {
            waiting = [.. _inFlight, .. _dirty];
            next = _next;
            _next = NewCompletion();
        }

        TaskCompletionSource<bool> inFlight = _inFlightCompletion;
        _inFlightCompletion = NewCompletion();
        foreach (IJournaled source in waiting) source.OnFailed(failure);
        inFlight.TrySetException(failure);
        next.TrySetException(failure);
    }

    private bool HasWork() => _work.Count > 0
        || (Failure is not null ? _retries || _stopping : HasPendingLocked() || _snapshotting is not null);

    private bool HasPendingLocked() => _dirty.Count > 0 || _metadata.Count > 0 || _rows.Count > 0 || _dropped.Count > 0
        || _claims;

    private bool HasPending()
    {
        lock (_gate) return HasPendingLocked();
    }

    private void Commit(ISyncStorage storage)
    {
        StorageBatch? batch = _stuck;
        _retries = false;
        try
        {
            batch ??= Gather(storage);
            storage.Commit(batch);
        }
        catch (Exception e)
        {
            Fail(batch, e as SyncException ?? new SyncException(SyncErrorCode.StorageFailed,
                $"{storage.Name} could not be written: {e.Message} What is pending stays queued and is tried again.",
                innerException: e));
            return;
        }

        _stuck = null;
        bool recovered = Failure is not null;

        // First of all, so that nobody who waited for the recovery still finds writes refused.
        Failure = null;
        foreach (IJournaled source in _inFlight) source.OnDurable();
        if (recovered) FailureChanged?.Invoke(null);

        _inFlightCompletion.TrySetResult(true);
        if (_snapshotting is null)
        {
            foreach (IJournaled source in _inFlight)
            {
                if (!source.WantsSnapshot) continue;
                _snapshotting = source;
                break;
            }
        }
    }

    private StorageBatch Gather(ISyncStorage storage)
    {
        lock (_together) return GatherAll(storage);
    }

    private StorageBatch GatherAll(ISyncStorage storage)
    {
        var batch = new StorageBatch();
        HashSet<IJournaled> sources;
        List<string> droppedRows;
        lock (_gate)
        {
            sources = _dirty;
            _dirty = [];
            foreach (KeyValuePair<int, byte[]?> page in _metadata) batch.Metadata[page.Key] = page.Value;
            _metadata = [];
            foreach (KeyValuePair<string, byte[]?> row in _rows) batch.Rows[row.Key] = row.Value;
            (_gatheredRows, _rows) = (_rows, new Dictionary<string, byte[]?>(StringComparer.Ordinal));
            foreach (int dataset in _dropped) batch.DroppedDatasets.Add(dataset);
            (_dropped, droppedRows, _droppedRows) = ([], _droppedRows, []);
            batch.ClaimsFile = _claims;
            _claims = false;
            _inFlightCompletion = _next;
            _next = NewCompletion();
        }

        _inFlight = sources;
        try
        {
            GatherDroppedRows(storage, batch, droppedRows);
            NoteGathered(batch.Rows);
            foreach (IJournaled source in sources) source.Encode(batch);
            return batch;
        }
        catch
        {
            // Nothing may be forgotten because there was no memory to encode it: all of it is gathered again.
            lock (_gate)
            {
                _dirty.UnionWith(sources);
                foreach (KeyValuePair<int, byte[]?> page in batch.Metadata) _metadata.TryAdd(page.Key, page.Value);
                foreach (KeyValuePair<string, byte[]?> row in batch.Rows) _rows.TryAdd(row.Key, row.Value);
                _dropped.AddRange(batch.DroppedDatasets);
                _droppedRows.AddRange(droppedRows);
                _claims |= batch.ClaimsFile;
            }

            throw;
        }
    }

    private void Fail(StorageBatch? batch, SyncException failure)
    {
        if (batch is { Flips.Count: > 0 })
        {
            // The frames are whole without the flip, and staged pages may be gone with what failed.
            batch.Flips.Clear();
            foreach (IJournaled source in _inFlight) source.AbandonSnapshot();
        }

        _stuck = batch;
        Failure = failure;
        ReleaseWaiters(failure);
        FailureChanged?.Invoke(failure);
    }

    private void StagePage(ISyncStorage storage)
    {
        IJournaled source = _snapshotting!;
        try
        {
            if (source.StagePage(storage)) return;
            MarkDirty(source);
        }
        catch (Exception)
        {
            // Whatever a storage throws must not end this thread and with it the process. The log still holds
            // everything; the snapshot is tried again once the log has grown.
            source.AbandonSnapshot();
        }

        _snapshotting = null;
    }
}
