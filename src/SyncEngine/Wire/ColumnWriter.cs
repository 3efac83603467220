using System.Buffers;
using MessagePack;
using SyncEngine.Cells;

namespace SyncEngine.Wire;

/// <summary>Gathers cells into columns in one pass; replicas are numbered as they first appear.</summary>
internal sealed class ColumnWriter : IDisposable
{
    private readonly PooledBuffer[] _buffers;
    private readonly int[] _indexOf;
    private readonly long[] _lastCounter;
    private readonly PooledBuffer _keys = new(), _fields = new(), _values = new();
    private RunColumn _kinds, _keyRuns, _keyLengths, _fieldLengths, _entryCounts, _replicas, _counters, _clocks, _states;
    private readonly PooledBuffer _revisionBuffer = new();
    private readonly List<long> _revisions = [];
    private int _cellCount, _entryCount, _liveCount, _cellsOfKey;
    private long _keyAddress = -1, _lastClock;
    private CellKind _keyKind;

    public ColumnWriter(CellState state, int replicaCount)
    {
        State = state;
        _indexOf = ArrayPool<int>.Shared.Rent(Math.Max(1, replicaCount));
        _lastCounter = ArrayPool<long>.Shared.Rent(Math.Max(1, replicaCount));
        Array.Fill(_indexOf, -1, 0, replicaCount);
        Array.Clear(_lastCounter, 0, replicaCount);
        _buffers = new PooledBuffer[9];
        for (int i = 0; i < _buffers.Length; i++) _buffers[i] = new PooledBuffer();
        (_kinds, _keyRuns, _keyLengths) = (new(_buffers[0]), new(_buffers[1]), new(_buffers[2]));
        (_fieldLengths, _entryCounts, _replicas) = (new(_buffers[3]), new(_buffers[4]), new(_buffers[5]));
        (_counters, _clocks, _states) = (new(_buffers[6]), new(_buffers[7]), new(_buffers[8]));
    }

    public CellState State { get; }

    /// <summary>Local indexes of the replicas that the frame names, in the order of its table.</summary>
    public List<int> Replicas { get; } = [];

    public int IndexOf(int replica)
    {
        int index = _indexOf[replica];
        if (index >= 0) return index;
        _indexOf[replica] = index = Replicas.Count;
        Replicas.Add(replica);
        return index;
    }

    public void Add(int cell)
    {
        CellTable table = State.Table;
        ref CellData data = ref table[cell];
        _cellCount++;
        _kinds.Add((byte)data.Kind);
        AddKey(table, data);
        if (CellKinds.HasField(data.Kind))
        {
            ReadOnlySpan<byte> field = table.Text(data);
            _fieldLengths.Add(field.Length);
            _fields.Append(field);
        }

        _revisions.Add(data.Revision);
        int entries = 0;
        if (!data.IsEmpty)
        {
            for (ref EntryData entry = ref data.First; ; entry = ref table.EntryAt(ref data, entry.Next))
            {
                AddEntry(table, entry);
                entries++;
                if (entry.Next == EntryData.None) break;
            }
        }

        _entryCounts.Add(entries);
        _entryCount += entries;
    }

    /// <summary>Writes the columns as one array.</summary>
    public void Complete(ref MessagePackWriter writer, bool revisions, long frameRevision = 0)
    {
        if (_cellsOfKey > 0) _keyRuns.Add(_cellsOfKey);
        writer.WriteArrayHeader(15);
        writer.Write(_cellCount);
        writer.Write(_entryCount);
        _kinds.Complete(ref writer);
        _keyRuns.Complete(ref writer);
        _keyLengths.Complete(ref writer);
        WriteBytes(ref writer, _keys);
        _fieldLengths.Complete(ref writer);
        WriteBytes(ref writer, _fields);
        _entryCounts.Complete(ref writer);
        _replicas.Complete(ref writer);
        _counters.Complete(ref writer);
        _clocks.Complete(ref writer);
        _states.Complete(ref writer);
        writer.WriteArrayHeader(_liveCount);
        writer.WriteRaw(_values.Written);
        if (!revisions)
        {
            writer.WriteNil();
            return;
        }

        var column = new RunColumn(_revisionBuffer);
        foreach (long revision in _revisions) column.Add(frameRevision - revision);
        column.Complete(ref writer);
    }

    public void Dispose()
    {
        foreach (PooledBuffer buffer in _buffers) buffer.Dispose();
        _keys.Dispose();
        _fields.Dispose();
        _values.Dispose();
        _revisionBuffer.Dispose();
        ArrayPool<int>.Shared.Return(_indexOf);
        ArrayPool<long>.Shared.Return(_lastCounter);
    }

    private static void WriteBytes(ref MessagePackWriter writer, PooledBuffer bytes)
    {
        writer.WriteBinHeader(bytes.Length);
        writer.WriteRaw(bytes.Written);
    }

    private void AddKey(CellTable table, in CellData data)
    {
        long address = table.KeyAddress(data);
        bool same = address == _keyAddress && data.Owner != 0
            && CellKinds.RecordOf(_keyKind) == CellKinds.RecordOf(data.Kind);
        if (same)
        {
            _cellsOfKey++;
            return;
        }

        if (_cellsOfKey > 0) _keyRuns.Add(_cellsOfKey);
        (_cellsOfKey, _keyAddress, _keyKind) = (1, address, data.Kind);
        ReadOnlySpan<byte> key = table.Slab.Read(address);
        _keyLengths.Add(key.Length);
        _keys.Append(key);
    }

    private void AddEntry(CellTable table, in EntryData entry)
    {
        _replicas.Add(IndexOf(entry.Replica));
        _counters.Add(entry.Counter - _lastCounter[entry.Replica]);
        _lastCounter[entry.Replica] = entry.Counter;
        _clocks.Add(unchecked((long)entry.Clock - _lastClock));
        _lastClock = unchecked((long)entry.Clock);
        _states.Add(entry.IsDeleted ? 1 : 0);
        if (entry.IsDeleted) return;
        _liveCount++;
        _values.Append(table.Slab.Read(entry.ValueAt));
    }
}
