using SyncEngine.Causality;
using SyncEngine.Sync;

namespace SyncEngine;

public sealed partial class SyncStore
{
    /// <summary>
    /// Connects to a peer, brings both sides to the same state, and disconnects. A failed or cancelled exchange leaves what
    /// was merged and nothing locked; the next one goes on from there.
    /// </summary>
    /// <exception cref="SyncException">Nobody answers, the connection broke, or one side cut the other off.</exception>
    /// <param name="peer">How to reach the peer.</param>
    /// <param name="options">How to sync.</param>
    /// <param name="progress">Told of how far it is.</param>
    /// <param name="cancellationToken">Breaks the exchange off; what was merged stays.</param>
    public async ValueTask<SyncResult> SynchronizeAsync(
        ISyncConnector peer, SyncOptions? options = null, IProgress<SyncProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(peer);
        ISyncTransport transport = await Connecting.OpenAsync(peer, cancellationToken).ConfigureAwait(false);
        return await SynchronizeAsync(transport, options, progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As above, over a connection that this side opened; it is closed at the end.</summary>
    /// <param name="transport">The open connection.</param>
    /// <param name="options">How to sync.</param>
    /// <param name="progress">Told of how far it is.</param>
    /// <param name="cancellationToken">Breaks the exchange off; what was merged stays.</param>
    public async ValueTask<SyncResult> SynchronizeAsync(
        ISyncTransport transport, SyncOptions? options = null, IProgress<SyncProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        SessionRun? reported = null;
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        using var run = new SessionRun(Identity, transport, options ?? new SyncOptions(), isInitiator: true, true)
        {
            Changed = progress is null ? null : () => progress.Report(reported!.Progress),
        };
        reported = run;
        return await run.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Keeps the store and a peer the same until the link is disposed: one line keeps all of a person's devices in sync.
    /// Failures show in its status, and in <see cref="Status"/>, and are tried again. The link goes with the store, and
    /// follows it to another identity.
    /// </summary>
    /// <param name="peer">How to reach the peer.</param>
    /// <param name="options">How to sync.</param>
    public SyncLink Connect(ISyncConnector peer, SyncOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(peer);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        var link = new SyncLink(_linkContext, peer, options ?? new SyncOptions());
        lock (_links) _links.Add(link);
        OnLinkChanged(link);
        return link;
    }

    /// <summary>
    /// Completes once this device and a peer, or a shared folder, have had the same, or what a peer exported was merged; the file
    /// remembers it. On a new device wait for it before showing an empty app. It does not connect by itself.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The store was disposed, or switched to another identity.</exception>
    public async ValueTask WaitForFirstSyncAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        Task first = Identity.FirstSync;
        var canceled = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using (cancellationToken.Register(() => canceled.TrySetResult(true)))
            await Task.WhenAny(first, canceled.Task).ConfigureAwait(false);
        if (!first.IsCompleted) cancellationToken.ThrowIfCancellationRequested();
        await first.ConfigureAwait(false);
    }

    /// <summary>
    /// Answers a peer over a connection that the peer opened, and pushes what is new on either side until the peer goes;
    /// then the connection is closed.
    /// </summary>
    /// <exception cref="SyncException">The connection broke before a round was complete, or one side cut the other
    /// off.</exception>
    public async ValueTask<SyncResult> ServeAsync(
        ISyncTransport transport, SyncOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        using CancellationTokenSource either = UntilClosed(cancellationToken);
        await FlushAsync(either.Token).ConfigureAwait(false);
        using var run = new SessionRun(Identity, transport, options ?? new SyncOptions(), isInitiator: false, false);
        return await run.RunAsync(either.Token).ConfigureAwait(false);
    }

    /// <summary>
    /// Answers every peer that connects to a listener until the token is cancelled, or listener or store are disposed, which
    /// also ends the connections. What goes wrong with one peer ends its connection alone.
    /// </summary>
    /// <param name="listener">Where peers connect; its owner disposes it.</param>
    /// <param name="options">How to sync.</param>
    /// <param name="told">Told, on any thread, of each peer that came and, with the outcome, that went.</param>
    /// <param name="peersMax">Most peers at once; further ones are closed at once.</param>
    /// <param name="cancellationToken">Ends it, and all connections.</param>
    public async Task ServeAsync(
        SyncListener listener, SyncOptions? options = null, Action<ServedPeer>? told = null, int peersMax = 1000,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(listener);
        using CancellationTokenSource either = UntilClosed(cancellationToken);
        var serving = new HashSet<Task>();
        try
        {
            while (true)
            {
                (ISyncTransport transport, string name) = await listener.AcceptNamedAsync(either.Token).ConfigureAwait(false);
                serving.RemoveWhere(static task => task.IsCompleted);
                if (serving.Count < peersMax) serving.Add(ServeOneAsync(transport, name, options, told, either.Token));
                else await transport.DisposeAsync().ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Listener or store were disposed.
        }
        finally
        {
            either.Cancel();
            await Task.WhenAll(serving).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Stays connected: both sides push what is new until the peer goes, the connection breaks or the token is cancelled.
    /// </summary>
    /// <exception cref="SyncException">The connection broke before a round was complete, or one side cut the other
    /// off.</exception>
    public async ValueTask<SyncResult> ExchangeAsync(
        ISyncTransport transport, SyncOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        using CancellationTokenSource either = UntilClosed(cancellationToken);
        await FlushAsync(either.Token).ConfigureAwait(false);
        using var run = new SessionRun(Identity, transport, options ?? new SyncOptions(), isInitiator: true, false);
        return await run.RunAsync(either.Token).ConfigureAwait(false);
    }

    /// <summary>Cancelled with the token, or when the store is disposed.</summary>
    private CancellationTokenSource UntilClosed(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        return CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
    }

    private async Task ServeOneAsync(
        ISyncTransport transport, string name, SyncOptions? options, Action<ServedPeer>? told,
        CancellationToken cancellationToken)
    {
        await Task.Yield();
        Tell(told, new ServedPeer(name, IsConnected: true));
        SyncResult? result = null;
        SyncException? failure = null;
        try
        {
            result = await ServeAsync(transport, options, cancellationToken).ConfigureAwait(false);
        }
        catch (SyncException e)
        {
            failure = e;
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The end was asked for.
        }

        await transport.DisposeAsync().ConfigureAwait(false);
        Tell(told, new ServedPeer(name, IsConnected: false, result, failure));
    }

    private void Tell(Action<ServedPeer>? told, ServedPeer peer)
    {
        try
        {
            told?.Invoke(peer);
        }
        catch (Exception e)
        {
            // Whoever watches must not end what it watches.
            _context.ObserverFailed(e);
        }
    }

    /// <summary>With several links the store is as far as the best of them.</summary>
    private void OnLinkChanged(SyncLink changed)
    {
        lock (_links)
        {
            if (changed.Current.State == SyncState.Closed) _links.Remove(changed);
            SyncStatus? best = null;
            foreach (SyncLink link in _links)
            {
                SyncStatus status = link.Current;
                if (best is null || RankOf(status.State) > RankOf(best.State)) best = status;
            }

            best ??= new SyncStatus(SyncState.Offline) { LastSync = Identity.LastSync };
            Tell(status => status with { Sync = best });
        }
    }

    private static int RankOf(SyncState state) => state switch
    {
        SyncState.Live => 6,
        SyncState.CatchingUp => 5,
        SyncState.Connecting => 4,
        SyncState.NeedsAuth => 3,
        SyncState.Failed => 2,
        SyncState.Offline => 1,
        _ => 0,
    };

    private async Task CloseLinks()
    {
        SyncLink[] links;
        lock (_links) links = [.. _links];
        foreach (SyncLink link in links) await link.DisposeAsync().ConfigureAwait(false);
    }

    private void RestartLinks()
    {
        lock (_links)
            foreach (SyncLink link in _links) link.Restart();
    }
}
