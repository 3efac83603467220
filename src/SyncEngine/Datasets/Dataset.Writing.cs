using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Values;

namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    private bool _writing;
    private HybridTimestamp _now;
    private ulong _stamp;

    internal void WriteRegister(string key, Value value)
    {
        Span<byte> scratch = stackalloc byte[DatasetText.ScratchBytes];
        ReadOnlySpan<byte> text = DatasetText.Encode(key, scratch, nameof(key));
        if (value.IsMissing)
        {
            DeleteCell(_state.Table.Find(CellKind.Register, 0, text));
            return;
        }

        CheckLimits(CellKind.Register, text, default, value.Encoded);
        BeginWriting();
        _state.Write(_state.Table.FindOrAdd(CellKind.Register, 0, text, out _), value.Encoded, _now);
    }

    internal void WriteField(string key, string field, Value value)
    {
        Span<byte> keyScratch = stackalloc byte[DatasetText.ScratchBytes];
        Span<byte> fieldScratch = stackalloc byte[DatasetText.ScratchBytes];
        ReadOnlySpan<byte> keyText = DatasetText.Encode(key, keyScratch, nameof(key));
        ReadOnlySpan<byte> fieldText = DatasetText.Encode(field, fieldScratch, nameof(field));
        if (value.IsMissing)
        {
            if (_state.Table.FindContainer(RecordKind.Map, keyText) is { } map)
                DeleteCell(_state.Table.Find(CellKind.MapField, map.Number + 1, fieldText));
            return;
        }

        CheckLimits(CellKind.MapField, keyText, fieldText, value.Encoded);
        BeginWriting();
        int owner = _state.Table.FindOrAddContainer(RecordKind.Map, keyText).Number + 1;
        _state.Write(_state.Table.FindOrAdd(CellKind.MapField, owner, fieldText, out _), value.Encoded, _now);
    }

    internal bool WriteElement(string key, Value element, bool remove)
    {
        if (element.IsMissing) throw new ArgumentException("An element of a set must not be missing.", nameof(element));
        Span<byte> scratch = stackalloc byte[DatasetText.ScratchBytes];
        ReadOnlySpan<byte> text = DatasetText.Encode(key, scratch, nameof(key));
        if (element.Encoded.Length > Wire.FrameLimits.TextBytesMax)
            throw new ArgumentException(
                $"An element of a set has at most {Wire.FrameLimits.TextBytesMax:N0} bytes.", nameof(element));
        if (remove)
        {
            return _state.Table.FindContainer(RecordKind.Set, text) is { } set
                && DeleteCell(_state.Table.Find(CellKind.SetElement, set.Number + 1, element.Encoded));
        }

        CheckLimits(CellKind.SetElement, text, element.Encoded, Value.Null.Encoded);
        BeginWriting();
        int owner = _state.Table.FindOrAddContainer(RecordKind.Set, text).Number + 1;
        int cell = _state.Table.FindOrAdd(CellKind.SetElement, owner, element.Encoded, out _);
        _state.Write(cell, Value.Null.Encoded, _now);
        return true;
    }

    internal void AddToCounter(string key, long amount)
    {
        Span<byte> scratch = stackalloc byte[DatasetText.ScratchBytes];
        ReadOnlySpan<byte> text = DatasetText.Encode(key, scratch, nameof(key));
        CheckLimits(CellKind.Counter, text, default, stackalloc byte[ValueWriter.IntegerLengthMax]);
        BeginWriting();
        _state.AddToCounter(_state.Table.FindOrAdd(CellKind.Counter, 0, text, out _), amount, _now);
    }

    internal bool RaiseExtreme(CellKind kind, string key, Value number)
    {
        if (number.Kind is not (ValueKind.Integer or ValueKind.Double)
            || (number.Kind == ValueKind.Double && double.IsNaN(number.AsDouble())))
            throw new ArgumentException("Only an integer or a double that is a number can be raised.", nameof(number));
        Span<byte> scratch = stackalloc byte[DatasetText.ScratchBytes];
        ReadOnlySpan<byte> text = DatasetText.Encode(key, scratch, nameof(key));
        int cell = _state.Table.Find(kind, 0, text);
        if (cell >= 0)
        {
            Value now = ExtremeOf(cell, kind);
            if (!now.IsMissing && !GoesBeyond(kind, number.Encoded, now.Encoded)) return false;
        }

        CheckLimits(kind, text, default, number.Encoded);
        BeginWriting();
        _state.Write(_state.Table.FindOrAdd(kind, 0, text, out _), number.Encoded, _now);
        return true;
    }

    /// <summary>
    /// Deletes all records, as one transaction of ordinary deletes: with the next sync they are gone on other devices and
    /// on a hub too, where a dataset without records counts against no limit of datasets. What others write concurrently
    /// survives. Costs a pass over all records.
    /// </summary>
    /// <returns>How many records were deleted.</returns>
    /// <exception cref="SyncException">The storage has failed. Nothing was changed.</exception>
    public int Clear()
    {
        int deleted = 0;
        Write(write =>
        {
            IReadOnlyList<RecordName> records = Records;
            foreach (RecordName record in records) write.Delete(record.Key, record.Kind);
            deleted = records.Count;
        });
        return deleted;
    }

    internal bool DeleteRecord(string key, RecordKind kind)
    {
        Span<byte> scratch = stackalloc byte[DatasetText.ScratchBytes];
        ReadOnlySpan<byte> text = DatasetText.Encode(key, scratch, nameof(key));
        if (kind is RecordKind.Register or RecordKind.Counter or RecordKind.Max or RecordKind.Min)
            return DeleteCell(_state.Table.Find((CellKind)kind, 0, text));
        if (_state.Table.FindContainer(kind, text) is not { } container) return false;
        bool deleted = false;
        foreach (int cell in container.Members.ToArray())
            deleted |= DeleteCell(cell) && _state.Table[cell].Kind != CellKind.ListPlace;
        return deleted;
    }

    /// <summary>Deletes what a cell shows; nothing is written where it shows nothing.</summary>
    private bool DeleteCell(int cell, bool keepsOrder = false)
    {
        if (cell < 0 || _state.LiveEntryCount(cell) == 0) return false;
        BeginWriting();
        _state.Write(cell, default, _now, keepsOrder);
        return true;
    }

    /// <summary>Draws what the first write of a transaction needs: time, own replica, the opening's stamp.</summary>
    private void BeginWriting()
    {
        if (_writing) return;
        _writing = true;
        _now = _clock.Next(out bool jumped);
        if (jumped) _stamp = 0;
        if (_state.Own < 0) _state.Own = _state.Replicas.FindOrAdd(new ReplicaId(Context.Random.NextNonZero()));
        ReadOnlySpan<Opening> line = _state.Replicas.LineOf(_state.Own);
        if (_stamp != 0 && line.Length > 0 && line[^1].Stamp == _stamp) return;
        _stamp = Context.Random.NextNonZero();
        var longer = new Opening[line.Length + 1];
        line.CopyTo(longer);
        longer[^1] = new Opening(_state.Replicas.Counter(_state.Own) + 1, _stamp);
        _state.Replicas.SetLine(_state.Own, longer);
    }

    private void CheckLimits(
        CellKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> field, ReadOnlySpan<byte> value)
    {
        DatasetLimits limits = Context.Limits;
        if (value.Length > Wire.FrameLimits.ValueBytesMax)
            throw new ArgumentException(
                $"A value has at most {Wire.FrameLimits.ValueBytesMax:N0} bytes; this one has {value.Length:N0}.",
                nameof(value));
        if (ReferenceEquals(limits, DatasetLimits.Unlimited)) return;
        if (key.Length > limits.KeyBytesMax)
            throw Exceeded($"a key of {key.Length:N0} bytes; {limits.KeyBytesMax:N0} are allowed");
        if (value.Length > limits.ValueBytesMax)
            throw Exceeded($"a value of {value.Length:N0} bytes; {limits.ValueBytesMax:N0} are allowed");
        if (limits.RecordsMax == int.MaxValue && limits.DatasetBytesMax == long.MaxValue) return;
        int cell = FindCell(kind, key, field, out bool recordIsLive);
        if (!recordIsLive && _state.LiveRecords >= limits.RecordsMax)
            throw Exceeded($"one record more than the {limits.RecordsMax:N0} allowed");
        long grown = value.Length;
        if (!recordIsLive) grown += key.Length;
        if (cell < 0 || _state.LiveEntryCount(cell) == 0) grown += field.Length;
        if (cell >= 0 && kind != CellKind.Counter) grown -= LiveValueBytes(cell);
        if (_state.LiveBytes + grown > limits.DatasetBytesMax && grown > 0)
            throw Exceeded($"{_state.LiveBytes + grown:N0} bytes; {limits.DatasetBytesMax:N0} are allowed");
    }

    private SyncException Exceeded(string what) => new(SyncErrorCode.LimitExceeded,
        $"Dataset {Name} would get {what}. Nothing was changed. Delete something, or raise the limit in DatasetLimits.");

    private int FindCell(CellKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> field, out bool recordIsLive)
    {
        recordIsLive = false;
        if (!CellKinds.HasField(kind))
        {
            int cell = _state.Table.Find(kind, 0, key);
            recordIsLive = cell >= 0 && _state.LiveEntryCount(cell) > 0;
            return cell;
        }

        if (_state.Table.FindContainer(CellKinds.RecordOf(kind), key) is not { } container) return -1;
        recordIsLive = container.LiveCount > 0;
        return _state.Table.Find(kind, container.Number + 1, field);
    }

    private long LiveValueBytes(int cell)
    {
        long bytes = 0;
        foreach (EntryData entry in _state.EntriesOf(cell))
            if (!entry.IsDeleted) bytes += _state.Table.Slab.Read(entry.ValueAt).Length;
        return bytes;
    }

    private void UndoLocked(in CellState.WriteMark mark)
    {
        _state.Undo(mark);
        _writing = false;
    }

    /// <summary>Ends a change: revision, change set, durability. The change must have written something.</summary>
    private void CompleteLocked(ChangeOrigin origin)
    {
        bool wrote = _writing || origin.IsRemote;
        if (_writing) _state.DropUnusedOpening();
        _writing = false;
        if (!wrote)
        {
            _state.Settle();
            return;
        }

        NoteEpoch();
        if (_state.Revision == 0 || _isFirstChange) FirstChange?.Invoke();
        ChangeSet? changes = _subscriptions.Length > 0 ? BuildChangeSet(origin) : null;
        _state.Complete();
        if (changes is not null)
            foreach (Subscription subscription in _subscriptions) subscription.Enqueue(changes, Context.ChangeQueueMax);
        QueueForCommit();
    }
}
