using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Storage;
using SyncEngine.Wire;

namespace SyncEngine.Datasets;

public sealed partial class Dataset : IJournaled
{
    private const int PageBytes = 64 * 1024;
    private const int SnapshotFactor = 4;
    private const int FrameOverheadBytes = 64;

    private TaskCompletionSource<bool>? _pendingDurable;
    private TaskCompletionSource<bool>? _inFlightDurable;
    private readonly List<(int Replica, long Counter)> _inFlightCounters = [];
    private long _encodedRevision;
    private long _durableRevision;
    private long _toldRevision;
    private long _sequence;
    private bool _queued;
    private bool _isInFlight;
    private bool _discarded;

    /// <summary>The highest revision that survives a crash and a power cut.</summary>
    public long DurableRevision => Context.Journal is null ? Revision : Interlocked.Read(ref _durableRevision);

    /// <summary>Completes when everything written or merged so far is durable.</summary>
    /// <exception cref="SyncException">The storage failed; what is pending stays queued and visible.</exception>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        Task wait;
        lock (_gate)
        {
            // What raises no revision, such as a delete that is forgotten, is pending all the same.
            if (Context.Journal is null || (_state.Revision <= _durableRevision && !_queued && !_isInFlight)) return default;
            wait = WaitLocked(isInFlight: !_queued && _state.Revision <= _encodedRevision);
        }

        return WaitAsync(wait, cancellationToken);
    }

    /// <summary>Whether a revision became durable since this was asked last, or since the dataset was read.</summary>
    internal bool TakeAdvance()
    {
        long durable = DurableRevision, told = Interlocked.Read(ref _toldRevision);
        while (durable > told)
        {
            long before = Interlocked.CompareExchange(ref _toldRevision, durable, told);
            if (before == told) return true;
            told = before;
        }

        return false;
    }

    void IJournaled.Encode(StorageBatch batch)
    {
        lock (_gate)
        {
            (_queued, _isInFlight) = (false, true);
            _inFlightDurable = _pendingDurable;
            _pendingDurable = null;
            _encodedRevision = _state.Revision;
            _encodedRenames = _state.Renames;
            _inFlightBytes = 0;
            if (_discarded) return;
            EncodeParts(batch);
            if (_state.Dirty.Count == 0 && _state.Replicas.Changed.Count == 0 && !_flipReady) return;
            if (_flipReady) _state.Replicas.NoteAllChanged();
            _inFlightCounters.Clear();
            foreach (int replica in _state.Replicas.Changed)
                _inFlightCounters.Add((replica, _state.Replicas.Counter(replica)));
            int[] cells = _state.Dirty.ToArray();
            StoredHeader header = HeaderNow(withEpochs: !_epochsNoted || _flipReady);
            header.Lowered = _state.Replicas.Lowered.ConvertAll(_state.Replicas.Id);
            byte[] frame = FrameWriter.WriteStored(Name, _state, _state.Replicas.Durable, cells, header);
            _epochsNoted = true;
            foreach (int cell in cells) _state.Table[cell].Flags &= ~CellFlags.Dirty;
            _state.Dirty.Clear();
            _state.Replicas.ClearChanged();
            _state.SweepEmptied();
            if (_flipReady) batch.Flips.Add(new SnapshotFlip(Number, _page, _firstKeptSequence));
            batch.Frames.Add(new LogFrame(Number, ++_sequence, frame));
            _inFlightBytes = frame.Length + FrameOverheadBytes;
        }
    }

    void IJournaled.OnDurable()
    {
        TaskCompletionSource<bool>? completion;
        Subscription[] subscriptions;
        lock (_gate)
        {
            foreach ((int replica, long counter) in _inFlightCounters) _state.Replicas.SetDurable(replica, counter);
            _inFlightCounters.Clear();
            Interlocked.Exchange(ref _durableRevision, _encodedRevision);
            _isInFlight = false;
            _durableRenames = _encodedRenames;
            _logBytes += _inFlightBytes;
            if (_flipReady) CompleteSnapshot();
            completion = _inFlightDurable;
            _inFlightDurable = null;
            subscriptions = _subscriptions;
        }

        completion?.TrySetResult(true);
        Advanced?.Invoke();
        foreach (Subscription subscription in subscriptions)
            if (subscription.DurableOnly) subscription.Wake();
    }

    void IJournaled.OnFailed(SyncException failure)
    {
        TaskCompletionSource<bool>? inFlight, pending;
        lock (_gate) (inFlight, pending, _inFlightDurable, _pendingDurable) = (_inFlightDurable, _pendingDurable, null, null);
        inFlight?.TrySetException(failure);
        pending?.TrySetException(failure);
    }

    /// <summary>Closes a dataset that was deleted: whoever waits for its changes is told that they are gone.</summary>
    internal void Discard()
    {
        Close();
        TaskCompletionSource<bool>? pending;
        lock (_gate)
        {
            (_discarded, _queued) = (true, false);
            (pending, _pendingDurable) = (_pendingDurable, null);
        }

        pending?.TrySetException(new ObjectDisposedException(Name, $"Dataset {Name} was deleted."));
    }

    /// <summary>Completes when a revision is durable.</summary>
    internal ValueTask WaitDurableAsync(long revision, CancellationToken cancellationToken)
    {
        Task wait;
        lock (_gate)
        {
            if (Context.Journal is null || revision <= _durableRevision) return default;
            wait = WaitLocked(isInFlight: revision <= _encodedRevision);
        }

        return WaitAsync(wait, cancellationToken);
    }

    private Task<bool> WaitLocked(bool isInFlight)
    {
        if (Context.Journal!.HasEnded)
            throw new SyncException(SyncErrorCode.StorageFailed, $"The store was closed before the last changes of "
                + $"dataset {Name} were durable. Open it again and repeat them.");
        ref TaskCompletionSource<bool>? completion = ref _pendingDurable;
        if (isInFlight) completion = ref _inFlightDurable;
        else if (_closed && !_queued)
            throw new ObjectDisposedException(Name, $"Dataset {Name} was closed before its changes were durable.");
        completion ??= NewCompletion();
        if (Context.Journal.Failure is not null) Context.Journal.Retry();
        return completion.Task;
    }

    private ValueTask WaitAsync(Task wait, CancellationToken cancellationToken)
    {
        Context.Journal!.RunNow();
        return new ValueTask(cancellationToken.CanBeCanceled ? WaitCanceledAsync(wait, cancellationToken) : wait);
    }

    private static async Task WaitCanceledAsync(Task wait, CancellationToken cancellationToken)
    {
        var canceled = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration =
            cancellationToken.Register(static state => ((TaskCompletionSource<bool>)state!).TrySetResult(true), canceled);
        if (await Task.WhenAny(wait, canceled.Task).ConfigureAwait(false) != wait)
            cancellationToken.ThrowIfCancellationRequested();
        await wait.ConfigureAwait(false);
    }

    private static TaskCompletionSource<bool> NewCompletion()
    {
        var completion = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        completion.Task.ContinueWith(static task => _ = task.Exception, CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return completion;
    }

    private void QueueForCommit()
    {
        if (Context.Journal is not { } journal)
        {
            _state.Replicas.ClearChanged();
            Advanced?.Invoke();
            return;
        }

        if (_queued) return;
        _queued = true;
        journal.MarkDirty(this);
    }

    private StoredHeader HeaderNow(bool withEpochs) => new()
    {
        Revision = _state.Revision,
        Own = _state.Own < 0 ? default : _state.Replicas.Id(_state.Own),
        Claim = Context.Claim,
        Clock = _clock.Last.Bits,
        ForgottenRevision = _state.ForgottenRevision,
        Epochs = withEpochs ? _epochs : [],
    };
}
