namespace SyncEngine.LiteDB.Wal;

/// <summary>A stream that only ever carries whole pages, as LiteDB uses its streams.</summary>
internal abstract class PageStream : Stream
{
    public sealed override bool CanRead => true;

    public sealed override bool CanSeek => true;

    public sealed override bool CanWrite => true;

    public sealed override long Position { get; set; }

    public sealed override int Read(byte[] buffer, int offset, int count)
    {
        Check(count);
        if (Position >= Length) throw new InvalidDataException("The file ends before a page that it should hold.");
        ReadPage(Position, buffer.AsSpan(offset, count));
        Position += count;
        return count;
    }

    public sealed override void Write(byte[] buffer, int offset, int count)
    {
        Check(count);
        WritePage(Position, buffer.AsSpan(offset, count));
        Position += count;
    }

    public sealed override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => Length + offset,
    };

    protected abstract void ReadPage(long position, Span<byte> page);

    protected abstract void WritePage(long position, ReadOnlySpan<byte> page);

    private void Check(int count)
    {
        if (count == Page.Size && Position % Page.Size == 0) return;
        throw new NotSupportedException("LiteDB asked for part of a page.");
    }
}
