using LiteDB;
using LiteDB.Engine;
using SyncEngine.Storage;

namespace SyncEngine.LiteDB.Rows;

/// <summary>Turns batches into changes of rows, inside one transaction of LiteDB.</summary>
internal sealed class BatchWriter
{
    private const int JunkRowsPerCommit = 16;

    private readonly StoreState _state;
    private readonly Dictionary<long, int> _metadataPieces;
    private readonly HashSet<int> _changedHeads = new();
    private LiteEngine _engine = null!;
    private bool _isOwnChanged;
    private int _changes;

    /// <param name="state">Changed along; to be loaded anew if the transaction fails.</param>
    /// <param name="metadataPieces">Metadata pages that take several documents, and how many.</param>
    public BatchWriter(StoreState state, Dictionary<long, int> metadataPieces)
    {
        _state = state;
        _metadataPieces = metadataPieces;
    }

    /// <summary>A few junk rows to remove; looked up before the transaction begins.</summary>
    public static JunkRemoval? PlanRemoval(LiteEngine engine, StoreState state, StagedSnapshots staged, int batchFrames)
    {
        foreach (var (junk, range) in state.Junk)
        {
            if (staged.Holds(junk)) continue;
            var limit = Math.Max(JunkRowsPerCommit, 2 * batchFrames);
            var pieces = RowReader.Ids(engine, Table.Pieces, RowCodec.PieceId(range.Table, range.Low, 0),
                RowCodec.PieceId(range.Table, range.High, int.MaxValue), 1);
            if (pieces.Count > 0) return new JunkRemoval(junk, Table.Pieces, pieces, false);
            var rows = RowReader.Ids(engine, range.Table.Name, range.Low, range.High, limit);
            return new JunkRemoval(junk, range.Table.Name, rows, rows.Count < limit);
        }

        return null;
    }

    public void Apply(LiteEngine engine, StorageBatch batch, StagedSnapshots staged, JunkRemoval? removal)
    {
        _engine = engine;
        foreach (var dataset in batch.DroppedDatasets) Drop(dataset, staged);
        foreach (var frame in batch.Frames) Append(frame);
        foreach (var flip in batch.Flips) Flip(flip, staged);
        foreach (var (page, bytes) in batch.Metadata) WriteMetadata(page, bytes);
        WriteRows(batch.Rows);
        if (removal is { } planned) Remove(planned);
        Finish();
    }

    /// <summary>Writes a page of a snapshot that is not current yet.</summary>
    public void Stage(LiteEngine engine, StagedSnapshot staged, int page, ReadOnlyMemory<byte> bytes)
    {
        _engine = engine;
        if (page == 0)
        {
            AddJunk(staged.Junk, new JunkRange(Table.Snapshot, DatasetHead.SnapshotRow(staged.Generation, 0),
                DatasetHead.SnapshotRow(staged.Generation, -1)));
        }

        Put(Table.Snapshot, DatasetHead.SnapshotRow(staged.Generation, page), bytes);
        Finish();
    }

    /// <summary>Records whose file this is.</summary>
    public void Claim(byte[]? place)
    {
        _state.Place = place;
        _state.IsMarkedCopied = false;
        _isOwnChanged = true;
    }

    private void Drop(int dataset, StagedSnapshots staged)
    {
        if (!_state.Heads.TryGetValue(dataset, out var head)) return;
        AddJunk(TakeJunk(), new JunkRange(Table.Log, head.LogRow(0), head.LogRow(DatasetHead.SequenceMax)));
        AddSnapshotJunk(head, staged[dataset]);
        _state.Heads.Remove(dataset);
        Delete(Table.Heads.Name, (long)dataset);
    }

    private void Append(in LogFrame frame)
    {
        var head = HeadOf(frame.Dataset);

        // A retried batch may bring frames that its own flip has replaced already.
        if (frame.Sequence >= head.FirstKept) Put(Table.Log, head.LogRow(frame.Sequence), frame.Bytes);
    }

    private void Flip(in SnapshotFlip flip, StagedSnapshots staged)
    {
        var head = HeadOf(flip.Dataset);
        var next = flip.PageCount == 0 ? null : staged[flip.Dataset];

        // A retried batch finds its flip done: without staged pages, or with those that are current already.
        if (next is null && head.PageCount == flip.PageCount && head.FirstKept == flip.FirstKeptSequence) return;
        if (next is { } done && done.Generation == head.Generation) return;
        AddSnapshotJunk(head, next);
        if (flip.FirstKeptSequence > head.FirstKept)
        {
            var (low, high) = (head.LogRow(head.FirstKept), head.LogRow(flip.FirstKeptSequence - 1));
            AddJunk(TakeJunk(), new JunkRange(Table.Log, low, high));
        }

        if (next is { } taken)
        {
            _ = _state.Junk.Remove(taken.Junk);
            Delete(Table.Junk.Name, taken.Junk);
        }

        _state.Heads.Set(flip.Dataset, head with
        {
            Generation = flip.PageCount == 0 ? 0 : next!.Value.Generation,
            PageCount = flip.PageCount,
            FirstKept = Math.Max(head.FirstKept, flip.FirstKeptSequence),
        });
        _ = _changedHeads.Add(flip.Dataset);
    }

    private void WriteMetadata(int page, byte[]? bytes)
    {
        var before = _metadataPieces.TryGetValue(page, out var known) ? known : 1;
        var after = bytes is null ? 0 : RowCodec.PieceCount(bytes.Length);
        for (var piece = Math.Max(after, 1); piece < before; piece++)
        {
            Delete(Table.Pieces, RowCodec.PieceId(Table.Metadata, page, piece));
        }

        if (after > 1) _metadataPieces[page] = after;
        else _ = _metadataPieces.Remove(page);
        if (bytes is null) Delete(Table.Metadata.Name, (long)page);
        else Put(Table.Metadata, page, bytes);
    }

    private void WriteRows(IDictionary<string, byte[]?> rows)
    {
        var written = new List<BsonDocument>(rows.Count);
        var removed = new List<BsonValue>();
        foreach (var (key, bytes) in rows)
        {
            if (bytes is null) removed.Add(KeyedRows.Id(key));
            else written.Add(KeyedRows.Encode(key, bytes));
        }

        if (removed.Count > 0) _changes += _engine.Delete(KeyedRows.Collection, removed);
        if (written.Count == 0) return;
        _ = _engine.Upsert(KeyedRows.Collection, written, BsonAutoId.Int64);
        _changes += written.Count;
    }

    private void Remove(in JunkRemoval removal)
    {
        if (removal.Rows.Count > 0) _changes += _engine.Delete(removal.Collection, removal.Rows);
        if (!removal.IsLast) return;
        _ = _state.Junk.Remove(removal.Junk);
        Delete(Table.Junk.Name, removal.Junk);
    }

    private void Finish()
    {
        foreach (var dataset in _changedHeads)
        {
            if (_state.Heads.TryGetValue(dataset, out var head)) Put(Table.Heads, dataset, head.ToBytes());
        }

        // LiteDB confirms a transaction by its last page, so each must write one.
        if (_isOwnChanged || _changes == 0) Put(Table.Own, 1, _state.OwnToBytes());
    }

    private DatasetHead HeadOf(int dataset)
    {
        if (_state.Heads.TryGetValue(dataset, out var head)) return head;
        head = new DatasetHead(_state.TakeSlot(), 0, 0, 0);
        _isOwnChanged = true;
        _state.Heads.Set(dataset, head);
        _ = _changedHeads.Add(dataset);
        return head;
    }

    private void AddSnapshotJunk(in DatasetHead head, StagedSnapshot? next)
    {
        if (head.Generation == 0 || head.Generation == next?.Generation) return;
        AddJunk(TakeJunk(), new JunkRange(Table.Snapshot, DatasetHead.SnapshotRow(head.Generation, 0),
            DatasetHead.SnapshotRow(head.Generation, -1)));
    }

    private long TakeJunk()
    {
        _isOwnChanged = true;
        return _state.NextJunk++;
    }

    private void AddJunk(long id, in JunkRange range)
    {
        _state.Junk[id] = range;
        _isOwnChanged = true;
        Put(Table.Junk, id, range.ToBytes());
    }

    private void Put(Table table, long id, ReadOnlyMemory<byte> bytes)
    {
        _ = _engine.Upsert(table.Name, new[] { RowCodec.Encode(table, id, bytes.Span) }, BsonAutoId.Int64);
        if (bytes.Length > RowCodec.PieceBytesMax)
        {
            _ = _engine.Upsert(Table.Pieces, RowCodec.EncodePieces(table, id, bytes), BsonAutoId.Int64);
        }

        _changes++;
    }

    private void Delete(string collection, BsonValue id) => _changes += _engine.Delete(collection, new[] { id });
}

/// <summary>Rows to delete because nothing reads them.</summary>
/// <param name="Junk">The entry of the junk list they belong to.</param>
/// <param name="Collection">Where they are.</param>
/// <param name="Rows">Their ids.</param>
/// <param name="IsLast">Whether the entry is done with them.</param>
internal readonly record struct JunkRemoval(long Junk, string Collection, List<BsonValue> Rows, bool IsLast);
