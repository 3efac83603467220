using System.Reactive.Concurrency;
using System.Reactive.Linq;
using System.Reactive.Subjects;
using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Identities;

namespace SyncEngine.Sync;

/// <summary>
/// Keeps a store and a peer the same: connects, pushes changes both ways while connected, and connects again when the
/// connection breaks, when the network comes back, and from time to time. Dispose it to stop. Thread-safe.
/// </summary>
/// <remarks>The pauses between attempts are random and double up to a minute (full jitter), so that many devices do not come
/// back to a restarted peer at once; after an answer that only a person can mend they are five minutes.</remarks>
public sealed class SyncLink : IAsyncDisposable
{
    private static readonly TimeSpan _pauseMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _pauseFirst = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _pauseMax = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _pauseForPeople = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan _steady = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _connectMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _tellEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _stopMax = TimeSpan.FromSeconds(5);

    private readonly object _gate = new();
    private readonly LinkContext _context;
    private readonly ISyncConnector _peer;
    private readonly SyncOptions _options;
    private readonly CancellationTokenSource _stopping = new();
    private readonly BehaviorSubject<SyncStatus> _status;
    private readonly ITimer _teller;
    private readonly Task _running;
    private TaskCompletionSource<bool> _wake = NewWake();
    private CancellationTokenSource? _session;
    private SessionRun? _run;
    private Dictionary<string, VersionVector>? _peerHas;
    private Identity? _identity;
    private bool _isTelling;
    private int _disposed;

    internal SyncLink(LinkContext context, ISyncConnector peer, SyncOptions options)
    {
        (_context, _peer, _options) = (context, peer, options);
        _status = new BehaviorSubject<SyncStatus>(
            new SyncStatus(SyncState.Connecting, peer.Name) { LastSync = context.Identity().LastSync });
        _teller = context.Time.CreateTimer(_ => Tell(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        context.Connectivity.Changed += RetryNow;
        _running = Task.Run(RunAsync);
    }

    /// <summary>What the connector calls the peer.</summary>
    public string Peer => _peer.Name;

    /// <summary>How the link is doing: the current status at once, then each change of state, and progress at most ten times
    /// a second, until it is closed.</summary>
    public IObservable<SyncStatus> Status => Observable.Create<SyncStatus>(observer => _status
        .ObserveOn(TaskPoolScheduler.Default)
        .Subscribe(new GuardedObserver<SyncStatus>(observer, _context.ObserverFailed)));

    /// <summary>How the link is doing now.</summary>
    public SyncStatus Current => _status.Value;

    /// <summary>How many changes the peer lacks at this moment, where <see cref="Current"/> may be a moment old; null where that
    /// is not known.</summary>
    internal long? PendingNow
    {
        get
        {
            SessionRun? run;
            lock (_gate) run = _run;
            return CountPending(run);
        }
    }

    /// <summary>Tries again at once, if it is waiting to.</summary>
    public void RetryNow()
    {
        lock (_gate) _wake.TrySetResult(true);
    }

    /// <summary>Stops the link and closes its connection; takes at most five seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0) _stopping.Cancel();
        await Task.WhenAny(_running, Task.Delay(_stopMax)).ConfigureAwait(false);
    }

    /// <summary>The store's current identity is another one: what is connected belongs to the one before.</summary>
    internal void Restart()
    {
        lock (_gate) _session?.Cancel();
        RetryNow();
    }

    private static TaskCompletionSource<bool> NewWake() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RunAsync()
    {
        try
        {
            for (int failures = 0; !_stopping.IsCancellationRequested; failures++)
            {
                lock (_gate) _wake = NewWake();
                Set(new SyncStatus(SyncState.Connecting));
                long begun = _context.Time.GetTimestamp();
                SyncException? failure = await RunSessionAsync().ConfigureAwait(false);
                if (_stopping.IsCancellationRequested) break;
                if (_context.Identity() != _identity) failures = -1;
                if (_context.Time.GetElapsedTime(begun) >= _steady) failures = 0;
                if (failures >= 0) await PauseAsync(failure, failures).ConfigureAwait(false);
            }
        }
        finally
        {
            _context.Connectivity.Changed -= RetryNow;
            Follow(null);
            _teller.Dispose();
            Set(new SyncStatus(SyncState.Closed));
            _status.OnCompleted();
            _stopping.Dispose();
        }
    }

    /// <summary>Connects and stays connected for as long as it goes.</summary>
    /// <returns>Why it ended; null where nothing was wrong.</returns>
    private async Task<SyncException?> RunSessionAsync()
    {
        using var session = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        lock (_gate) _session = session;
        try
        {
            Follow(_context.Identity());
            await _context.Flush(session.Token).ConfigureAwait(false);
            ISyncTransport transport = await OpenAsync(session.Token).ConfigureAwait(false);
            if (session.IsCancellationRequested)
            {
                await transport.DisposeAsync().ConfigureAwait(false);
                return null;
            }

            using var run = new SessionRun(_identity!, transport, _options, isInitiator: true, endsWithRound: false)
            {
                Changed = TellSoon,
            };
            lock (_gate) _run = run;
            await run.RunAsync(session.Token).ConfigureAwait(false);
            return null;
        }
        catch (OperationCanceledException) when (session.IsCancellationRequested)
        {
            return null;
        }
        catch (SyncException e)
        {
            return e;
        }
        catch (Exception e)
        {
            return new SyncException(
                SyncErrorCode.ConnectionFailed, $"The link to {Peer} failed: {e.Message}", innerException: e);
        }
        finally
        {
            SessionRun? ended;
            lock (_gate) (ended, _session, _run) = (_run, null, null);
            if (ended is { IsOpen: true }) _peerHas = ended.PeerVersions();
        }
    }

    private async Task<ISyncTransport> OpenAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using ITimer timer = _context.Time.CreateTimer(
            static state => ((CancellationTokenSource)state!).Cancel(), limit, _connectMax, Timeout.InfiniteTimeSpan);
        try
        {
            return await Connecting.OpenAsync(_peer, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new SyncException(SyncErrorCode.ConnectionFailed,
                $"{Peer} did not answer within {_connectMax.TotalSeconds:N0} s.");
        }
    }

    /// <summary>Waits before the next attempt, unless something tells that it may succeed now.</summary>
    private async Task PauseAsync(SyncException? failure, int failures)
    {
        bool needsPeople = failure?.Code is SyncErrorCode.Unauthorized or SyncErrorCode.UnsupportedVersion;
        TimeSpan pause = needsPeople ? _pauseForPeople : PauseAfter(failures);
        SyncState state = failure?.Code == SyncErrorCode.Unauthorized ? SyncState.NeedsAuth
            : failure is null || !_context.Connectivity.IsAvailable ? SyncState.Offline : SyncState.Failed;
        Set(new SyncStatus(state) { Failure = failure, NextRetry = _context.Time.GetUtcNow() + pause });
        TaskCompletionSource<bool> wake;
        lock (_gate) wake = _wake;
        using ITimer timer = _context.Time.CreateTimer(
            static state => ((TaskCompletionSource<bool>)state!).TrySetResult(true), wake, pause, Timeout.InfiniteTimeSpan);
        using (_stopping.Token.Register(static state => ((TaskCompletionSource<bool>)state!).TrySetResult(true), wake))
            await wake.Task.ConfigureAwait(false);
    }

    private TimeSpan PauseAfter(int failures)
    {
        double most = Math.Min(_pauseMax.TotalSeconds, _pauseFirst.TotalSeconds * Math.Pow(2, Math.Min(failures, 20)));
        double share = (_context.Random.NextNonZero() >> 11) / (double)(1UL << 53);
        return _pauseMin + TimeSpan.FromSeconds(most * share);
    }

    /// <summary>Watches the changes of the identity that the link is about.</summary>
    private void Follow(Identity? identity)
    {
        if (identity == _identity) return;
        if (_identity is not null) _identity.Advanced -= OnAdvanced;
        lock (_gate) _peerHas = null;
        _identity = identity;
        if (identity is not null) identity.Advanced += OnAdvanced;
    }

    private void OnAdvanced(Dataset dataset) => TellSoon();

    private void TellSoon()
    {
        bool begins;
        lock (_gate) (begins, _isTelling) = (!_isTelling, true);
        if (!begins) return;
        try
        {
            _teller.Change(IsStateNew() ? TimeSpan.Zero : _tellEvery, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // The link has ended.
        }
    }

    private bool IsStateNew()
    {
        SessionRun? run;
        lock (_gate) run = _run;
        return run is not null && StateOf(run) != Current.State;
    }

    private static SyncState StateOf(SessionRun run) =>
        run.IsRoundComplete ? SyncState.Live : run.IsOpen ? SyncState.CatchingUp : SyncState.Connecting;

    /// <summary>Tells of progress.</summary>
    private void Tell()
    {
        lock (_gate) _isTelling = false;

        // Under the lock of what is told, so that nothing older is told after something newer.
        lock (_status)
        {
            SessionRun? run;
            lock (_gate) run = _run;
            SyncStatus now = Current;
            Set(now with { State = run is null ? now.State : StateOf(run) });
        }
    }

    /// <summary>Fills in what is known and tells of the status, if it is another one.</summary>
    private void Set(SyncStatus status)
    {
        lock (_status)
        {
            SyncStatus last = _status.Value;
            if (last.State == SyncState.Closed) return;
            SessionRun? run;
            lock (_gate) run = _run;
            status = status with
            {
                Peer = Peer, LastSync = _identity?.LastSync ?? last.LastSync, PendingChanges = CountPending(run),
            };
            if (run is null) status = status with { BytesReceived = last.BytesReceived, BytesSent = last.BytesSent };
            else status = run.Describe(status);
            if (status.Equals(last)) return;
            _status.OnNext(status);
        }

        _context.StatusChanged(this);
    }

    private long? CountPending(SessionRun? run)
    {
        Dictionary<string, VersionVector>? known = _peerHas;
        if (run is { IsOpen: true }) known = run.PeerVersions();
        if (known is null || _identity is not { } identity) return null;
        long pending = 0;
        foreach (Dataset dataset in identity.Opened)
        {
            if (!_options.Wants(dataset.Name)) continue;
            VersionVector theirs = known.TryGetValue(dataset.Name, out VersionVector? told) ? told : VersionVector.Empty;
            foreach (Dot dot in dataset.Seen) pending += Math.Max(0, dot.Counter - theirs[dot.Replica]);
        }

        return pending;
    }
}
