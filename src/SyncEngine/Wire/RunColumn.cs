using MessagePack;

namespace SyncEngine.Wire;

/// <summary>A column of integers written as pairs of a value and how often it stands in a row.</summary>
internal struct RunColumn(PooledBuffer buffer)
{
    private long _value;
    private int _run;
    private int _pairs;

    public void Add(long value)
    {
        if (_run > 0 && value == _value)
        {
            _run++;
            return;
        }

        Flush();
        _value = value;
        _run = 1;
    }

    /// <summary>Writes the column as one MessagePack array: value, run, value, run, …</summary>
    public void Complete(ref MessagePackWriter writer)
    {
        Flush();
        writer.WriteArrayHeader(_pairs * 2);
        writer.WriteRaw(buffer.Written);
    }

    private void Flush()
    {
        if (_run == 0) return;
        var writer = new MessagePackWriter(buffer);
        writer.Write(_value);
        writer.Write(_run);
        writer.Flush();
        _pairs++;
        _run = 0;
    }
}
