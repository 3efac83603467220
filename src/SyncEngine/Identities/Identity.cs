using System.Text;
using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Wire;

namespace SyncEngine.Identities;

/// <summary>Whose data it is: a guest, minted offline from a device key, and the datasets it has.
/// Thread-safe.</summary>
public sealed class Identity
{
    private static readonly UTF8Encoding _strict = new(false, throwOnInvalidBytes: true);
    private readonly object _opening = new();
    private readonly object _catalog = new();
    private readonly DatasetContext _context;
    private readonly IdentityHome _home;
    private readonly Dictionary<string, int> _stored = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dataset> _opened = new(StringComparer.Ordinal);

    /// <summary>New datasets that were given out once and hold nothing yet.</summary>
    private readonly HashSet<Dataset> _untouched = [];
    private readonly byte[] _privateKey;
    private readonly TaskCompletionSource<bool> _firstSync = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[]? _publicKey;
    private long _lastSync;
    private bool _closed;

    internal Identity(int page, IdentityPage content, DatasetContext context, IdentityHome home)
    {
        (Page, _context, _home, _privateKey) = (page, context, home, content.DeviceKey);
        (Id, IsPaired) = (new IdentityId(content.High, content.Low), content.IsPaired);
        foreach (KeyValuePair<string, int> dataset in content.Datasets) _stored[dataset.Key] = dataset.Value;
        _firstSync.Task.ContinueWith(static task => _ = task.Exception, CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        if (content.LastSync == 0) return;
        _lastSync = content.LastSync;
        _firstSync.SetResult(true);
    }

    /// <summary>The identity's id, the same on all devices that are paired.</summary>
    public IdentityId Id { get; private set; }

    /// <summary>Whether its data was exchanged with another file; such an identity is not given up for
    /// another.</summary>
    public bool IsPaired { get; private set; }

    /// <summary>When this device and a peer last had the same, by this device's clock; null if never.</summary>
    public DateTimeOffset? LastSync => Interlocked.Read(ref _lastSync) is > 0 and long time
        ? DateTimeOffset.FromUnixTimeMilliseconds(time) : null;

    /// <summary>Completes once this device and a peer have had the same.</summary>
    internal Task FirstSync => _firstSync.Task;

    /// <summary>This device's public key, as a SubjectPublicKeyInfo (RFC 5280). Costs a key import once.</summary>
    public ReadOnlyMemory<byte> DevicePublicKey => _publicKey ??= DeviceKey.PublicOf(_privateKey);

    /// <summary>The names of the datasets that have, or had, a record, in ordinal order.</summary>
    public IReadOnlyList<string> DatasetNames
    {
        get
        {
            lock (_catalog) return _stored.Keys.OrderBy(static name => name, StringComparer.Ordinal).ToList();
        }
    }

    /// <summary>Whether a dataset has, or had, a record.</summary>
    internal bool HasDataset(string name)
    {
        lock (_catalog) return _stored.ContainsKey(name);
    }

    /// <summary>Raised when a dataset has something new that is durable, maybe under its gate: only signal in it.</summary>
    internal event Action<Dataset>? Advanced;

    internal FrameLimits FrameLimits => _context.FrameLimits;

    internal TimeProvider Time => _context.Time;

    internal CorrectedClock Clock => _context.Clock;

    internal Causality.RandomSource Random => _context.Random;

    internal int Page { get; }

    /// <summary>
    /// Opens a dataset, or makes an empty one that is kept once something is written to it. The first opening reads it
    /// from
    /// the file: about 0.1 s for 100,000 records; use <see cref="OpenDatasetAsync"/> where that must not block.
    /// </summary>
    /// <param name="name">1 to 512 bytes of UTF-8.</param>
    /// <exception cref="SyncException">The limit of datasets is reached, or the file is damaged.</exception>
    public Dataset Dataset(string name)
    {
        lock (_opening)
        {
            Dataset dataset = Find(name, enforcesLimit: true, out bool loads);
            if (loads) LoadAsync(dataset, CancellationToken.None).GetAwaiter().GetResult();
            return Keep(dataset);
        }
    }

    /// <summary>As <see cref="Dataset"/>, without blocking the calling thread.</summary>
    public async ValueTask<Dataset> OpenDatasetAsync(string name, CancellationToken cancellationToken = default)
    {
        return await Task.Run(
            () =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                return Dataset(name);
            }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Deletes a dataset on this device, with all its records. It does not delete it on others, and comes back from them
    /// with the next sync: <see cref="Datasets.Dataset.Clear"/> deletes its records everywhere.</summary>
    /// <returns>Whether it existed.</returns>
    public async ValueTask<bool> DeleteDatasetAsync(string name)
    {
        Task durable = Task.CompletedTask;
        bool stored;
        lock (_opening)
        {
            // Closed first, so that no write slips in behind the removal; outside the catalogue's lock, which a dataset
            // takes while it holds its own.
            Dataset? dataset;
            lock (_catalog)
                if (_opened.Remove(name, out dataset)) _untouched.Remove(dataset);
            dataset?.Discard();
            lock (_catalog)
            {
                stored = _stored.Remove(name, out int number);
                if (stored && _context.Journal is { } journal)
                {
                    journal.Drop(number, dataset, Datasets.Dataset.RowPrefixesOf(number));
                    durable = _home.Keep(EncodeLocked());
                }
            }
        }

        _context.Journal?.RunNow();
        await durable.ConfigureAwait(false);
        return stored;
    }

    /// <summary>Signs data with the device key: ECDSA over P-256 and SHA-256, 64 bytes r and s (IEEE P1363).</summary>
    public byte[] Sign(ReadOnlySpan<byte> data) => DeviceKey.Sign(_privateKey, data.ToArray());

    /// <summary>A new guest's page.</summary>
    internal static IdentityPage MintGuest()
    {
        byte[] key = DeviceKey.Create();
        IdentityId id = DeviceKey.IdentityOf(DeviceKey.PublicOf(key));
        return new IdentityPage(id.High, id.Low, IsPaired: false, key, []);
    }

    /// <summary>Opens a dataset for a merge.</summary>
    /// <exception cref="SyncException">Peers brought more datasets than are allowed, or the file is damaged.</exception>
    internal Dataset OpenForJoin(string name)
    {
        lock (_opening)
        {
            Dataset dataset = Find(name, enforcesLimit: false, out bool loads);
            if (loads) LoadAsync(dataset, CancellationToken.None).GetAwaiter().GetResult();
            return Keep(dataset);
        }
    }

    /// <summary>Forgets a new dataset to which nothing was written, unless somebody else has opened it too.</summary>
    internal void LetGo(Dataset dataset)
    {
        lock (_opening)
        {
            lock (_catalog)
            {
                if (!_untouched.Remove(dataset)) return;
                _opened.Remove(dataset.Name);
            }

            dataset.Close();
        }
    }

    /// <summary>Takes another id and marks the identity as paired.</summary>
    internal Task Pair(IdentityId id)
    {
        lock (_catalog)
        {
            if (IsPaired && id == Id) return Task.CompletedTask;
            if (IsPaired)
                throw new SyncException(SyncErrorCode.Unauthorized, $"This file belongs to identity {Id} and was "
                    + $"exchanged as such; it cannot become {id}. Create another identity in it, or use a fresh file.");
            (Id, IsPaired) = (id, true);
            return _home.Keep(EncodeLocked());
        }
    }

    /// <summary>A hub says that the identity is another one now.</summary>
    internal Task Rebind(IdentityId id)
    {
        lock (_catalog)
        {
            (Id, IsPaired) = (id, true);
            return _home.Keep(EncodeLocked());
        }
    }

    /// <summary>This device and a peer have the same now.</summary>
    internal void NoteSync()
    {
        lock (_catalog)
        {
            if (_closed) return;
            Interlocked.Exchange(ref _lastSync, Math.Max(1, _context.Time.GetUtcNow().ToUnixTimeMilliseconds()));
            if (_home.NotesSyncs) _home.Keep(EncodeLocked());
        }

        _firstSync.TrySetResult(true);
    }

    internal byte[] Encode()
    {
        lock (_catalog) return EncodeLocked();
    }

    internal IReadOnlyList<Dataset> Opened
    {
        get
        {
            lock (_catalog) return _opened.Values.ToList();
        }
    }

    /// <summary>The numbers of all its stored datasets.</summary>
    internal IReadOnlyList<int> StoredNumbers
    {
        get
        {
            lock (_catalog) return _stored.Values.ToList();
        }
    }

    internal void Close()
    {
        lock (_opening)
        {
            _closed = true;
            IReadOnlyList<Dataset> opened = Opened;
            lock (_catalog) _opened.Clear();
            foreach (Dataset dataset in opened) dataset.Close();
        }

        _firstSync.TrySetException(new ObjectDisposedException(nameof(Identity),
            "The store was disposed, or switched to another identity, before this device had synced."));
    }

    private Dataset Find(string name, bool enforcesLimit, out bool loads)
    {
        ArgumentNullException.ThrowIfNull(name);
        ObjectDisposedException.ThrowIf(_closed, this);
        lock (_catalog)
        {
            loads = false;
            if (_opened.TryGetValue(name, out Dataset? opened))
            {
                _untouched.Remove(opened);
                return opened;
            }

            CheckName(name);
            loads = _stored.TryGetValue(name, out int number);
            if (!loads) CheckLimit(enforcesLimit);
            if (loads && Datasets.Dataset.IsInTransactionOnThisThread)
                throw new InvalidOperationException($"Open dataset {name} before the transaction: reading it from the "
                    + "file waits for the storage, which waits for the transaction.");
            var dataset = new Dataset(name, loads ? number : _home.NextNumber(), _context);
            dataset.FirstChange = () => Store(dataset);
            dataset.Exchanged = NoteExchange;
            dataset.Advanced = () => Advanced?.Invoke(dataset);
            if (!loads) _untouched.Add(dataset);
            return dataset;
        }
    }

    private static void CheckName(string name)
    {
        try
        {
            if (name.Length > 0 && _strict.GetByteCount(name) <= FrameLimits.DatasetNameBytesMax) return;
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException("A dataset's name must be valid UTF-16: it has a lone surrogate.", nameof(name), e);
        }

        throw new ArgumentException("A dataset's name has 1 to 512 bytes of UTF-8.", nameof(name));
    }

    /// <summary>Local datasets obey the app's limit; those that peers bring only one that keeps memory bounded.</summary>
    private void CheckLimit(bool isLocal)
    {
        int allowed = isLocal ? _context.Limits.DatasetsMax : FrameLimits.DatasetsMax;
        if (_stored.Count + _opened.Count < allowed) return;
        int known = _stored.Keys.Union(_opened.Keys).Count();
        if (known >= allowed)
            throw new SyncException(SyncErrorCode.LimitExceeded, $"The identity has {known} datasets, and "
                + $"{allowed} are allowed. Delete one, or raise {(isLocal ? "DatasetLimits" : "FrameLimits")}.DatasetsMax.");
    }

    private async Task LoadAsync(Dataset dataset, CancellationToken cancellationToken)
    {
        await _context.Journal!.RunAsync(storage =>
        {
            dataset.Load(storage, cancellationToken);
            return true;
        }).ConfigureAwait(false);
    }

    private Dataset Keep(Dataset dataset)
    {
        lock (_catalog) _opened[dataset.Name] = dataset;
        return dataset;
    }

    private void NoteExchange()
    {
        if (!IsPaired) Pair(Id);
    }

    private void Store(Dataset dataset)
    {
        lock (_catalog)
        {
            _untouched.Remove(dataset);
            _stored[dataset.Name] = dataset.Number;
            _home.Keep(EncodeLocked());
        }
    }

    private byte[] EncodeLocked() => CatalogCodec.Write(new IdentityPage(
        Id.High, Id.Low, IsPaired, _privateKey, _stored.OrderBy(static d => d.Value).ToList(), _lastSync));
}
