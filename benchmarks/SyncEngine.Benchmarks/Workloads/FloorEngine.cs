using System.Runtime.InteropServices;
using System.Text;

namespace SyncEngine.Benchmarks.Workloads;

/// <summary>
/// No product: the least that passes the workloads' checks, so that a figure can be read against what the runtime
/// allows.
/// It has no deletes, no conflicts, no checks of what it receives and no storage.
/// </summary>
internal sealed class FloorEngine : IEngine
{
    private ulong _replicas;

    public string Name => "floor";

    public IReadOnlyDictionary<string, Func<IReplica, byte[]>> OtherEncodings { get; } =
        new Dictionary<string, Func<IReplica, byte[]>>();

    public IReplica Open() => new FloorReplica(++_replicas);

    public IReplica OpenAuthor() => Open();
}

/// <summary>
/// A dictionary to an array of records, the latest write wins, and for each replica the records that it wrote, in
/// order.
/// </summary>
internal sealed class FloorReplica : IReplica
{
    private readonly Dictionary<string, int> _index = [];
    private readonly Dictionary<ulong, int> _writerOf = [];
    private readonly List<Writer> _writers = [];
    private readonly int _own;
    private Cell[] _cells = new Cell[16];
    private long _clock;
    private ChangeCount? _changes;

    public FloorReplica(ulong id) => _own = Know(id);

    private struct Cell
    {
        public string Key;
        public string Value;
        public long Clock;
        public int Writer;
        public int Counter;
    }

    private sealed record Writer(ulong Id)
    {
        public List<int> Cells { get; } = [];
    }

    public void Write(Record record)
    {
        List<int> log = _writers[_own].Cells;
        int index = FindOrAdd(record.Key);
        log.Add(index);
        _clock = Math.Max(_clock + 1, DateTime.UtcNow.Ticks);
        Put(ref _cells[index], record.Value, _clock, _own, log.Count);
    }

    public void WriteAll(Record[] records)
    {
        foreach (Record record in records) Write(record);
    }

    public string? Read(string key) => _index.TryGetValue(key, out int index) ? _cells[index].Value : null;

    public byte[] EncodeVersion()
    {
        var bytes = new FloorBytes(_writers.Count * 12);
        foreach (Writer writer in _writers)
        {
            bytes.Add(writer.Id);
            bytes.Add((ulong)writer.Cells.Count);
        }

        return bytes.ToArray();
    }

    public byte[] EncodeDelta(byte[] version)
    {
        var known = new int[_writers.Count];
        var theirs = new FloorBytes(version);
        while (!theirs.AtEnd)
        {
            bool isKnown = _writerOf.TryGetValue(theirs.Next(), out int writer);
            int counter = (int)theirs.Next();
            if (isKnown) known[writer] = counter;
        }

        int missing = 0;
        for (int i = 0; i < known.Length; i++) missing += Math.Max(0, _writers[i].Cells.Count - known[i]);
        var bytes = new FloorBytes(missing * 56 + known.Length * 16);
        for (int i = 0; i < known.Length; i++) Encode(ref bytes, i, known[i]);
        return bytes.ToArray();
    }

    public byte[] EncodeAll() => EncodeDelta([]);

    public void Apply(byte[] frame)
    {
        var bytes = new FloorBytes(frame);
        while (!bytes.AtEnd)
        {
            int writer = Know(bytes.Next()), from = (int)bytes.Next(), to = (int)bytes.Next();
            List<int> log = _writers[writer].Cells;
            int had = log.Count, counter = from;
            if (from > had) throw new InvalidOperationException("The delta left a gap.");
            if (to > had) CollectionsMarshal.SetCount(log, to);
            if (had == 0) _index.EnsureCapacity(_index.Count + to);
            long clock = 0;
            while (bytes.Next() is var step && step > 0)
            {
                counter += (int)step;
                clock += (long)bytes.Next();
                string key = bytes.NextText(), value = bytes.NextText();
                if (counter <= had) continue;
                int index = log[counter - 1] = FindOrAdd(key);
                ref Cell cell = ref _cells[index];
                if (cell.Value is not null && !IsLater(clock, writer, cell)) continue;
                Put(ref cell, value, clock, writer, counter);
                _clock = Math.Max(_clock, clock);
            }
        }
    }

    public ChangeCount CountChanges() => _changes = new ChangeCount();

    public void Dispose()
    {
    }

    private void Encode(ref FloorBytes bytes, int writer, int known)
    {
        ReadOnlySpan<int> log = CollectionsMarshal.AsSpan(_writers[writer].Cells);
        if (log.Length <= known) return;
        bytes.Add(_writers[writer].Id);
        bytes.Add((ulong)known);
        bytes.Add((ulong)log.Length);
        int last = known;
        long clock = 0;
        for (int i = known; i < log.Length; i++)
        {
            ref Cell cell = ref _cells[log[i]];
            if (cell.Writer != writer || cell.Counter != i + 1) continue;
            bytes.Add((ulong)(cell.Counter - last));
            bytes.Add((ulong)(cell.Clock - clock));
            bytes.Add(cell.Key);
            bytes.Add(cell.Value);
            (last, clock) = (cell.Counter, cell.Clock);
        }

        bytes.Add(0);
    }

    private void Put(ref Cell cell, string value, long clock, int writer, int counter)
    {
        (cell.Value, cell.Clock, cell.Writer, cell.Counter) = (value, clock, writer, counter);
        _changes?.Add(1);
    }

    private bool IsLater(long clock, int writer, in Cell cell) => clock != cell.Clock
        ? clock > cell.Clock : _writers[writer].Id > _writers[cell.Writer].Id;

    private int FindOrAdd(string key)
    {
        int next = _index.Count;
        ref int index = ref CollectionsMarshal.GetValueRefOrAddDefault(_index, key, out bool exists);
        if (exists) return index;
        if (next == _cells.Length) Array.Resize(ref _cells, next * 2);
        _cells[next].Key = key;
        return index = next;
    }

    private int Know(ulong id)
    {
        if (_writerOf.TryGetValue(id, out int writer)) return writer;
        _writers.Add(new Writer(id));
        return _writerOf[id] = _writers.Count - 1;
    }
}

/// <summary>Numbers of seven bits a byte, and texts behind their length, with no check at all.</summary>
internal struct FloorBytes
{
    private byte[] _bytes;
    private int _at;

    public FloorBytes(int capacity) => _bytes = new byte[Math.Max(16, capacity)];

    public FloorBytes(byte[] bytes) => _bytes = bytes;

    public readonly bool AtEnd => _at == _bytes.Length;

    public readonly byte[] ToArray() => _at == _bytes.Length ? _bytes : _bytes[.._at];

    public void Add(ulong number)
    {
        Reserve(10);
        while (number >= 128)
        {
            _bytes[_at++] = (byte)(number | 128);
            number >>= 7;
        }

        _bytes[_at++] = (byte)number;
    }

    public void Add(string text)
    {
        int length = Encoding.UTF8.GetByteCount(text);
        Add((ulong)length);
        Reserve(length);
        _at += Encoding.UTF8.GetBytes(text, _bytes.AsSpan(_at));
    }

    public ulong Next()
    {
        ulong number = 0;
        for (int shift = 0; ; shift += 7)
        {
            ulong next = _bytes[_at++];
            number |= (next & 127) << shift;
            if (next < 128) return number;
        }
    }

    public string NextText()
    {
        int length = (int)Next();
        string text = Encoding.UTF8.GetString(_bytes, _at, length);
        _at += length;
        return text;
    }

    private void Reserve(int count)
    {
        if (_bytes.Length - _at < count) Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _at + count));
    }
}
