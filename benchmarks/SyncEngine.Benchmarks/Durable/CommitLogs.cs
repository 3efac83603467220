using LiteDB;
using LiteDB.Engine;

namespace SyncEngine.Benchmarks.Durable;

/// <summary>Something else that keeps a frame a commit, to compare the engine with.</summary>
internal interface ICommitLog : IDisposable
{
    void Commit(byte[] frame);
}

/// <summary>What the disk itself takes: the bytes at the end of a file, and one fsync.</summary>
internal sealed class SyncedFile(string folder) : ICommitLog
{
    private readonly FileStream _file = new(
        Path.Combine(folder, "bare.bin"), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);

    public void Commit(byte[] frame)
    {
        _file.Write(frame);
        _file.Flush(flushToDisk: true);
    }

    public void Dispose() => _file.Dispose();
}

/// <summary>
/// LiteDB as it comes: a document a commit, with all its defaults. Which thread writes the pages is left to chance:
/// a commit
/// waits for about ten fsyncs or for none, so its rate has two modes, and in the faster one nothing is durable yet.
/// </summary>
internal sealed class PlainLiteDb : ICommitLog
{
    private readonly LiteDatabase _database;
    private readonly ILiteCollection<BsonDocument> _log;
    private long _sequence;

    public PlainLiteDb(string folder)
    {
        _database = new LiteDatabase(Path.Combine(folder, "plain.db"));
        _log = _database.GetCollection("log");
    }

    public void Commit(byte[] frame) => _log.Insert(new BsonDocument { ["_id"] = ++_sequence, ["b"] = frame });

    public void Dispose() => _database.Dispose();
}

/// <summary>
/// LiteDB's engine with one fsync a commit, after its confirming page was written: the least that makes a commit
/// durable.
/// It does not protect against torn or reordered pages.
/// </summary>
internal sealed class SyncedLiteDb : ICommitLog
{
    private readonly DelayedFile _data;
    private readonly DelayedFile _log;
    private readonly LiteEngine _engine;
    private long _sequence;

    public SyncedLiteDb(string folder)
    {
        _data = new DelayedFile(Path.Combine(folder, "synced.db"), syncsOnFlush: true);
        _log = new DelayedFile(Path.Combine(folder, "synced-log.db"), syncsOnFlush: false);
        _engine = new LiteEngine(new EngineSettings { DataStream = _data, LogStream = _log });
    }

    public void Commit(byte[] frame)
    {
        long confirmed = _log.Confirmed;
        var document = new BsonDocument { ["_id"] = ++_sequence, ["b"] = frame };
        _engine.Insert("log", [document], BsonAutoId.Int64);
        _log.WaitForConfirmed(confirmed + 1);
        _log.Sync();
    }

    public void Dispose()
    {
        _engine.Dispose();
        _data.Dispose();
        _log.Dispose();
    }

    private sealed class DelayedFile(string path, bool syncsOnFlush) : Stream
    {
        private const int ConfirmedOffset = 18;
        private readonly object _gate = new();
        private readonly FileStream _file = new(
            path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);

        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => true;

        public override long Length => _file.Length;

        public override long Position
        {
            get => _file.Position;
            set => _file.Position = value;
        }

        /// <summary>How many pages were written that end a transaction.</summary>
        public long Confirmed { get; private set; }

        public void WaitForConfirmed(long count)
        {
            lock (_gate)
            {
                while (Confirmed < count) Monitor.Wait(_gate);
            }
        }

        public void Sync() => _file.Flush(flushToDisk: true);

        public override void Flush()
        {
            if (syncsOnFlush) Sync();
        }

        public override int Read(byte[] buffer, int offset, int count) => _file.Read(buffer, offset, count);

        public override long Seek(long offset, SeekOrigin origin) => _file.Seek(offset, origin);

        public override void SetLength(long value) => _file.SetLength(value);

        public override void Write(byte[] buffer, int offset, int count)
        {
            _file.Write(buffer, offset, count);
            if (buffer[offset + ConfirmedOffset] == 0) return;
            lock (_gate)
            {
                Confirmed++;
                Monitor.PulseAll(_gate);
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) _file.Dispose();
            base.Dispose(disposing);
        }
    }
}
