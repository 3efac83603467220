using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Hub.Rows;
using SyncEngine.Identities;
using SyncEngine.Storage;
using SyncEngine.Wire;

namespace SyncEngine.Hub.Syncing;

/// <summary>
/// The datasets of many identities in one file, and the hub's rows beside them. An identity is opened when somebody uses it
/// and put away when nobody has for a while; what is put away costs no memory. Thread-safe.
/// </summary>
internal sealed partial class HubStore : IAsyncDisposable
{
    /// <summary>Numbers of datasets are set aside in blocks, so that one write serves for many new datasets.</summary>
    private const int NumbersAtOnce = 1024;

    private readonly object _gate = new();
    private readonly Journal _journal;
    private readonly DatasetContext _context;
    private readonly TimeProvider _time;
    private readonly HubStoreOptions _options;
    private readonly ITimer _sweeper;
    private readonly Dictionary<(string Pool, IdentityId Id), Slot> _slots = [];
    private StorePage _page;
    private int _nextNumber;
    private bool _isDisposed;

    private HubStore(Journal journal, StorePage page, HubStoreOptions options)
    {
        (_journal, _page, _options, _time, _nextNumber) = (journal, page, options, options.Time, page.NextDataset);
        Rows = new HubRows(journal);
        _context = new DatasetContext
        {
            Time = options.Time,
            Random = options.Random,
            FrameLimits = options.FrameLimits,
            ChangeQueueMax = 1024,
            SnapshotSlackBytes = options.SnapshotSlackBytes,
            Journal = journal,
            Claim = page.Claim,
        };
        _sweeper = _time.CreateTimer(_ => _ = SweepAsync(), null, options.SweepEvery, options.SweepEvery);
    }

    /// <summary>The hub's own table.</summary>
    public HubRows Rows { get; }

    /// <summary>Told, maybe under a dataset's gate, of each dataset that has something new that is durable, and of the device
    /// that sent it; null where the hub wrote it, or several did. It must only signal.</summary>
    public Action<string, IdentityId, string, long, string?> Advanced { get; set; } = static (_, _, _, _, _) => { };

    /// <summary>Why the last commit failed; null while all is well.</summary>
    public SyncException? Failure => _journal.Failure;

    /// <summary>How many identities are open now.</summary>
    public int OpenedCount
    {
        get
        {
            lock (_gate) return _slots.Count;
        }
    }

    /// <summary>Whether an identity's datasets are open now.</summary>
    public bool IsOpen(string pool, IdentityId id)
    {
        lock (_gate) return _slots.ContainsKey((pool, id));
    }

    /// <summary>For a simulation, which does the storage thread's work.</summary>
    internal Journal Journal => _journal;

    /// <summary>Opens the hub's file, or makes it.</summary>
    /// <exception cref="SyncException">The file is in use, damaged, of a newer format, or an app's store.</exception>
    public static async ValueTask<HubStore> OpenAsync(Func<ISyncStorage> open, HubStoreOptions? options = null)
    {
        options ??= new HubStoreOptions();
        Journal journal = await Journal.OpenAsync(open, options.StoresByHand).ConfigureAwait(false);
        try
        {
            (IReadOnlyDictionary<int, byte[]> pages, bool isCopied, string name) = await journal.RunAsync(
                static storage => (storage.ReadMetadata(), storage.IsCopied, storage.Name)).ConfigureAwait(false);
            if (pages.Count > 1)
                throw new SyncException(SyncErrorCode.Unauthorized, $"{name} is the store of an app, not of a hub. Give the hub "
                    + "a folder of its own. The file was not changed.");
            bool isNew = !pages.TryGetValue(0, out byte[]? first);
            StorePage page = isNew ? NewPage(options.Random) : CatalogCodec.ReadStore(first, name);
            if (isCopied) page = page with { Claim = options.Random.NextNonZero() };
            var store = new HubStore(journal, page, options);
            if (isNew || isCopied)
            {
                Task written = journal.SetMetadata(true, (0, CatalogCodec.Write(page)));
                journal.RunNow();
                await written.ConfigureAwait(false);
            }

            return store;
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }

    /// <summary>Opens an identity's datasets, which are kept open until the lease is disposed.</summary>
    /// <exception cref="SyncException">The hub's file is damaged.</exception>
    public async ValueTask<IdentityLease> LeaseAsync(string pool, IdentityId id, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Slot? slot;
            Task? busy = null;
            bool opens = false;
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                if (!_slots.TryGetValue((pool, id), out slot))
                {
                    slot = new Slot(pool, id) { Busy = NewCompletion() };
                    _slots.Add((pool, id), slot);
                    opens = true;
                }
                else if (slot.Busy is { } changing)
                {
                    busy = changing.Task;
                }
                else
                {
                    slot.Leases++;
                    return new IdentityLease(this, slot);
                }
            }

            if (opens) return await OpenAsync(slot).ConfigureAwait(false);
            await busy!.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Runs something that changes datasets and says which rows to write: all of it becomes durable with one commit,
    /// with which the task completes. It must wait for nothing.</summary>
    public async Task TogetherAsync(Func<IEnumerable<KeyValuePair<string, byte[]?>>> work)
    {
        Task durable = Task.CompletedTask;
        _journal.Together(() => durable = _journal.SetRows(work()));
        _journal.RunNow();
        await durable.ConfigureAwait(false);
    }

    /// <summary>Completes when all that was written before is durable and <see cref="Advanced"/> was told.</summary>
    /// <exception cref="SyncException">The storage fails.</exception>
    public async Task FlushAsync()
    {
        List<Slot> slots;
        lock (_gate) slots = [.. _slots.Values];
        foreach (Slot slot in slots)
        {
            if (slot.Identity is not { } identity) continue;
            foreach (Dataset dataset in identity.Opened) await dataset.FlushAsync().ConfigureAwait(false);
        }

        // A commit tells who waits for it first; what comes after it on its thread comes after all that it tells.
        await _journal.RunAsync(static _ => true).ConfigureAwait(false);
    }

    /// <summary>Makes everything durable and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        List<Slot> slots;
        lock (_gate)
        {
            if (_isDisposed) return;
            _isDisposed = true;
            slots = [.. _slots.Values];
        }

        await _sweeper.DisposeAsync().ConfigureAwait(false);
        foreach (Slot slot in slots)
        {
            if (slot.Identity is not { } identity) continue;
            foreach (Dataset dataset in identity.Opened) await FlushQuietly(dataset).ConfigureAwait(false);
            identity.Close();
        }

        await Task.Run(_journal.Dispose).ConfigureAwait(false);
    }

    internal void Return(Slot slot)
    {
        lock (_gate)
        {
            slot.Leases--;
            slot.LastUsed = _time.GetTimestamp();
        }
    }

    private static TaskCompletionSource NewCompletion() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static StorePage NewPage(RandomSource random)
    {
        Span<byte> id = stackalloc byte[16];
        random.Fill(id);
        return new StorePage(new Guid(id), random.NextNonZero(), CurrentIdentity: 0, NextDataset: 1, NextIdentity: 1);
    }

    private static async Task FlushQuietly(Dataset dataset)
    {
        try
        {
            await dataset.FlushAsync().ConfigureAwait(false);
        }
        catch (SyncException)
        {
            // The storage failed; closing the journal tries once more.
        }
    }

    private async ValueTask<IdentityLease> OpenAsync(Slot slot)
    {
        TaskCompletionSource opened = slot.Busy!;
        try
        {
            byte[]? row = await Rows.ReadAsync(RowOf(slot.Pool, slot.Id)).ConfigureAwait(false);
            IdentityPage page = row is null ? new IdentityPage(slot.Id.High, slot.Id.Low, IsPaired: true, [], [])
                : CatalogCodec.ReadIdentity(row, "The hub's file");
            lock (_gate)
            {
                slot.Identity = new Identity(0, page, _context, new IdentityHome(
                    NextNumber, bytes => _journal.SetRows([new(RowOf(slot.Pool, slot.Id), bytes)]), NotesSyncs: false));
                slot.Identity.Advanced += dataset =>
                {
                    string? sender = slot.TakeSender(dataset.Name);
                    if (dataset.TakeAdvance()) Advanced(slot.Pool, slot.Id, dataset.Name, dataset.DurableRevision, sender);
                };
                slot.Leases++;
                slot.Busy = null;
            }

            return new IdentityLease(this, slot);
        }
        catch
        {
            lock (_gate) _slots.Remove((slot.Pool, slot.Id));
            throw;
        }
        finally
        {
            opened.SetResult();
        }
    }

    /// <summary>The key of the row that says which datasets an identity has.</summary>
    internal static string RowOf(string pool, IdentityId id) => $"data/{pool}/{id}";

    private int NextNumber()
    {
        lock (_gate)
        {
            if (_nextNumber == _page.NextDataset)
            {
                // Queued before any frame of the dataset that gets the number.
                _page = _page with { NextDataset = _nextNumber + NumbersAtOnce };
                _journal.SetMetadata(false, (0, CatalogCodec.Write(_page)));
            }

            return _nextNumber++;
        }
    }

    /// <summary>An identity that is open, is being opened or is being put away.</summary>
    internal sealed class Slot(string pool, IdentityId id)
    {
        public string Pool => pool;

        public IdentityId Id => id;

        public Identity? Identity { get; set; }

        public int Leases { get; set; }

        public long LastUsed { get; set; }

        public TaskCompletionSource? Busy { get; set; }

        private readonly object _sending = new();
        private Dictionary<string, string?>? _senders;

        public void NoteSender(string dataset, string device)
        {
            lock (_sending)
            {
                _senders ??= new Dictionary<string, string?>(StringComparer.Ordinal);
                _senders[dataset] = !_senders.TryGetValue(dataset, out string? known) || known == device ? device : null;
            }
        }

        public string? TakeSender(string dataset)
        {
            lock (_sending)
            {
                string? device = null;
                if (_senders?.Remove(dataset, out device) == true && _senders.Count == 0) _senders = null;
                return device;
            }
        }
    }
}

/// <summary>Keeps an identity open.</summary>
internal sealed class IdentityLease(HubStore store, HubStore.Slot slot) : IDisposable
{
    private int _returned;

    public Identity Identity => slot.Identity!;

    public string Pool => slot.Pool;

    /// <summary>Notes which device changed a dataset, for whoever is told when it is durable.</summary>
    public void NoteSender(string dataset, string device) => slot.NoteSender(dataset, device);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _returned, 1) == 0) store.Return(slot);
    }
}
