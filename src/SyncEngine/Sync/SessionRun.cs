using SyncEngine.Causality;
using SyncEngine.Identities;

namespace SyncEngine.Sync;

/// <summary>Runs one session over one connection: a task that sends and one that receives, one message at a
/// time.</summary>
internal sealed class SessionRun : IDisposable
{
    private readonly object _gate = new();
    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly SyncSession _session;
    private readonly ISyncTransport _transport;
    private readonly TimeSpan _resendAfter;
    private readonly bool _endsWithRound;
    private bool _ended;

    public SessionRun(
        Identity identity, ISyncTransport transport, SyncOptions options, bool isInitiator, bool endsWithRound)
    {
        (_transport, _resendAfter, _endsWithRound) = (transport, options.ResendAfter, endsWithRound);
        _session = new SyncSession(identity, new SessionOptions
        {
            IsInitiator = isInitiator, Adopts = options.Adopts, Secret = options.Secret, Datasets = options.Datasets,
        }) { Woken = Signal };
    }

    /// <summary>Runs until the round is complete, the peer is gone, or the connection broke.</summary>
    /// <exception cref="SyncException">One side cut the other off, with the reason.</exception>
    public async Task<SyncResult> RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task receiving = ReceiveAsync(stop.Token), sending = SendAsync(stop.Token);
        Task first = await Task.WhenAny(receiving, sending).ConfigureAwait(false);
        if (first == receiving)
        {
            // What is still to be said, above all a reason, goes out before the connection is closed, but waits for nobody long.
            lock (_gate) _ended = true;
            Signal();
            await Task.WhenAny(sending, Task.Delay(TimeSpan.FromSeconds(2), stop.Token)).ConfigureAwait(false);
        }

        stop.Cancel();
        await _transport.DisposeAsync().ConfigureAwait(false);
        Exception? failure = await FailureOf(receiving).ConfigureAwait(false);
        Exception? sendFailure = await FailureOf(sending).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (_session.Progress.PeerReason is { } reason) throw reason;
        if (failure is SyncException cut) throw cut;
        SyncResult result = ResultNow();
        if (!result.IsComplete && (failure ?? sendFailure) is { } broken and not OperationCanceledException)
            throw new SyncException(SyncErrorCode.ConnectionFailed, "The connection broke: " + broken.Message
                + " What was merged stays; sync again to go on.", innerException: broken);
        return result;
    }

    public void Dispose()
    {
        _session.Dispose();
        _signal.Dispose();
    }

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
            lock (_gate)
            {
                _session.Receive(message);
                if (_session.Progress.IsPeerGone) return;
            }

            Signal();
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

            if (any) await _transport.SendAsync(message, cancellationToken).ConfigureAwait(false);
            if (wasClosed || (ended && !any)) return;
            if (any || await _signal.WaitAsync(_resendAfter, cancellationToken).ConfigureAwait(false)) continue;
            lock (_gate)
                if (_session.Progress.AwaitsAcknowledgement || !_session.Progress.IsLive) _session.Resend();
        }
    }

    private void Signal()
    {
        try
        {
            if (_signal.CurrentCount == 0) _signal.Release();
        }
        catch (Exception e) when (e is SemaphoreFullException or ObjectDisposedException)
        {
            // Signalled twice at once is signalled; after the end nobody listens.
        }
    }
}
