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
    /// Completes once this device and a peer have had the same, which the file remembers: on a new device wait for it before
    /// showing an empty app. It does not connect by itself.
    /// </summary>
    public async ValueTask WaitForFirstSyncAsync(CancellationToken cancellationToken = default)
    {
        Task first = Identity.FirstSync;
        var canceled = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using (cancellationToken.Register(() => canceled.TrySetResult(true)))
            await Task.WhenAny(first, canceled.Task).ConfigureAwait(false);
        if (!first.IsCompleted) cancellationToken.ThrowIfCancellationRequested();
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
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        using var run = new SessionRun(Identity, transport, options ?? new SyncOptions(), isInitiator: false, false);
        return await run.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Answers every peer that connects to a listener until the token is cancelled. What goes wrong with one peer ends its
    /// connection alone.
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
        var serving = new HashSet<Task>();
        try
        {
            while (true)
            {
                (ISyncTransport transport, string name) =
                    await listener.AcceptNamedAsync(cancellationToken).ConfigureAwait(false);
                serving.RemoveWhere(static task => task.IsCompleted);
                if (serving.Count < peersMax) serving.Add(ServeOneAsync(transport, name, options, told, cancellationToken));
                else await transport.DisposeAsync().ConfigureAwait(false);
            }
        }
        finally
        {
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
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        using var run = new SessionRun(Identity, transport, options ?? new SyncOptions(), isInitiator: true, false);
        return await run.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task ServeOneAsync(
        ISyncTransport transport, string name, SyncOptions? options, Action<ServedPeer>? told,
        CancellationToken cancellationToken)
    {
        await Task.Yield();
        told?.Invoke(new ServedPeer(name, IsConnected: true));
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
        told?.Invoke(new ServedPeer(name, IsConnected: false, result, failure));
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
