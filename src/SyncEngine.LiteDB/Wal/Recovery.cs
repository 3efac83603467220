using SyncEngine.Causality;
using SyncEngine.LiteDB.Files;

namespace SyncEngine.LiteDB.Wal;

/// <summary>What the two files hold when a store opens, worked out before anything is written.</summary>
internal sealed class Recovery
{
    private Recovery(byte[] headerPage, Guid database)
    {
        HeaderPage = headerPage;
        Database = database;
    }

    /// <summary>LiteDB's header page as the data file holds it, or as the log restores it.</summary>
    public byte[] HeaderPage { get; }

    public Guid Database { get; }

    /// <summary>The header of the log to go on with.</summary>
    public LogHeader LogHeader { get; private set; }

    /// <summary>The log's valid frames, up to the last that confirms a transaction.</summary>
    public List<byte[]> Frames { get; private set; } = new();

    /// <summary>The commit counter of the state that recovery restores.</summary>
    public long Commits { get; private set; }

    /// <summary>Whether the log file must be bound to the data file anew before anything is written to it.</summary>
    public bool NeedsNewLog { get; private set; }

    /// <summary>
    /// Whether the log holds frames that do not continue this data file, because one of the two files was replaced. It
    /// is then set aside, never played into a file it does not belong to.
    /// </summary>
    public bool IsLogForeign { get; private set; }

    /// <summary>What the data file's stamp names as its log once the frames are in it.</summary>
    public ulong CheckpointIdAfterReplay { get; private set; }

    /// <summary>Reads both files and writes to neither.</summary>
    public static Recovery Read(IRawFile dataFile, IRawFile? logFile, string name, PlantedFaults? faults)
    {
        var page = new byte[Page.Size];
        if (dataFile.ReadAt(0, page) < page.Length || !PageStamp.IsLiteDb(page)) throw NotAStore(name);
        var version = PageStamp.Version(page) ?? throw NotAStore(name);
        if (version > PageStamp.CurrentVersion)
        {
            throw new SyncException(SyncErrorCode.UnsupportedVersion,
                $"{name} has format {version}; this build reads up to {PageStamp.CurrentVersion}. "
                + "Update SyncEngine.LiteDB.");
        }

        if (!PageStamp.TryRead(page, out var stamp))
        {
            throw FileErrors.Damaged(name, "its header does not match its checksum.");
        }

        var isSound = Page.Unseal(page, 0);
        var recovery = new Recovery(page, stamp.Database)
        {
            Commits = stamp.Commits,
            CheckpointIdAfterReplay = stamp.CheckpointId,
            NeedsNewLog = true,
        };
        if (logFile is { Length: > 0 }) recovery.ReadLog(logFile, stamp, name, faults);

        // A power cut may tear the header page while a checkpoint writes it; every log opens with a copy of it.
        if (!isSound && recovery.Frames.Count == 0)
        {
            throw FileErrors.Damaged(name, "its first page does not match its checksum.");
        }

        return recovery;
    }

    /// <summary>Hands the pages of confirmed transactions to the data stream, in the order of the log.</summary>
    public void Replay(DataStream data)
    {
        var confirmed = new HashSet<uint>();
        foreach (var frame in Frames)
        {
            if (Page.IsConfirmed(frame)) confirmed.Add(Page.Transaction(frame));
        }

        foreach (var frame in Frames)
        {
            if (!confirmed.Contains(Page.Transaction(frame))) continue;
            data.Position = Page.Position(frame);
            data.Write(frame, 0, Page.Size);
        }
    }

    private void ReadLog(IRawFile logFile, in PageStamp stamp, string name, PlantedFaults? faults)
    {
        if (!LogFile.TryReadHeader(logFile, out var header, out var version))
        {
            // Creating the file is the only moment without a valid slot, and it has no frames then.
            IsLogForeign = logFile.Length > 2 * LogHeader.SlotSize;
            return;
        }

        if (version > LogHeader.CurrentVersion)
        {
            throw new SyncException(SyncErrorCode.UnsupportedVersion,
                $"The log of {name} has format {version}; this build reads up to {LogHeader.CurrentVersion}. "
                + "Update SyncEngine.LiteDB.");
        }

        var frames = LogFile.ReadFrames(logFile, header, faults);
        if (header.Database != stamp.Database
            || (header.BaseId != stamp.CheckpointId && header.Id != stamp.CheckpointId))
        {
            IsLogForeign = frames.Count > 0;
            LogHeader = new LogHeader(Guid.Empty, header.Generation, 0, 0, 0);
            return;
        }

        LogHeader = header;
        Frames = frames;
        if (frames.Count == 0)
        {
            // Frames that a power cut left unconfirmed must not be taken for a part of the log that follows.
            NeedsNewLog = logFile.Length > 2 * LogHeader.SlotSize || header.BaseId != stamp.CheckpointId;
            return;
        }

        Commits = LogFrame.Commits(frames[^1]);
        CheckpointIdAfterReplay = header.Id;
        Array.Copy(frames[0], HeaderPage, Page.Size);
    }

    private static SyncException NotAStore(string name) => new(SyncErrorCode.Damaged,
        $"{name} is not a SyncEngine store, or its first page was overwritten. It was left as it is; choose another "
        + "path, or restore the store from a backup.");
}
