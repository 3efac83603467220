using SyncEngine.LiteDB.Rows;
using SyncEngine.LiteDB.Wal;
using SyncEngine.Storage;

namespace SyncEngine.LiteDB;

/// <summary>Reads every page and every row of a store and checks them.</summary>
internal sealed class Verification
{
    private readonly Database _database;
    private readonly StoreState _state;
    private readonly List<StorageFault> _faults = new();

    public Verification(Database database, StoreState state)
    {
        _database = database;
        _state = state;
    }

    public IReadOnlyList<StorageFault> Run(IProgress<double>? progress, CancellationToken cancellationToken)
    {
        foreach (var position in _database.DamagedPages(done => progress?.Report(done / 2), cancellationToken))
        {
            _faults.Add(new StorageFault(-1, false, -1, $"The page at byte {position} does not match its checksum."));
        }

        try
        {
            VerifyMetadata(cancellationToken);
            var frames = new FrameScan(_database.Engine, _state);
            var (done, count) = (0, _state.Heads.Count());
            foreach (var dataset in _state.Heads.All())
            {
                frames.Read(dataset, new FaultCollector(_faults), cancellationToken);
                progress?.Report(0.5 + 0.5 * ++done / count);
            }

            if (frames.HadFaults) _database.Dispose();
        }
        catch (Exception e) when (e is not (OperationCanceledException or IOException))
        {
            _faults.Add(new StorageFault(-1, false, -1, $"The rows cannot be read to their end: {e.Message}"));
            _database.Abandon(false);
        }

        progress?.Report(1);
        return _faults;
    }

    private void VerifyMetadata(CancellationToken cancellationToken)
    {
        using var scan = new RowScan(_database.Engine, Table.Metadata.Name, int.MinValue, int.MaxValue);
        while (scan.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (scan.Document is { } document && RowCodec.TryDecode(Table.Metadata, scan.Id, document,
                RowReader.PiecesOf(_database.Engine), out _))
            {
                continue;
            }

            _faults.Add(new StorageFault(-1, false, -1, $"Metadata page {scan.Id} does not match its checksum."));
        }

        foreach (var row in KeyedRows.All(_database.Engine))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!KeyedRows.IsSound(row))
                _faults.Add(new StorageFault(-1, false, -1, $"Row {row["_id"]} does not match its checksum."));
        }
    }

    private sealed class FaultCollector(List<StorageFault> faults) : IFrameReader
    {
        public void OnSnapshotPage(int page, ReadOnlyMemory<byte> frame)
        {
        }

        public void OnLogFrame(long sequence, ReadOnlyMemory<byte> frame)
        {
        }

        public void OnDamaged(StorageFault fault) => faults.Add(fault);
    }
}
