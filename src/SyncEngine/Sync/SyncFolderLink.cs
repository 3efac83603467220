using System.Reactive.Concurrency;
using System.Reactive.Linq;
using System.Reactive.Subjects;
using SyncEngine.Causality;
using SyncEngine.Datasets;

namespace SyncEngine.Sync;

/// <summary>How a live link to a shared folder is doing.</summary>
public enum FolderLinkState
{
    /// <summary>A round is under way, or the first is about to begin.</summary>
    Working = 1,

    /// <summary>The last round succeeded; the next comes with the next change, or at the next look.</summary>
    Idle = 2,

    /// <summary>The last round failed; it is tried again.</summary>
    Failed = 3,

    /// <summary>The link was disposed, or its store.</summary>
    Closed = 4,
}

/// <summary>How a live link to a shared folder is doing, and why.</summary>
/// <param name="State">The state.</param>
/// <param name="Last">What the last round that succeeded did; null before the first.</param>
/// <param name="Failure">Why the last round failed; null unless it did.</param>
public sealed record FolderLinkStatus(FolderLinkState State, FolderResult? Last = null, SyncException? Failure = null);

/// <summary>
/// Keeps a store and a shared folder the same: a round whenever something was written here, whenever the folder changes,
/// and from time to time in any case, because cloud folders do not always tell. Dispose it to stop. Thread-safe.
/// </summary>
public sealed class SyncFolderLink : IAsyncDisposable
{
    private readonly SyncFolder _folder;
    private readonly Func<CancellationToken, Task<FolderResult>> _round;
    private readonly Func<long> _stamp;
    private readonly Action<Exception> _observerFailed;
    private readonly CancellationTokenSource _stopping = new();
    private readonly BehaviorSubject<FolderLinkStatus> _status = new(new FolderLinkStatus(FolderLinkState.Working));
    private readonly Task _running;
    private FileSystemWatcher? _watcher;
    private int _folderChanged;
    private int _disposed;

    /// <param name="folder">The folder.</param>
    /// <param name="round">Does one round.</param>
    /// <param name="stamp">A number that changes with what is in the store; cheap.</param>
    /// <param name="observerFailed">Told of an observer that threw.</param>
    internal SyncFolderLink(SyncFolder folder, Func<CancellationToken, Task<FolderResult>> round, Func<long> stamp,
        Action<Exception> observerFailed)
    {
        (_folder, _round, _stamp, _observerFailed) = (folder, round, stamp, observerFailed);
        _running = Task.Run(RunAsync);
    }

    /// <summary>How the link is doing: the current status at once, then each change, until it is closed.</summary>
    public IObservable<FolderLinkStatus> Status => Observable.Create<FolderLinkStatus>(observer => _status
        .ObserveOn(TaskPoolScheduler.Default)
        .Subscribe(new GuardedObserver<FolderLinkStatus>(observer, _observerFailed)));

    /// <summary>How the link is doing now.</summary>
    public FolderLinkStatus Current => _status.Value;

    /// <summary>Stops the link; a round under way is broken off, which loses nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0) _stopping.Cancel();
        await _running.ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                Watch();
                Interlocked.Exchange(ref _folderChanged, 0);
                long stamp = _stamp();
                Tell(FolderLinkState.Working, null);
                try
                {
                    FolderResult result = await _round(_stopping.Token).ConfigureAwait(false);
                    _status.OnNext(new FolderLinkStatus(FolderLinkState.Idle, result));
                }
                catch (SyncException e)
                {
                    Tell(FolderLinkState.Failed, e);
                }
                catch (Exception e) when (FolderErrors.IsOfDisk(e))
                {
                    Tell(FolderLinkState.Failed, FolderErrors.Unreadable(_folder.Path, e));
                }

                await WaitAsync(stamp).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // Stopped, or the store was closed.
        }
        finally
        {
            _watcher?.Dispose();
            Tell(FolderLinkState.Closed, null);
            _status.OnCompleted();
        }
    }

    /// <summary>Waits until something changed and nothing changes any more, but no longer than the next look.</summary>
    private async Task WaitAsync(long stamp)
    {
        TimeSpan waited = TimeSpan.Zero;
        bool hasChanged = false;
        while (waited < _folder.PollInterval)
        {
            TimeSpan step = _folder.Debounce < _folder.PollInterval ? _folder.Debounce : _folder.PollInterval;
            await Task.Delay(step, _stopping.Token).ConfigureAwait(false);
            waited += step;
            long now = _stamp();
            bool changes = now != stamp || Interlocked.Exchange(ref _folderChanged, 0) != 0;
            if (hasChanged && !changes) return;
            hasChanged |= changes;
            stamp = now;
        }
    }

    private void Tell(FolderLinkState state, SyncException? failure) =>
        _status.OnNext(new FolderLinkStatus(state, _status.Value.Last, failure));

    /// <summary>Listens to the folder where the system can; the regular look makes up for where it cannot.</summary>
    private void Watch()
    {
        if (_watcher is { EnableRaisingEvents: true }) return;
        try
        {
            _watcher?.Dispose();
            _watcher = null;
            if (!Directory.Exists(_folder.Path)) return;
            var watcher = new FileSystemWatcher(_folder.Path) { IncludeSubdirectories = true };
            watcher.Created += OnChanged;
            watcher.Changed += OnChanged;
            watcher.Renamed += OnChanged;
            watcher.Deleted += OnChanged;
            watcher.Error += (_, _) => watcher.EnableRaisingEvents = false;
            _watcher = watcher;
            watcher.EnableRaisingEvents = true;
        }
        catch (Exception e) when (e is IOException or ArgumentException or PlatformNotSupportedException
            or UnauthorizedAccessException)
        {
            _watcher?.Dispose();
            _watcher = null;
        }
    }

    private void OnChanged(object sender, FileSystemEventArgs change)
    {
        if (FolderNames.IsShared(change.FullPath)) Interlocked.Exchange(ref _folderChanged, 1);
    }
}
