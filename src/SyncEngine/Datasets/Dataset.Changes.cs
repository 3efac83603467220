using System.Reactive.Disposables;
using System.Reactive.Linq;
using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Values;

namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    private const int EpochsMax = 64;
    private readonly List<(long FirstRevision, ulong Epoch)> _epochs = [];
    private readonly ulong _epoch;
    private bool _epochsNoted;
    private Subscription[] _subscriptions = [];

    /// <summary>
    /// One change set a transaction or merge, in order, after it is visible, on a thread-pool thread, one at a time
    /// for each
    /// subscriber. One that falls behind by more than the configured queue gets <see cref="ChangeSet.IsResync"/>
    /// instead; one
    /// that throws is unsubscribed. Neither harms anybody else.
    /// </summary>
    public IObservable<ChangeSet> Changes => Observable.Create<ChangeSet>(observer =>
        Subscribe(new ChangeSubscription(this, observer, durableOnly: false)));

    /// <summary>A register's value now and whenever it changes; missing while there is none.</summary>
    public IObservable<Value> Observe(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Observable.Create<Value>(observer => Subscribe(new RegisterSubscription(this, observer, key)));
    }

    /// <summary>The change sets that touch keys which start with a prefix, cut down to those keys.</summary>
    /// <param name="prefix">Compared by UTF-8 bytes; empty matches every key.</param>
    public IObservable<ChangeSet> ObservePrefix(string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(prefix);
        return Changes.Select(changes => Narrow(changes, bytes)).Where(static changes => changes.IsResync || changes.Count > 0);
    }

    /// <summary>
    /// The durable changes after a cursor: first one change set of all that changed since (old values are not known
    /// then, and what was added counts as updated), then each change set once it is durable. Keep
    /// <see cref="ChangeSet.Cursor"/> to go on later, also after a restart.
    /// </summary>
    /// <param name="after">Where to go on; the default value starts from the beginning.</param>
    public IObservable<ChangeSet> Feed(FeedCursor after) => Observable.Create<ChangeSet>(observer =>
    {
        var subscription = new ChangeSubscription(this, observer, durableOnly: Context.Journal is not null);
        lock (_gate)
        {
            if (CatchUp(after) is { } missed) subscription.Enqueue(missed, Context.ChangeQueueMax);
            return Subscribe(subscription);
        }
    });

    /// <summary>The place in the feed after everything that is durable now.</summary>
    public FeedCursor DurableCursor
    {
        get
        {
            lock (_gate) return new FeedCursor(EpochOf(DurableRevision), DurableRevision);
        }
    }

    internal void Unsubscribe(Subscription subscription)
    {
        lock (_gate)
        {
            _subscriptions = Array.FindAll(_subscriptions, other => other != subscription);
            if (!_inTransaction) _state.KeepsBefore = _subscriptions.Length > 0;
        }
    }

    private IDisposable Subscribe(Subscription subscription)
    {
        lock (_gate)
        {
            if (_closed)
            {
                subscription.Complete();
                return Disposable.Empty;
            }

            if (subscription is RegisterSubscription) subscription.Enqueue(Resync(), Context.ChangeQueueMax);
            _subscriptions = [.. _subscriptions, subscription];
            _state.KeepsBefore = true;
        }

        return subscription;
    }

    private ChangeSet Resync() => new(
        Name, new FeedCursor(EpochOf(_state.Revision), _state.Revision), default, [], isResync: true);

    private static ChangeSet Narrow(ChangeSet changes, byte[] prefix)
    {
        Change[] matching = changes.Where(change => change.KeyView.Bytes.StartsWith(prefix)).ToArray();
        return new ChangeSet(changes.Dataset, changes.Cursor, changes.Origin, matching, changes.IsResync);
    }

    private void NoteEpoch()
    {
        if (_epochs.Count > 0 && _epochs[^1].Epoch == _epoch) return;
        if (_epochs.Count == EpochsMax) _epochs.RemoveAt(0);
        _epochsNoted = false;
        _epochs.Add((_state.Revision + 1, _epoch));
    }

    /// <summary>The epoch in which a revision was counted; 0 for revision 0 and for those long past.</summary>
    private ulong EpochOf(long revision)
    {
        for (int i = _epochs.Count - 1; i >= 0; i--)
            if (revision >= _epochs[i].FirstRevision) return _epochs[i].Epoch;
        return 0;
    }

    /// <summary>What changed after a cursor, as one change set; null if nothing did.</summary>
    private ChangeSet? CatchUp(FeedCursor after)
    {
        if (after == default && _state.Revision == 0) return null;
        bool known = after == default || (after.Revision <= _state.Revision && after.Epoch == EpochOf(after.Revision));
        if (!known || after.Revision < _state.ForgottenRevision) return Resync();
        if (after.Revision == _state.Revision) return null;
        var changes = new List<Change>();
        for (int cell = 0; cell < _state.Table.Bound; cell++)
        {
            ref CellData data = ref _state.Table[cell];
            if (data.Kind == 0 || CellKinds.IsHeader(data.Kind)) continue;
            if (data.Revision <= after.Revision || data.IsEmpty) continue;

            // From the beginning a list's elements tell where they stand; later a move alone must not go unseen.
            if (after.Revision == 0 && data.Kind == CellKind.ListPlace) continue;
            if (after.Revision == 0 && _state.LiveEntryCount(cell) == 0) continue;

            // What it was at the cursor is not known: later than the beginning, a live one counts as updated.
            bool wasLive = after.Revision > 0 || _state.LiveEntryCount(cell) == 0;
            changes.Add(BuildChange(cell, default, wasLive, wasConflicted: false));
        }

        var cursor = new FeedCursor(EpochOf(_state.Revision), _state.Revision);
        return new ChangeSet(Name, cursor, default, changes.ToArray());
    }

    private ChangeSet BuildChangeSet(ChangeOrigin origin)
    {
        IReadOnlyList<CellState.TouchedCell> touches = _state.Touches;
        var changes = new Change[touches.Count];
        int count = 0;
        for (int i = 0; i < touches.Count; i++)
        {
            CellState.TouchedCell touch = touches[i];
            Value old = ValueBefore(touch, out bool wasLive, out bool wasConflicted);
            bool isLive = _state.LiveEntryCount(touch.Cell) > 0;
            if (!wasLive && !isLive) continue;
            changes[count++] = BuildChange(touch.Cell, old, wasLive, wasConflicted);
        }

        if (count < changes.Length) Array.Resize(ref changes, count);
        return new ChangeSet(Name, new FeedCursor(_epoch, _state.Revision + 1), origin, changes);
    }

    private Change BuildChange(int cell, Value old, bool wasLive, bool wasConflicted)
    {
        ref CellData data = ref _state.Table[cell];
        TextView key = ViewOf(_state.Table.KeyAddress(data));
        TextView field = data.Owner == 0 ? default : ViewOf(data.TextAt);
        bool isLive = _state.LiveEntryCount(cell) > 0;
        ReplicaId writer = _state.TryGetWinner(cell, out EntryData winner) ? _state.Replicas.Id(winner.Replica)
            : data.IsEmpty ? default : _state.Replicas.Id(data.First.Replica);
        bool conflicted = IsConflicted(cell);
        ChangeType type = !isLive ? ChangeType.Removed
            : conflicted && !wasConflicted ? ChangeType.Conflicted
            : wasLive ? ChangeType.Updated : ChangeType.Added;
        bool isElement = data.Kind == CellKind.SetElement;
        Value shown = isElement ? default : data.Kind == CellKind.ListPlace ? default : ShownValue(cell);
        Competition? competition = conflicted && Resolver is not null
            ? CompetitionOf(cell, key.ToString(), data.Owner == 0 ? null : field.ToString()) : null;
        return new Change(data.Kind, key, field, type, isElement ? default : old, shown, writer, competition);
    }

    private TextView ViewOf(long address)
    {
        byte[] buffer = _state.Table.Slab.Locate(address, out int offset, out int length);
        return new TextView(buffer, offset, length);
    }

    private Value ValueBefore(in CellState.TouchedCell touch, out bool wasLive, out bool wasConflicted)
    {
        CellKind kind = _state.Table[touch.Cell].Kind;
        (wasLive, wasConflicted) = (false, false);
        Value shown = default;
        EntryData winner = default;
        long sum = 0;
        for (int i = 0; i < touch.CountBefore; i++)
        {
            EntryData entry = _state.Before[touch.FirstBefore + i];
            if (entry.IsDeleted) continue;
            Value value = _state.Table.ValueOf(entry);
            if (kind == CellKind.Counter) sum = unchecked(sum + _state.CounterValue(entry));
            bool beyond = kind is CellKind.Max or CellKind.Min
                ? wasLive && GoesBeyond(kind, value.Encoded, shown.Encoded)
                : wasLive && _state.IsLater(entry, winner);
            wasConflicted |= wasLive && kind is CellKind.Register or CellKind.MapField && shown != value;
            if (!wasLive || beyond) (shown, winner) = (value, entry);
            wasLive = true;
        }

        return kind == CellKind.Counter && wasLive ? sum : kind == CellKind.ListPlace ? default : shown;
    }

    /// <summary>A register's value and the revision it was read at: older change sets must not bring it back.</summary>
    private Value ReadNow(string key, byte[] text, out long revision)
    {
        Value winner;
        Competition? competition;
        lock (_gate)
        {
            revision = _state.Revision;
            int cell = _state.Table.Find(CellKind.Register, 0, text);
            if (cell < 0 || !_state.TryGetWinner(cell, out EntryData entry)) return default;
            winner = _state.Table.ValueOf(entry);
            competition = CompetitionOf(cell, key, null);
        }

        return competition is null ? winner : competition.Resolve(winner);
    }

    private sealed class ChangeSubscription(Dataset dataset, IObserver<ChangeSet> observer, bool durableOnly)
        : Subscription(dataset, durableOnly)
    {
        protected override void Deliver(ChangeSet changes) => observer.OnNext(changes);

        protected override void OnCompleted() => observer.OnCompleted();
    }

    private sealed class RegisterSubscription(Dataset dataset, IObserver<Value> observer, string key)
        : Subscription(dataset, durableOnly: false)
    {
        private readonly byte[] _text = System.Text.Encoding.UTF8.GetBytes(key);
        private Value _last;
        private bool _delivered;
        private long _readAt;

        protected override void Deliver(ChangeSet changes)
        {
            Value now = _last;
            if (changes.IsResync)
            {
                now = Dataset.ReadNow(key, _text, out _readAt);
            }
            else if (changes.Revision > _readAt)
            {
                foreach (Change change in changes)
                    if (change.Kind == RecordKind.Register && change.KeyView.Bytes.SequenceEqual(_text))
                        now = change.NewValue;
            }

            if (_delivered && now == _last) return;
            (_last, _delivered) = (now, true);
            observer.OnNext(now);
        }

        protected override void OnCompleted() => observer.OnCompleted();
    }
}
