using LiteDB;
using LiteDB.Engine;
using SyncEngine.LiteDB.Rows;
using SyncEngine.LiteDB.Wal;

namespace SyncEngine.LiteDB;

/// <summary>Writes the live rows of a store into a new file, for compaction and backup.</summary>
internal sealed class StoreCopy
{
    private const long BytesPerTransaction = 4 * 1024 * 1024;

    private readonly LiteEngine _source;
    private readonly Database _target;
    private readonly IProgress<double>? _progress;
    private readonly CancellationToken _cancellationToken;
    private readonly List<BsonDocument> _rows = new();
    private readonly double _expectedBytes;
    private string _collection = "";
    private long _bytes;
    private long _copiedBytes;

    private StoreCopy(Database source, Database target, IProgress<double>? progress,
        CancellationToken cancellationToken)
    {
        _source = source.Engine;
        _target = target;
        _progress = progress;
        _cancellationToken = cancellationToken;
        _expectedBytes = Math.Max(1, source.SizeBytes);
    }

    /// <summary>Leaves a complete, synced file under a name, or none if it throws.</summary>
    public static void Write(StoreFiles files, Database source, StoreState state, string path, bool isCopy,
        IProgress<double>? progress, CancellationToken cancellationToken)
    {
        try
        {
            using var target = files.Build(path, source.Id, source.Commits);
            new StoreCopy(source, target, progress, cancellationToken).CopyRows(state, new StoreState
            {
                NextSlot = state.NextSlot,
                NextGeneration = state.NextGeneration,
                NextJunk = state.NextJunk,
                IsMarkedCopied = isCopy,
                Place = files.PlaceOf(target),
            });
            target.FinishBuilding();
        }
        catch
        {
            files.TryDelete(path);
            throw;
        }
    }

    private void CopyRows(StoreState state, StoreState targetState)
    {
        Add(Table.Own.Name, RowCodec.Encode(Table.Own, 1, targetState.OwnToBytes()), 0);
        Copy(Table.Metadata, int.MinValue, int.MaxValue);
        foreach (var row in KeyedRows.All(_source)) Add(KeyedRows.Collection, row, row["b"].AsBinary?.Length ?? 0);
        foreach (var dataset in state.Heads.All())
        {
            if (!state.Heads.TryGetValue(dataset, out var head)) continue;
            Add(Table.Heads.Name, RowCodec.Encode(Table.Heads, dataset, head.ToBytes()), 0);
            if (head.PageCount > 0)
            {
                Copy(Table.Snapshot, DatasetHead.SnapshotRow(head.Generation, 0),
                    DatasetHead.SnapshotRow(head.Generation, head.PageCount - 1));
            }

            Copy(Table.Log, head.LogRow(head.FirstKept), head.LogRow(DatasetHead.SequenceMax));
        }

        Flush();
    }

    private void Copy(Table table, long low, long high)
    {
        using var scan = new RowScan(_source, table.Name, low, high);
        while (scan.MoveNext())
        {
            _cancellationToken.ThrowIfCancellationRequested();
            if (scan.Document is not { } document)
            {
                throw new InvalidDataException($"row {scan.Id} of {table.Name} cannot be read, thus not copied.");
            }

            // A row with a wrong checksum is copied as it is: the copy reports it as the original does.
            Add(table.Name, document, document["b"].AsBinary?.Length ?? 0);
            for (var piece = 1; piece < RowCodec.PieceCount(document); piece++)
            {
                var pieceId = RowCodec.PieceId(table, scan.Id, piece);
                if (RowReader.Find(_source, Table.Pieces, pieceId) is not { } more) continue;
                Add(Table.Pieces, more, more["b"].AsBinary?.Length ?? 0);
            }
        }
    }

    private void Add(string collection, BsonDocument document, int bytes)
    {
        if (collection != _collection || _bytes > BytesPerTransaction) Flush();
        _collection = collection;
        _rows.Add(document);
        _bytes += bytes;
    }

    private void Flush()
    {
        if (_rows.Count > 0)
        {
            _target.Run(_target.Commits, false, engine => engine.Insert(_collection, _rows, BsonAutoId.Int64));
        }

        _copiedBytes += _bytes;
        _progress?.Report(Math.Min(0.99, _copiedBytes / _expectedBytes));
        _rows.Clear();
        _bytes = 0;
    }
}
