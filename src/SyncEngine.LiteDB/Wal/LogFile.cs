using System.Security.Cryptography;
using SyncEngine.LiteDB.Files;

namespace SyncEngine.LiteDB.Wal;

/// <summary>
/// The log file: two header slots, then frames. The frames of the current log are also kept in memory, where LiteDB
/// reads them back at a checkpoint; the file is read only when a store opens.
/// </summary>
/// <remarks>
/// LiteDB hands pages over from whichever thread runs its queue, so <see cref="Append"/> only stores them under a lock.
/// All file access happens on the storage's own thread: <see cref="Write"/> puts what has arrived into the file,
/// <see cref="Sync"/> makes it durable.
/// </remarks>
internal sealed class LogFile
{
    private const int FramesStart = 2 * LogHeader.SlotSize;
    private const int FramesPerChunk = 64;
    private const uint FirstFrameTransaction = 0xFFFF_FFF0;

    private readonly IRawFile? _file;
    private readonly PlantedFaults? _faults;
    private readonly object _gate = new();
    private readonly List<byte[]> _chunks = new();
    private LogHeader _header;
    private ulong _lastHash;
    private int _appended;
    private int _written;
    private int _synced;
    private long _confirmed;
    private bool _isBroken;
    private bool _closed;

    /// <param name="file">Null for a database that is being built and that nobody would recover.</param>
    /// <param name="faults">Planted faults of tests.</param>
    public LogFile(IRawFile? file, PlantedFaults? faults)
    {
        _file = file;
        _faults = faults;
    }

    public LogHeader Header => _header;

    /// <summary>The commit counter that frames written from now on carry.</summary>
    public long Commits { get; set; }

    /// <summary>LiteDB's header page as the data file holds it, which opens each log.</summary>
    public byte[] HeaderPage { get; } = new byte[Page.Size];

    /// <summary>Pages that LiteDB has in the log; the frame that opens the log is not one of them.</summary>
    public int PageCount
    {
        get { lock (_gate) return Math.Max(_appended - 1, 0); }
    }

    /// <summary>How many pages that confirm a transaction have arrived since this log was opened.</summary>
    public long Confirmed
    {
        get { lock (_gate) return _confirmed; }
    }

    /// <summary>Takes the header that recovery found, with nothing valid behind it.</summary>
    public void Start(LogHeader header)
    {
        _header = header;
        Rewind();
    }

    /// <summary>
    /// Binds an empty log to the data file as it is now: a new salt in the other header slot, durable before any frame
    /// of the new log is written, so that no mixture of old and new frames can ever pass for a log.
    /// </summary>
    public void Reset(Guid database, ulong baseId)
    {
        _header = new LogHeader(database, _header.Generation + 1, baseId, NewId(), Commits);
        if (_file is not null)
        {
            _file.WriteAt(_header.SlotOffset, _header.ToSlot());
            _file.FlushToDisk();
        }

        Rewind();
    }

    public static ulong NewId()
    {
        Span<byte> bytes = stackalloc byte[8];
        RandomNumberGenerator.Fill(bytes);
        return BitConverter.ToUInt64(bytes);
    }

    /// <summary>Takes one page from LiteDB. Any thread; never touches the file.</summary>
    public void Append(int index, ReadOnlySpan<byte> page)
    {
        lock (_gate)
        {
            if (_closed) return;
            if (_appended == 0) AppendFirst();

            // LiteDB only ever appends; anything else would be a LiteDB that this package was not made for.
            // Thrown where the storage waits: an exception here would stop LiteDB's queue and block whoever waits for
            // it.
            if (index != _appended - 1) _isBroken = true;
            if (_isBroken)
            {
                Monitor.PulseAll(_gate);
                return;
            }

            var frame = Frame(_appended++);
            page.CopyTo(frame);
            if (Page.IsHeader(frame)) Stamp(frame);
            if (!Page.IsConfirmed(frame)) return;
            _confirmed++;
            Monitor.PulseAll(_gate);
        }
    }

    public void Read(int index, Span<byte> page)
    {
        lock (_gate)
        {
            if (index + 1 >= _appended) throw new InvalidDataException("The log ends before a page of it.");
            Frame(index + 1)[..Page.Size].CopyTo(page);
        }
    }

    /// <summary>Waits until LiteDB's queue has handed over the page that confirms a commit.</summary>
    public void WaitForConfirmed(long count, int timeoutMilliseconds)
    {
        lock (_gate)
        {
            while (_confirmed < count || _isBroken)
            {
                if (_isBroken) throw new InvalidDataException("LiteDB wrote its log out of order.");
                if (!Monitor.Wait(_gate, timeoutMilliseconds)) throw new TimeoutException("LiteDB's queue stopped.");
            }
        }
    }

    /// <summary>Writes what has arrived, without waiting for the disk. The storage's thread only.</summary>
    public void Write()
    {
        int appended;
        lock (_gate) appended = _appended;
        while (_written < appended)
        {
            var first = _written;
            var end = Math.Min(appended, (first / FramesPerChunk + 1) * FramesPerChunk);
            for (var i = first; i < end; i++)
            {
                _lastHash = LogFrame.Seal(Frame(i), _header.Id, Commits, i, _lastHash);
            }

            var offset = first % FramesPerChunk * LogFrame.Size;
            _file?.WriteAt(FramesStart + (long)first * LogFrame.Size,
                _chunks[first / FramesPerChunk].AsSpan(offset, (end - first) * LogFrame.Size));
            _written = end;
        }
    }

    /// <summary>Makes everything that has arrived durable, with one fsync, or none if it is already.</summary>
    public void Sync()
    {
        Write();
        if (_synced == _written) return;
        _file?.FlushToDisk();
        _synced = _written;
    }

    /// <summary>Ignores whatever LiteDB's queue still hands over, and wakes whoever waits for it.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            _confirmed = long.MaxValue;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Gives the file's room back; the log must be empty.</summary>
    public void Shrink()
    {
        if (_file is not null && _file.Length > FramesStart) _file.SetLength(FramesStart);
    }

    /// <summary>Reads the header slots; false if neither is valid.</summary>
    public static bool TryReadHeader(IRawFile file, out LogHeader header, out uint version)
    {
        header = default;
        version = 0;
        var found = false;
        var slot = new byte[512];
        for (var i = 0; i < 2; i++)
        {
            Array.Clear(slot, 0, slot.Length);
            _ = file.ReadAt(i * LogHeader.SlotSize, slot);
            if (!LogHeader.TryRead(slot, out var candidate, out var candidateVersion)) continue;
            if (found && candidate.Generation < header.Generation) continue;
            (header, version, found) = (candidate, candidateVersion, true);
        }

        return found;
    }

    /// <summary>The valid frames behind a header, up to and including the last that confirms a transaction.</summary>
    public static List<byte[]> ReadFrames(IRawFile file, in LogHeader header, PlantedFaults? faults)
    {
        var frames = new List<byte[]>();
        var confirmed = 0;
        var hash = header.Id;
        while (true)
        {
            var frame = new byte[LogFrame.Size];
            var offset = FramesStart + (long)frames.Count * LogFrame.Size;
            if (file.ReadAt(offset, frame) < frame.Length) break;
            var check = faults?.SkipLogHash != true;
            if (!LogFrame.IsValid(frame, header.Id, frames.Count, hash, check, out hash)) break;
            frames.Add(frame);
            if (Page.IsConfirmed(frame)) confirmed = frames.Count;
        }

        frames.RemoveRange(confirmed, frames.Count - confirmed);
        return frames;
    }

    /// <summary>
    /// Writes frames back to where they were read from and syncs them: after a failed fsync the system may hold them as
    /// clean in its cache, though the disk never got them.
    /// </summary>
    public static void Rewrite(IRawFile file, List<byte[]> frames)
    {
        for (var i = 0; i < frames.Count; i++) file.WriteAt(FramesStart + (long)i * LogFrame.Size, frames[i]);
        file.FlushToDisk();
    }

    private void Rewind()
    {
        lock (_gate)
        {
            _appended = _written = _synced = 0;
            _lastHash = _header.Id;
            const int chunksKept = 12;
            if (_chunks.Count > chunksKept) _chunks.RemoveRange(chunksKept, _chunks.Count - chunksKept);
        }
    }

    /// <summary>
    /// Each log opens with the data file's header page, so that a power cut that tears that page while it is rewritten
    /// finds it whole here, whether LiteDB changed it or not.
    /// </summary>
    private void AppendFirst()
    {
        var frame = Frame(_appended++);
        HeaderPage.CopyTo(frame);
        Stamp(frame);
        Page.MarkConfirmed(frame, FirstFrameTransaction);
    }

    private void Stamp(Span<byte> page) => new PageStamp(_header.Database, _header.Id, Commits).Write(page);

    private Span<byte> Frame(int index)
    {
        while (_chunks.Count <= index / FramesPerChunk) _chunks.Add(new byte[FramesPerChunk * LogFrame.Size]);
        return _chunks[index / FramesPerChunk].AsSpan(index % FramesPerChunk * LogFrame.Size, LogFrame.Size);
    }
}
