namespace SyncEngine.Cli.Json;

/// <summary>Splits a stream into lines of bytes, so that no byte is changed before JSON is checked.</summary>
internal sealed class LineReader(Stream source)
{
    private byte[] _buffer = new byte[1 << 16];
    private int _start;
    private int _end;
    private bool _ended;

    /// <summary>The number of the line read last, from 1.</summary>
    public long Number { get; private set; }

    public long BytesRead { get; private set; }

    /// <summary>Reads a line without its end; false at the end. The bytes are valid until the next call.</summary>
    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        int searched = 0;
        while (true)
        {
            int length = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (length >= 0)
            {
                line = Take(searched + length, 1);
                return true;
            }

            searched = _end - _start;
            if (!_ended && Fill()) continue;
            line = Take(searched, 0);
            return searched > 0;
        }
    }

    private ReadOnlySpan<byte> Take(int length, int terminator)
    {
        Number++;
        var line = new ReadOnlySpan<byte>(_buffer, _start, length);
        _start += length + terminator;
        if (Number == 1 && line.StartsWith("\uFEFF"u8)) line = line[3..];
        return line.TrimEnd((byte)'\r');
    }

    private bool Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length) Array.Resize(ref _buffer, checked(_buffer.Length * 2));
        int read = source.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        BytesRead += read;
        _ended = read == 0;
        return read > 0;
    }
}
