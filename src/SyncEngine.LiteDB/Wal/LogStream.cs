namespace SyncEngine.LiteDB.Wal;

/// <summary>The log as LiteDB sees it: pages one after the other, nothing of frames and headers.</summary>
internal sealed class LogStream : PageStream
{
    private readonly LogFile _log;
    private readonly Action _reset;

    /// <param name="log">Where the pages go.</param>
    /// <param name="reset">Runs when LiteDB empties its log, after a checkpoint.</param>
    public LogStream(LogFile log, Action reset)
    {
        _log = log;
        _reset = reset;
    }

    public override long Length => (long)_log.PageCount * Page.Size;

    /// <summary>Nothing: the storage syncs the log when it knows that the confirming page has arrived.</summary>
    public override void Flush()
    {
    }

    public override void SetLength(long value)
    {
        if (value != 0) throw new NotSupportedException("LiteDB's log is only ever emptied.");
        _reset();
    }

    protected override void ReadPage(long position, Span<byte> page) => _log.Read((int)(position / Page.Size), page);

    protected override void WritePage(long position, ReadOnlySpan<byte> page) =>
        _log.Append((int)(position / Page.Size), page);
}
