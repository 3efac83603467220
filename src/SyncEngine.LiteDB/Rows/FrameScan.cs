using LiteDB;
using LiteDB.Engine;
using SyncEngine.Storage;

namespace SyncEngine.LiteDB.Rows;

/// <summary>Reads the frames of datasets, checks them, and gathers the damaged ones.</summary>
internal sealed class FrameScan
{
    private readonly LiteEngine _engine;
    private readonly StoreState _state;
    private readonly Func<byte[], byte[]?> _readPiece;

    public FrameScan(LiteEngine engine, StoreState state)
    {
        _engine = engine;
        _state = state;
        _readPiece = RowReader.PiecesOf(engine);
    }

    /// <summary>Damaged rows, in the shape of the collection that keeps them.</summary>
    public List<BsonDocument> Lost { get; } = new();

    /// <summary>
    /// Whether the caller's reader runs, so that an exception is its own and says nothing about the file.
    /// </summary>
    public bool IsInReader { get; private set; }

    /// <summary>Whether LiteDB threw in a query.</summary>
    public bool HadFaults { get; private set; }

    public void Read(int dataset, IFrameReader reader, CancellationToken cancellationToken)
    {
        if (!_state.Heads.TryGetValue(dataset, out var head)) return;
        if (head.PageCount > 0) ReadSnapshot(dataset, head, reader, cancellationToken);
        using var scan = new RowScan(_engine, Table.Log.Name, head.LogRow(head.FirstKept),
            head.LogRow(DatasetHead.SequenceMax));
        while (Next(scan, cancellationToken))
        {
            var sequence = DatasetHead.Sequence(scan.Id);
            var isSound = TryRead(scan, Table.Log, out var frame);
            IsInReader = true;
            if (isSound) reader.OnLogFrame(sequence, frame);
            else reader.OnDamaged(Fault(dataset, false, sequence));
            IsInReader = false;
        }
    }

    private void ReadSnapshot(int dataset, DatasetHead head, IFrameReader reader, CancellationToken cancellationToken)
    {
        using var scan = new RowScan(_engine, Table.Snapshot.Name, DatasetHead.SnapshotRow(head.Generation, 0),
            DatasetHead.SnapshotRow(head.Generation, head.PageCount - 1));
        var expected = 0;
        while (Next(scan, cancellationToken))
        {
            var page = (int)(uint)scan.Id;
            for (; expected < page; expected++) ReportMissing(dataset, expected, reader);
            expected = page + 1;
            var isSound = TryRead(scan, Table.Snapshot, out var frame);
            IsInReader = true;
            if (isSound) reader.OnSnapshotPage(page, frame);
            else reader.OnDamaged(Fault(dataset, true, page));
            IsInReader = false;
        }

        for (; expected < head.PageCount; expected++) ReportMissing(dataset, expected, reader);
    }

    private bool Next(RowScan scan, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var found = scan.MoveNext();
        HadFaults |= scan.HadFaults;
        return found;
    }

    private bool TryRead(RowScan scan, Table table, out ReadOnlyMemory<byte> frame)
    {
        frame = default;
        try
        {
            if (scan.Document is { } document
                && RowCodec.TryDecode(table, scan.Id, document, _readPiece, out frame))
            {
                return true;
            }
        }
        catch (Exception e) when (e is not (IOException or OutOfMemoryException))
        {
            // A piece of a large frame that LiteDB cannot read damages the frame.
            HadFaults = true;
        }

        if (scan.Document?["b"].AsBinary is { } bytes)
        {
            Lost.Add(new BsonDocument { ["_id"] = RowCodec.PieceId(table, scan.Id, 0), ["b"] = bytes });
        }

        return false;
    }

    private void ReportMissing(int dataset, int page, IFrameReader reader)
    {
        IsInReader = true;
        reader.OnDamaged(new StorageFault(dataset, true, page, "The page is missing."));
        IsInReader = false;
    }

    private static StorageFault Fault(int dataset, bool isSnapshotPage, long sequence) =>
        new(dataset, isSnapshotPage, sequence, "The bytes do not match their checksum.");
}
