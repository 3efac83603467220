using SyncEngine.LiteDB.Files;

namespace SyncEngine.LiteDB.Wal;

/// <summary>
/// The data file as LiteDB sees it. Pages that a checkpoint or a recovery writes are gathered here, and go to the file
/// in order and only after the log that holds them is durable.
/// </summary>
internal sealed class DataStream : PageStream
{
    private const int GatheredPagesMax = 2048;
    private const int PagesPerWrite = 32;

    private readonly IRawFile _file;
    private readonly LogFile _log;
    private readonly PlantedFaults? _faults;
    private readonly SortedDictionary<long, byte[]> _gathered = new();
    private readonly Stack<byte[]> _spare = new();
    private byte[]? _run;
    private long _length;

    public DataStream(IRawFile file, LogFile log, PlantedFaults? faults)
    {
        _file = file;
        _log = log;
        _faults = faults;
        _length = file.Length / Page.Size * Page.Size;
    }

    public override long Length => _length;

    /// <summary>Set once nothing may reach the file any more: the storage has given this file up.</summary>
    public bool IsClosed { get; set; }

    /// <summary>Whether pages wait that are not in the file yet.</summary>
    public bool HasGathered => _gathered.Count > 0;

    /// <summary>Lets any number of pages wait, so that a store whose disk is full can still be read.</summary>
    public bool IsRecovering { get; set; }

    /// <summary>Leaves the syncing to the end: nobody would recover a file that is still being built.</summary>
    public bool IsBuilding { get; init; }

    public override void Flush()
    {
        if (_gathered.Count == 0) return;
        GatherHeaderPage();
        WriteGathered();
        if (!IsBuilding) _file.FlushToDisk();
    }

    public override void SetLength(long value)
    {
        _file.SetLength(value);
        _length = value;
    }

    protected override void ReadPage(long position, Span<byte> page)
    {
        if (_gathered.TryGetValue(position, out var gathered))
        {
            gathered.CopyTo(page);
            _ = Page.Unseal(page, position);
            return;
        }

        if (_file.ReadAt(position, page) < page.Length)
        {
            throw new InvalidDataException($"It ends at {_file.Length}, before the page at {position}.");
        }

        // A page of documents goes on to LiteDB: its frames have their own checks, and the others on it are sound.
        if (!Page.Unseal(page, position) && !Page.IsData(page))
        {
            throw new InvalidDataException($"The page at {position} does not match its checksum.");
        }
    }

    protected override void WritePage(long position, ReadOnlySpan<byte> page)
    {
        if (IsClosed) throw new IOException("The file was given up after a failure.");
        if (_gathered.Count >= GatheredPagesMax && !IsRecovering && !_gathered.ContainsKey(position)) WriteGathered();
        Gather(position, page);
    }

    private void Gather(long position, ReadOnlySpan<byte> page)
    {
        if (!_gathered.TryGetValue(position, out var copy))
        {
            copy = _spare.Count > 0 ? _spare.Pop() : new byte[Page.Size];
            _gathered.Add(position, copy);
        }

        page.CopyTo(copy);
        if (position == 0)
        {
            page.CopyTo(_log.HeaderPage);
            if (_log.Header.Database != Guid.Empty) CurrentStamp().Write(copy);
        }

        Page.Seal(copy);
        _length = Math.Max(_length, position + Page.Size);
    }

    /// <summary>The header page says which log the file holds, so it is part of every checkpoint.</summary>
    private void GatherHeaderPage()
    {
        if (!_gathered.ContainsKey(0)) Gather(0, _log.HeaderPage.AsSpan().ToArray());
    }

    private PageStamp CurrentStamp() => new(_log.Header.Database, _log.Header.Id, _log.Commits);

    private void WriteGathered()
    {
        if (IsClosed) throw new IOException("The file was given up after a failure.");
        if (_faults?.DataBeforeLog != true) _log.Sync();
        _run ??= new byte[PagesPerWrite * Page.Size];
        var start = 0L;
        var count = 0;
        foreach (var (position, page) in _gathered)
        {
            if (count > 0 && (count == PagesPerWrite || position != start + count * (long)Page.Size))
            {
                _file.WriteAt(start, _run.AsSpan(0, count * Page.Size));
                count = 0;
            }

            if (count == 0) start = position;
            page.CopyTo(_run, count++ * Page.Size);
        }

        if (count > 0) _file.WriteAt(start, _run.AsSpan(0, count * Page.Size));
        foreach (var page in _gathered.Values)
        {
            if (_spare.Count < GatheredPagesMax) _spare.Push(page);
        }

        _gathered.Clear();
    }
}
