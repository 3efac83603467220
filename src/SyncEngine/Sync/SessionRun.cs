using SyncEngine.Causality;
using SyncEngine.Identities;

namespace SyncEngine.Sync;

/// <summary>Runs one session over one connection: a task that sends and one that receives, one message at a
/// time.</summary>
internal sealed class SessionRun : IDisposable
{
    // In units of the time after which is resent: when a peer that said nothing is told that we are here, and when one that
    // says nothing counts as gone.
    private const int KeepAlive = 6;
    private const int Silence = 18;

    private readonly object _gate = new();
    private readonly object _waking = new();
    private readonly TaskCompletionSource<TimeSpan> _silent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SyncSession _session;
    private readonly Identity _identity;
    private readonly ISyncTransport _transport;
    private readonly TimeSpan _resendAfter;
    private readonly bool _endsWithRound;
    private readonly SessionGuard? _guard;
    private TaskCompletionSource<bool>? _asleep;
    private bool _isSignalled;
    private bool _isTicked;
    private long _received = Now;
    private long _sent = Now;
    private bool _ended;
    private bool _isRoundNoted;

    public SessionRun(
        Identity identity, ISyncTransport transport, SyncOptions options, bool isInitiator, bool endsWithRound)
    {
        if (transport is SecureTransport { NeedsSecret: true } && options.Secret.IsEmpty)
            throw new SyncException(SyncErrorCode.Unauthorized, "This connection takes any certificate, so that only a shared "
                + "secret tells who the peer is: set SyncOptions.Secret on both sides.");
        (_identity, _transport, _resendAfter, _endsWithRound) = (identity, transport, options.ResendAfter, endsWithRound);
        _guard = options.Guard;
        _session = new SyncSession(identity, new SessionOptions
        {
            IsInitiator = isInitiator, Adopts = options.Adopts, Secret = options.Secret, Datasets = options.Datasets,
            ChannelBinding = transport.ChannelBinding, TellsTime = transport.TellsTime, Guard = options.Guard,
        }) { Woken = Signal };
    }

    /// <summary>Told, on any thread, that something was sent or received.</summary>
    public Action? Changed { get; init; }

    /// <summary>Whether both sides know who the other is.</summary>
    public bool IsOpen => Volatile.Read(ref _session.Progress.IsOpen);

    public bool IsRoundComplete => Volatile.Read(ref _isRoundNoted);

    /// <summary>How far it has come.</summary>
    public SyncProgress Progress
    {
        get
        {
            lock (_gate) return ProgressLocked();
        }
    }

    private static long Now => TimeProvider.System.GetTimestamp();

    /// <summary>For each dataset what the peer has for sure.</summary>
    public Dictionary<string, VersionVector> PeerVersions()
    {
        lock (_gate) return _session.PeerVersions();
    }

    /// <summary>Fills a status with what the session knows.</summary>
    public SyncStatus Describe(SyncStatus status)
    {
        lock (_gate)
        {
            SyncProgress progress = ProgressLocked();
            bool isNew = status.Refusals.Count != _session.Progress.Refusals.Count;
            return status with
            {
                Percent = status.State == SyncState.CatchingUp ? progress.Percent : null,
                BytesReceived = progress.BytesReceived,
                BytesSent = progress.BytesSent,
                Refusals = isNew ? new Dictionary<string, SyncException>(_session.Progress.Refusals) : status.Refusals,
            };
        }
    }

    /// <summary>Runs until the round is complete, the peer is gone, or the connection broke.</summary>
    /// <exception cref="SyncException">One side cut the other off, with the reason.</exception>
    public async Task<SyncResult> RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using CancellationTokenRegistration waking = stop.Token.Register(static run => ((SessionRun)run!).Signal(), this);
        Task receiving = ReceiveAsync(stop.Token), sending = SendAsync(stop.Token), first;

        // One timer for all that waits, and nothing made at each tick: a server holds many sessions on which nothing happens.
        using (new Timer(static run => ((SessionRun)run!).Tick(), this, _resendAfter, _resendAfter))
            first = await Task.WhenAny(receiving, sending, _silent.Task).ConfigureAwait(false);
        if (first == receiving)
        {
            // What is still to be said, above all a reason, goes out before the connection is closed, but waits for nobody long.
            lock (_gate) _ended = true;
            Signal();
            await Task.WhenAny(sending, Task.Delay(TimeSpan.FromSeconds(2), stop.Token)).ConfigureAwait(false);
        }
        else if (sending.IsFaulted && sending.Exception!.InnerException is not SyncException)
        {
            // The peer closed the connection; its reason may still be on the way.
            await Task.WhenAny(receiving, Task.Delay(TimeSpan.FromSeconds(1), stop.Token)).ConfigureAwait(false);
        }

        stop.Cancel();
        await _transport.DisposeAsync().ConfigureAwait(false);
        Exception? failure = await FailureOf(receiving).ConfigureAwait(false);
        Exception? sendFailure = await FailureOf(sending).ConfigureAwait(false);
        if (first == _silent.Task)
            sendFailure = new SyncException(SyncErrorCode.ConnectionFailed, "The peer said nothing for "
                + $"{_silent.Task.Result.TotalSeconds:N0} s. What was merged stays; sync again to go on.");
        if (_isRoundNoted) _identity.NoteSync();
        cancellationToken.ThrowIfCancellationRequested();
        if (_session.Progress.PeerReason is { } reason) throw reason;
        if (failure is SyncException cut) throw cut;
        SyncResult result = ResultNow();
        Exception? broken = failure is null or OperationCanceledException ? sendFailure : failure;
        if (!result.IsComplete && broken is not (null or SyncException or OperationCanceledException))
            throw new SyncException(SyncErrorCode.ConnectionFailed, "The connection broke: " + broken.Message
                + " What was merged stays; sync again to go on.", innerException: broken);
        if (sendFailure is SyncException silent) throw silent;
        if (!_session.Progress.IsOpen)
            throw new SyncException(SyncErrorCode.ConnectionFailed, "The peer closed the connection before it said who it is. "
                + "Does it speak this protocol there, with or without TLS as here?");
        return result;
    }

    public void Dispose() => _session.Dispose();

    private static async Task<Exception?> FailureOf(Task task)
    {
        try
        {
            await task.ConfigureAwait(false);
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    private static TimeSpan Since(long timestamp) => TimeProvider.System.GetElapsedTime(timestamp);

    private SyncProgress ProgressLocked()
    {
        SessionProgress now = _session.Progress;
        double? percent = !now.IsOpen ? null : _isRoundNoted ? 100
            : now.ChangesExpected == 0 ? 0 : Math.Min(100, 100.0 * now.ChangesReceived / now.ChangesExpected);
        return new SyncProgress(percent, now.ChangesReceived, now.ChangesSent, now.BytesReceived, now.BytesSent);
    }

    private SyncResult ResultNow()
    {
        SessionProgress progress = _session.Progress;
        return new SyncResult(progress.IsRoundComplete, progress.ChangesReceived, progress.ChangesSent,
            progress.BytesReceived, progress.BytesSent, new Dictionary<string, SyncException>(progress.Refusals));
    }

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadOnlyMemory<byte> message;
            try
            {
                message = await _transport.ReceiveAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (SyncException e)
            {
                // The transport took offence, as at a message that is too long: the peer is told why.
                lock (_gate) _session.Close(e);
                throw;
            }

            if (message.IsEmpty) return;
            if (_guard is { Considers: true }) await ConsiderAsync(_guard, message, cancellationToken).ConfigureAwait(false);
            lock (_gate)
            {
                Volatile.Write(ref _received, Now);
                _session.Receive(message);
                if (_session.Progress.IsPeerGone) return;
            }

            Signal();
            Changed?.Invoke();
        }
    }

    private async ValueTask ConsiderAsync(
        SessionGuard guard, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        if (!IsOpen) return;
        try
        {
            await guard.ConsiderAsync(message, cancellationToken).ConfigureAwait(false);
        }
        catch (SyncException e)
        {
            lock (_gate) _session.Close(e);
            throw;
        }
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            bool wasClosed, ended, any;
            ReadOnlyMemory<byte> message;
            lock (_gate)
            {
                any = _session.TryTake(out message);
                ended = _ended;
                wasClosed = !any && _endsWithRound && _session.Progress.IsRoundComplete;
                if (wasClosed)
                {
                    _session.Close();
                    any = _session.TryTake(out message);
                }
            }

            NoteRound();
            if (any)
            {
                await _transport.SendAsync(message, cancellationToken).ConfigureAwait(false);
                _sent = Now;
                Changed?.Invoke();
            }

            if (wasClosed || (ended && !any)) return;
            if (!any) await SignalledAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();

            // However often the app writes meanwhile.
            if (!Volatile.Read(ref _isTicked)) continue;
            Volatile.Write(ref _isTicked, false);
            if (Since(Volatile.Read(ref _received)) < _resendAfter) continue;
            lock (_gate) Wait();
        }
    }

    /// <summary>A peer that says nothing is gone, also where sending waits for it to read.</summary>
    private void Tick()
    {
        TimeSpan silence = Since(Volatile.Read(ref _received));
        if (silence > _resendAfter * (IsOpen ? Silence : KeepAlive)) _silent.TrySetResult(silence);
        Volatile.Write(ref _isTicked, true);
        Signal();
    }

    /// <summary>Nothing came for a while: says again what may be lost, or that we are here.</summary>
    private void Wait()
    {
        if (_session.Progress.AwaitsAcknowledgement || !_session.Progress.IsLive
            || Since(_sent) > _resendAfter * KeepAlive) _session.Resend();
    }

    private void NoteRound()
    {
        if (_isRoundNoted || !_session.Progress.IsRoundComplete) return;
        Volatile.Write(ref _isRoundNoted, true);
        _identity.NoteSync();
        Changed?.Invoke();
    }

    /// <summary>Wakes what sends, now or when it next waits; on any thread, maybe under a lock.</summary>
    private void Signal()
    {
        TaskCompletionSource<bool>? asleep;
        lock (_waking)
        {
            (asleep, _asleep) = (_asleep, null);
            _isSignalled = asleep is null;
        }

        asleep?.SetResult(true);
    }

    private Task SignalledAsync()
    {
        lock (_waking)
        {
            if (!_isSignalled) return (_asleep = new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            _isSignalled = false;
            return Task.CompletedTask;
        }
    }
}
