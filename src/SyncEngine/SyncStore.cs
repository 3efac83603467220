using System.Reactive.Concurrency;
using System.Reactive.Linq;
using System.Reactive.Subjects;
using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Identities;
using SyncEngine.Storage;
using SyncEngine.Sync;
using SyncEngine.Wire;

namespace SyncEngine;

/// <summary>
/// One file, or memory, with the identities in it and their datasets: where an app starts. Thread-safe. Dispose it to
/// make
/// what is pending durable and to let others open the file.
/// </summary>
public sealed partial class SyncStore : IAsyncDisposable, IDisposable
{
    private readonly object _catalog = new();
    private readonly SemaphoreSlim _changingIdentity = new(1, 1);
    private readonly Journal? _journal;
    private readonly DatasetContext _context;
    private readonly Dictionary<int, Identity> _identities = [];
    private readonly BehaviorSubject<StoreStatus> _status = new(new StoreStatus(SyncStoreState.Ready));
    private readonly Subject<Divergence> _divergences = new();
    private readonly Subject<RefusedWrite> _refusals = new();
    private readonly List<SyncLink> _links = [];
    private readonly LinkContext _linkContext;
    private readonly CancellationTokenSource _closing = new();
    private StorePage _page;
    private int _disposed;

    private SyncStore(Journal? journal, SyncStoreOptions options, StorePage page)
    {
        (_journal, _page) = (journal, page);
        _linkContext = new LinkContext
        {
            Identity = () => Identity,
            Flush = FlushAsync,
            Time = options.TimeProvider,
            Random = options.RandomSource,
            Connectivity = options.Connectivity,
            ObserverFailed = failure => TellObserverFailed(options, failure),
            StatusChanged = OnLinkChanged,
        };
        _context = new DatasetContext
        {
            Time = options.TimeProvider,
            Random = options.RandomSource,
            Limits = options.Limits,
            FrameLimits = options.FrameLimits,
            ChangeQueueMax = Math.Max(2, options.ChangeQueueMax),
            Journal = journal,
            SnapshotSlackBytes = options.SnapshotSlackBytes,
            UnstagedBytesMax = options.UnstagedBytesMax,
            Claim = page.Claim,
            ObserverFailed = failure => TellObserverFailed(options, failure),
            WriteRefused = Subject.Synchronize(_refusals).OnNext,
            Diverged = Subject.Synchronize(_divergences).OnNext,
        };
    }

    /// <summary>The current identity; a guest until another one is made or adopted.</summary>
    public Identity Identity { get; private set; } = null!;

    /// <summary>All identities in the file.</summary>
    public IReadOnlyList<Identity> Identities
    {
        get
        {
            lock (_catalog) return _identities.Values.OrderBy(static identity => identity.Page).ToList();
        }
    }

    /// <summary>The file's own random id, kept by copies of it.</summary>
    public Guid FileId => _page.FileId;

    /// <summary>Ends what uses the store, before it closes; it must not throw. Null for nothing.</summary>
    internal Func<Task>? Closing { get; set; }

    /// <summary>Where changes wait to become durable; null in memory.</summary>
    internal Journal? Journal => _journal;

    /// <summary>How the store is doing: the current status at once, then each change.</summary>
    public IObservable<StoreStatus> Status => Observable.Create<StoreStatus>(observer => _status
        .ObserveOn(TaskPoolScheduler.Default)
        .Subscribe(new GuardedObserver<StoreStatus>(observer, _context.ObserverFailed)));

    /// <summary>Each divergence from a peer that was found and healed. None is the rule; tell your support of one.</summary>
    public IObservable<Divergence> Divergences => Observable.Create<Divergence>(observer => _divergences
        .ObserveOn(TaskPoolScheduler.Default)
        .Subscribe(new GuardedObserver<Divergence>(observer, _context.ObserverFailed)));

    /// <summary>Each write that a hub does not take, as it is told so; <see cref="Dataset.Refused"/> keeps them.</summary>
    public IObservable<RefusedWrite> Refusals => Observable.Create<RefusedWrite>(observer => _refusals
        .ObserveOn(TaskPoolScheduler.Default)
        .Subscribe(new GuardedObserver<RefusedWrite>(observer, _context.ObserverFailed)));

    /// <summary>Opens a store that lives in memory and ends with the process.</summary>
    public static SyncStore OpenInMemory(SyncStoreOptions? options = null)
    {
        options ??= new SyncStoreOptions();
        var store = new SyncStore(null, options, NewPage(options.RandomSource));
        store.Mint();
        return store;
    }

    /// <summary>Opens a store on a storage; the first opening mints a guest.</summary>
    /// <param name="open">Opens the storage. It is called on the store's own storage thread.</param>
    /// <param name="options">How the store behaves.</param>
    /// <exception cref="SyncException">The storage is in use, damaged, or of a newer format.</exception>
    public static async ValueTask<SyncStore> OpenAsync(Func<ISyncStorage> open, SyncStoreOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(open);
        options ??= new SyncStoreOptions();
        Journal journal = await Journal.OpenAsync(open, options.StoresByHand).ConfigureAwait(false);
        try
        {
            (IReadOnlyDictionary<int, byte[]> pages, bool isCopied, string name) = await journal.RunAsync(
                static storage => (storage.ReadMetadata(), storage.IsCopied, storage.Name)).ConfigureAwait(false);
            bool isNew = !pages.TryGetValue(0, out byte[]? first);
            StorePage page = isNew ? NewPage(options.RandomSource) : CatalogCodec.ReadStore(first, name);
            if (isCopied) page = page with { Claim = options.RandomSource.NextNonZero() };
            var store = new SyncStore(journal, options, page);
            journal.FailureChanged = store.OnFailureChanged;
            if (isNew) await store.MintFirst().ConfigureAwait(false);
            else store.ReadIdentities(pages, name);
            if (isCopied && !isNew) await store.WritePage(true).ConfigureAwait(false);
            return store;
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }

    /// <summary>Makes everything written so far durable.</summary>
    /// <exception cref="SyncException">The storage failed; what is pending stays queued and visible.</exception>
    public async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        foreach (Identity identity in Identities)
            foreach (Dataset dataset in identity.Opened)
                await dataset.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads the whole file and checks it; finds nothing in a sound one. Changes nothing.</summary>
    public async ValueTask<IReadOnlyList<StorageFault>> VerifyAsync(
        IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        if (_journal is null) return [];
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        return await _journal.RunAsync(storage => storage.Verify(progress, cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>Rewrites the file so that it takes no more room than its data needs.</summary>
    public async ValueTask CompactAsync(IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        if (_journal is null) return;
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        await _journal.RunAsync(storage =>
        {
            storage.Compact(progress, cancellationToken);
            return true;
        }).ConfigureAwait(false);
    }

    /// <summary>
    /// Writes a copy of the store to a new file while it is in use. The copy may be opened: it then writes under new
    /// replica
    /// ids.
    /// </summary>
    /// <exception cref="SyncException">The path exists or cannot be written, or the store is in memory.</exception>
    public async ValueTask BackupAsync(
        string path, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (_journal is null)
            throw new SyncException(SyncErrorCode.StorageFailed, "A store in memory has no file to back up: export it.");
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        await _journal.RunAsync(storage =>
        {
            storage.Backup(path, progress, cancellationToken);
            return true;
        }).ConfigureAwait(false);
    }

    /// <summary>Bytes that the file takes now; 0 in memory.</summary>
    public async ValueTask<long> GetSizeBytesAsync() =>
        _journal is null ? 0 : await _journal.RunAsync(static storage => storage.SizeBytes).ConfigureAwait(false);

    /// <summary>Makes what is pending durable and closes the file.</summary>
    /// <exception cref="SyncException">Not everything could be made durable.</exception>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        if (Closing is { } closing) await closing().ConfigureAwait(false);
        _closing.Cancel();
        await CloseLinks().ConfigureAwait(false);
        SyncException? failure = null;
        try
        {
            await FlushAsync().ConfigureAwait(false);
        }
        catch (SyncException e)
        {
            failure = e;
        }

        foreach (Identity identity in Identities) identity.Close();
        if (_journal is not null)
        {
            await Task.Run(_journal.Dispose).ConfigureAwait(false);
            failure ??= _journal.Failure;
        }

        Tell(status => status with { State = SyncStoreState.Closed, Failure = failure });
        _status.OnCompleted();
        _divergences.OnCompleted();
        _refusals.OnCompleted();
        _closing.Dispose();
        if (failure is not null)
            throw new SyncException(failure.Code, "The store was closed before its last changes were durable: "
                + failure.Message, innerException: failure);
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private static StorePage NewPage(RandomSource random)
    {
        Span<byte> id = stackalloc byte[16];
        random.Fill(id);
        return new StorePage(new Guid(id), random.NextNonZero(), CurrentIdentity: 1, NextDataset: 1, NextIdentity: 1);
    }

    private static void TellObserverFailed(SyncStoreOptions options, Exception failure)
    {
        try
        {
            options.ObserverFailed(failure);
        }
        catch (Exception)
        {
            // Whoever is told of a failing observer must not fail the engine by failing too.
        }
    }

    private void OnFailureChanged(SyncException? failure) => Tell(status => status with
    {
        State = failure is null ? SyncStoreState.Ready : SyncStoreState.StorageFailed, Failure = failure,
    });

    private void Tell(Func<StoreStatus, StoreStatus> change)
    {
        lock (_status)
        {
            if (_status.Value.State == SyncStoreState.Closed) return;
            _status.OnNext(change(_status.Value));
        }
    }
}
