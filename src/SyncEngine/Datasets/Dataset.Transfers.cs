using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Storage;
using SyncEngine.Wire;

namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    private static readonly TimeSpan _unstagedMax = TimeSpan.FromSeconds(1);

    /// <summary>Who brings nothing for so long gives way to another.</summary>
    private static readonly TimeSpan _transferStale = TimeSpan.FromSeconds(15);

    private readonly List<ReadOnlyMemory<byte>> _unstaged = [];
    private long _unstagedBytes;
    private DateTimeOffset _unstagedSince;
    private bool _stagesParts;
    private Transfer? _transfer;
    private object? _transferOwner;
    private long _transferTouched;
    private bool _dropsParts;
    private long _partsTaken;

    /// <summary>The version vector, durable or not.</summary>
    internal VersionVector Seen
    {
        get
        {
            lock (_gate) return _state.Replicas.ToVector(_state.Replicas.Counters);
        }
    }

    /// <summary>How far a transfer to here has come; null where none is under way, or somebody else brings it.</summary>
    internal TransferMark? MarkFor(object owner)
    {
        lock (_gate) return _transferOwner is null || _transferOwner == owner ? _transfer?.Mark() : null;
    }

    /// <summary>Raised by each part that was taken.</summary>
    internal long PartsTaken
    {
        get
        {
            lock (_gate) return _partsTaken;
        }
    }

    /// <summary>Takes a part of a transfer; it changes nothing that can be read until the transfer is complete.</summary>
    /// <param name="decoded">The part.</param>
    /// <param name="frame">Its bytes.</param>
    /// <param name="owner">Who brings it; parts of others wait until it is done or gone.</param>
    /// <param name="judge">Asked before anything is renamed; null to ask nobody.</param>
    /// <exception cref="SyncException">Too much was sent, the part contradicts what is here, or may not rename.</exception>
    internal PartOutcome TakePart(
        DecodedFrame decoded, ReadOnlyMemory<byte> frame, object owner, IFrameJudge? judge = null)
    {
        lock (_gate)
        {
            EnterLocked();
            CellColumns columns = decoded.Columns;
            RefuseBeyondLimits(columns, judge);
            var high = new Lineage(columns);
            if (Reconciliation.Plan(_state.Replicas, high, out _) is { } plan)
            {
                // The sender must rename what it holds before it goes on; it does when it is told of the version here.
                RefuseRenames(plan.Here, judge);
                ApplyRenames(plan.Here);
                if (plan.There.Count > 0) return PartOutcome.Gap;
            }

            VersionVector own = Seen;
            if (columns.ToIsAtMost(own) && !_state.HasGaps) return PartOutcome.Known;
            var low = new VersionVector(Enumerable.Range(0, columns.Replicas.Length).Where(i => columns.Base[i] > 0)
                .Select(i => new Dot(columns.Replicas[i], columns.Base[i])));
            PartHeader header = decoded.Part!;
            if (_transferOwner is not null && _transferOwner != owner
                && Context.Time.GetElapsedTime(_transferTouched) < _transferStale) return PartOutcome.Busy;
            if (_transfer is not null && _transfer.Holds(low, high, header)) return PartOutcome.Known;
            if (_transfer is null || !_transfer.IsFollowedBy(low, high, header))
            {
                if (header.After != default || !(columns.IsSnapshot || low.IsAtMost(own))) return PartOutcome.Gap;
                DropTransfer();
                _transfer = new Transfer(columns.IsSnapshot);
                if (_state.Revision == 0) FirstChange?.Invoke();
            }

            (_transferOwner, _transferTouched) = (owner, Context.Time.GetTimestamp());
            if (_transfer.Bytes + frame.Length > Context.FrameLimits.TransferBytesMax)
            {
                DropTransfer();
                throw new SyncException(SyncErrorCode.LimitExceeded, $"A transfer to dataset {Name} is larger than the "
                    + $"{Context.FrameLimits.TransferBytesMax:N0} bytes allowed. Raise FrameLimits.TransferBytesMax.");
            }

            byte[] kept = frame.ToArray();
            _transfer.Add(kept, low, high, header);
            _partsTaken++;
            if (Context.Journal is not null) NoteUnstaged(kept);
            return PartOutcome.Taken;
        }
    }

    /// <summary>Merges a delta that completes the transfer to here; null if it does not.</summary>
    private JoinOutcome? TryComplete(CellColumns completing, IFrameJudge? judge)
    {
        if (_transfer is not { Count: > 0 } transfer || completing.IsSnapshot || !transfer.Last.IsLast) return null;
        if (Reconciliation.Plan(_state.Replicas, completing, out _) is not null) return null;
        if (Reconciliation.Plan(transfer.High, completing, out _) is not null) return null;
        VersionVector own = Seen;
        VersionVector reached = own.Join(transfer.High.ToVector());
        if (!completing.BaseIsAtMost(reached) || completing.BaseIsAtMost(own)) return null;
        if (!completing.CollectedIsAtMost(transfer.IsSnapshot ? reached : own)) return null;
        var to = new VersionVector(completing.Replicas.Select((replica, i) => new Dot(replica, completing.To[i])));
        if (!transfer.Last.Seen.IsAtMost(to) || !transfer.High.ToVector().IsAtMost(to)) return null;
        _state.RefuseForeignStamps(completing, []);
        var parts = new List<DecodedFrame>();
        try
        {
            foreach (ReadOnlyMemory<byte> part in transfer.Frames)
                parts.Add(FrameReader.Read(part, Context.FrameLimits));
            if (!_state.JoinTransfer(
                completing, parts.ConvertAll(static part => part.Columns), transfer.IsSnapshot, judge))
            {
                DropTransfer();
                QueueForCommit();
                return JoinOutcome.Refused;
            }
        }
        finally
        {
            foreach (DecodedFrame part in parts) part.Dispose();
        }

        foreach (DecodedFrame part in parts) _clock.Observe(part.Columns.LatestClock);
        DropTransfer();
        return JoinOutcome.Joined;
    }

    /// <summary>Whether somebody else brings a transfer, or what was merged is not durable yet.</summary>
    internal bool IsBusyFor(object owner)
    {
        lock (_gate)
        {
            bool isDurable = Context.Journal is null || _state.Replicas.Counters.SequenceEqual(_state.Replicas.Durable);
            return !isDurable || (_transferOwner is not null && _transferOwner != owner);
        }
    }

    /// <summary>The owner is gone; others may go on with its transfer, also after a restart.</summary>
    internal void ReleaseTransfer(object owner)
    {
        lock (_gate)
        {
            if (_transferOwner != owner) return;
            _transferOwner = null;
            if (!_closed) StageParts();
        }
    }

    /// <summary>What is complete soon is never staged, for the merge writes it anyway; only what would take long to bring again
    /// is.</summary>
    private void NoteUnstaged(byte[] part)
    {
        DateTimeOffset now = Context.Time.GetUtcNow();
        if (_unstaged.Count == 0) _unstagedSince = now;
        _unstaged.Add(part);
        _unstagedBytes += part.Length;
        if (_unstagedBytes >= Context.UnstagedBytesMax || (now - _unstagedSince).Duration() >= _unstagedMax) StageParts();
    }

    private void StageParts()
    {
        if (_unstaged.Count == 0) return;
        _stagesParts = true;
        QueueForCommit();
    }

    private void DropTransferIfCovered()
    {
        if (_transfer is { Count: > 0 } && _transfer.High.ToVector().IsAtMost(Seen))
            DropTransfer();
    }

    private void DropTransfer()
    {
        if (_transfer is null) return;
        (_transfer, _transferOwner) = (null, null);
        ClearUnstaged();
        _dropsParts = Context.Journal is not null;
    }

    /// <summary>Parts are a log of their own, under the negative number of their dataset.</summary>
    private void EncodeParts(StorageBatch batch)
    {
        if (_dropsParts) batch.DroppedDatasets.Add(-Number);
        _dropsParts = false;
        if (!_stagesParts) return;
        int first = (_transfer?.Count ?? 0) - _unstaged.Count;
        for (int i = 0; i < _unstaged.Count; i++) batch.Frames.Add(new LogFrame(-Number, first + i + 1, _unstaged[i]));
        ClearUnstaged();
    }

    private void ClearUnstaged()
    {
        _unstaged.Clear();
        (_unstagedBytes, _stagesParts) = (0, false);
    }

    private sealed class PartLoader(Dataset dataset) : IFrameReader
    {
        private bool _isDamaged;

        public void OnSnapshotPage(int page, ReadOnlyMemory<byte> frame) => _isDamaged = true;

        public void OnDamaged(StorageFault fault) => _isDamaged = true;

        public void OnLogFrame(long sequence, ReadOnlyMemory<byte> frame)
        {
            if (_isDamaged) return;
            try
            {
                Add(sequence, frame);
            }
            catch (SyncException)
            {
                _isDamaged = true;
            }
        }

        /// <summary>What cannot be read is no loss: the peer sends it again.</summary>
        public void Complete()
        {
            if (!_isDamaged) return;
            dataset.DropTransfer();
            dataset._dropsParts = true;
        }

        private void Add(long sequence, ReadOnlyMemory<byte> frame)
        {
            using DecodedFrame part = FrameReader.Read(frame, dataset.Context.FrameLimits);
            dataset._transfer ??= new Transfer(part.Columns.IsSnapshot);
            _isDamaged = part.Part is null || dataset._transfer.Count != sequence - 1;
            if (_isDamaged) return;
            var low = new VersionVector(Enumerable.Range(0, part.Columns.Replicas.Length)
                .Where(i => part.Columns.Base[i] > 0)
                .Select(i => new Dot(part.Columns.Replicas[i], part.Columns.Base[i])));
            dataset._transfer.Add(frame.ToArray(), low, new Lineage(part.Columns), part.Part!);
        }
    }
}
