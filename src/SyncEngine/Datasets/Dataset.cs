using SyncEngine.Causality;
using SyncEngine.Cells;

namespace SyncEngine.Datasets;

/// <summary>
/// A named set of records of one identity: what syncs, commits and counts against limits as one. Thread-safe: any
/// thread may
/// read and write at any time; a write is visible when its call returns and durable with the next group commit.
/// </summary>
public sealed partial class Dataset : Records
{
    private readonly object _gate = new();
    private readonly CellState _state;
    private readonly HybridClock _clock;
    private ConflictResolver? _resolver;
    [ThreadStatic]
    private static int _transactionsOnThread;

    private bool _inTransaction;
    private bool _isFirstChange;
    private bool _closed;

    internal Dataset(string name, int number, DatasetContext context)
    {
        Name = name;
        Number = number;
        Context = context;
        _state = new CellState(context.Random.NextNonZero()) { NotesDirty = context.Journal is not null };
        _clock = new HybridClock(context.Clock);
        _epoch = context.Random.NextNonZero();
    }

    /// <summary>The dataset's name, unique within its identity.</summary>
    public string Name { get; }

    /// <summary>The replica under which this file writes; none until the first write.</summary>
    public ReplicaId ReplicaId
    {
        get
        {
            lock (_gate) return _state.Own < 0 ? default : _state.Replicas.Id(_state.Own);
        }
    }

    /// <summary>Raised by one with each transaction and each merge that changed something.</summary>
    public long Revision
    {
        get
        {
            lock (_gate) return _state.Revision;
        }
    }

    /// <summary>
    /// Order-free hash of all surviving writes: replicas with equal versions have equal digests. No defence against
    /// forgery.
    /// </summary>
    public ulong Digest
    {
        get
        {
            lock (_gate) return _state.Digest;
        }
    }

    /// <summary>How many records have something to read.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _state.LiveRecords;
        }
    }

    /// <summary>
    /// Chooses the value to show where concurrent writes left several; null shows the latest. Set it before reading:
    /// it is
    /// applied on each read and never written.
    /// </summary>
    public ConflictResolver? Resolver
    {
        get => Volatile.Read(ref _resolver);
        set => Volatile.Write(ref _resolver, value);
    }

    /// <summary>Whether the calling thread is inside a transaction, of any dataset.</summary>
    internal static bool IsInTransactionOnThisThread => _transactionsOnThread > 0;

    internal override Dataset Owner => this;

    internal int Number { get; }

    internal DatasetContext Context { get; }

    /// <summary>What lies behind the face, for simulations and tests: look while nobody writes.</summary>
    internal CellState State => _state;

    /// <summary>Told, outside the gate, when changes were handed out or merged.</summary>
    internal Action? Exchanged { get; set; }

    /// <summary>Told whenever something became durable (in memory: visible), maybe under the gate: only signal in
    /// it.</summary>
    internal Action? Advanced { get; set; }

    /// <summary>Told under the gate when the dataset first has something to keep.</summary>
    internal Action? FirstChange { get; set; }

    /// <summary>
    /// Writes several records as one transaction: all of them or, if the action throws, none. The action runs under the
    /// dataset's gate: keep it short, and do not wait in it.
    /// </summary>
    /// <exception cref="SyncException">A limit would be exceeded, or the storage has failed. Nothing was
    /// changed.</exception>
    public void Write(Action<Transaction> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        lock (_gate)
        {
            EnterLocked();
            _state.KeepsBefore = true;
            CellState.WriteMark mark = _state.MarkWrites();
            var transaction = new Transaction(this);
            _inTransaction = true;
            _transactionsOnThread++;
            bool done = false;
            try
            {
                action(transaction);
                done = true;
            }
            finally
            {
                transaction.End();
                _inTransaction = false;
                _transactionsOnThread--;
                if (!done) UndoLocked(mark);
                _state.KeepsBefore = _subscriptions.Length > 0;
            }

            CompleteLocked(default);
        }
    }

    /// <summary>As <see cref="Write"/>, as a revision of its own, above the present one: for data that brings its
    /// counts.</summary>
    /// <returns>Whether anything was written.</returns>
    internal bool WriteAt(long revision, Action<Transaction> action)
    {
        lock (_gate)
        {
            long before = _state.Revision;
            if (revision <= before)
                throw new ArgumentOutOfRangeException(nameof(revision), revision, "The revision is not above the present one.");
            _isFirstChange = before == 0;
            _state.SkipTo(revision - 1);
            try
            {
                Write(action);
                return _state.Revision == revision;
            }
            finally
            {
                if (_state.Revision != revision) _state.SkipTo(before);
                _isFirstChange = false;
            }
        }
    }

    /// <summary>As <see cref="Write"/>; the task completes when the transaction is durable.</summary>
    /// <param name="action">The writes.</param>
    /// <param name="cancellationToken">Ends the wait; the transaction stays.</param>
    public ValueTask WriteAsync(Action<Transaction> action, CancellationToken cancellationToken = default)
    {
        Write(action);
        return FlushAsync(cancellationToken);
    }

    /// <summary>Writes a register; the task completes when it is durable.</summary>
    /// <param name="key">1 to 4,096 bytes of UTF-8.</param>
    /// <param name="value">The value; a missing one deletes.</param>
    /// <param name="cancellationToken">Ends the wait; the write stays.</param>
    public ValueTask PutAsync(string key, Values.Value value, CancellationToken cancellationToken = default)
    {
        Put(key, value);
        return FlushAsync(cancellationToken);
    }

    internal override void InTransaction(Action<Transaction> action) => Write(action);

    internal override void Enter()
    {
        Monitor.Enter(_gate);
        try
        {
            EnterLocked();
        }
        catch
        {
            Monitor.Exit(_gate);
            throw;
        }
    }

    internal override void Leave(bool done)
    {
        try
        {
            if (done)
            {
                CompleteLocked(default);
                return;
            }

            // A lone write checks everything before it changes anything, so only what it drew is given back.
            if (_writing) _state.DropUnusedOpening();
            _state.Settle();
            _writing = false;
        }
        finally
        {
            Monitor.Exit(_gate);
        }
    }

    internal override void CheckUsable()
    {
    }

    /// <summary>Ends all streams; the dataset takes no more writes.</summary>
    internal void Close()
    {
        Subscription[] subscriptions;
        lock (_gate)
        {
            _closed = true;
            subscriptions = _subscriptions;
        }

        foreach (Subscription subscription in subscriptions) subscription.Complete();
    }

    private void EnterLocked()
    {
        if (_closed) throw new ObjectDisposedException(Name, $"Dataset {Name} is closed: its store was disposed, or it "
            + "was deleted.");
        if (_inTransaction)
            throw new InvalidOperationException("Write through the transaction while it runs, not through the dataset.");
        if (Context.Journal?.Failure is { } failure)
            throw new SyncException(failure.Code, "Writes are refused until what is pending is durable: "
                + failure.Message, innerException: failure);
    }
}
