using MessagePack;

namespace SyncEngine.Wire;

/// <summary>Reads a column that <see cref="RunColumn"/> wrote.</summary>
internal struct RunReader
{
    private readonly int _total;
    private int _pairs;
    private int _read;
    private int _left;
    private long _value;

    public RunReader(ref MessagePackReader reader, int total)
    {
        _total = total;
        int count = FrameReader.ReadCount(ref reader, int.MaxValue);
        if (count % 2 != 0) throw FrameReader.Fault("A column has a value without a run.", reader.Consumed);
        _pairs = count / 2;
    }

    public long Next(ref MessagePackReader reader)
    {
        if (_left == 0)
        {
            if (_pairs-- == 0) throw FrameReader.Fault("A column is too short.", reader.Consumed);
            _value = reader.ReadInt64();
            _left = reader.ReadInt32();
            if (_left < 1 || _left > _total - _read) throw FrameReader.Fault("A column is too long.", reader.Consumed);
            _read += _left;
        }

        _left--;
        return _value;
    }

    public readonly void Complete(ref MessagePackReader reader)
    {
        if (_pairs != 0 || _left != 0) throw FrameReader.Fault("A column is too long.", reader.Consumed);
    }
}
