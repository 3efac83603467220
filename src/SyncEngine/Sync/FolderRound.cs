using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Identities;
using SyncEngine.Wire;

namespace SyncEngine.Sync;

/// <summary>What a round needs from the store.</summary>
internal sealed record FolderContext(ulong Tag, TimeProvider Time, RandomSource Random, FrameLimits Limits);

/// <summary>
/// One round of an identity with a shared folder: merges what others wrote, makes it durable, writes what is new here and
/// removes own files that newer own ones make needless. The folder alone says what was written: nothing is kept elsewhere.
/// </summary>
internal sealed partial class FolderRound(
    Identity identity, SyncFolder folder, FolderMemory memory, FolderContext context, IProgress<double>? progress)
{
    private static readonly TimeSpan _retryAfter = TimeSpan.FromMinutes(1);
    private readonly string _path = Path.Combine(folder.Path, identity.Id.ToString());
    private readonly HashSet<Dataset> _touched = [];
    private readonly List<SkippedFile> _skipped = [];
    private readonly long _now = context.Time.GetUtcNow().UtcTicks;
    private int _filesRead, _filesWritten, _filesRemoved;
    private long _bytesRead, _bytesWritten, _changesReceived, _changesSent;

    /// <summary>
    /// Told of what another store surely has, as its files show: its tag, and by dataset a vector.
    /// </summary>
    public Action<ulong, Dataset, VersionVector>? Acknowledged { get; init; }

    public async Task<FolderResult> RunAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<FolderFile> files = List();
        ReadNew(files, cancellationToken);
        while (JoinReady(cancellationToken))
        {
        }

        foreach (Dataset dataset in _touched) await dataset.FlushAsync(cancellationToken).ConfigureAwait(false);
        TellAcknowledged();
        await WriteAsync(cancellationToken).ConfigureAwait(false);
        RemoveOld(files);
        progress?.Report(1);
        return Sum();
    }

    private IReadOnlyList<FolderFile> List()
    {
        try
        {
            return folder.Files.List(_path);
        }
        catch (Exception e) when (FolderErrors.IsOfDisk(e))
        {
            throw FolderErrors.Unreadable(folder.Path, e);
        }
    }

    /// <summary>Reads files that are new or changed, in the order of their names, which is mostly that of the chains.</summary>
    private void ReadNew(IReadOnlyList<FolderFile> files, CancellationToken cancellationToken)
    {
        var shared = files.Where(static file => FolderNames.IsShared(file.Path)).ToDictionary(static file => file.Path);
        foreach (string gone in memory.Entries.Keys.Where(path => !shared.ContainsKey(path)).ToList())
            memory.Entries.Remove(gone);
        List<FolderFile> news = shared.Values.Where(IsNew)
            .OrderBy(static file => Path.GetFileName(file.Path), StringComparer.Ordinal).ToList();
        long all = Math.Max(1, news.Sum(static file => file.Size)), done = 0;
        foreach (FolderFile file in news)
        {
            cancellationToken.ThrowIfCancellationRequested();
            memory.Entries.Remove(file.Path);
            if (Read(file) is { } entry) memory.Entries[file.Path] = entry;
            done += file.Size;
            progress?.Report(0.9 * done / all);
        }
    }

    private bool IsNew(FolderFile file) => !memory.Entries.TryGetValue(file.Path, out FolderEntry? entry)
        || entry.File != file || (entry.HasFailed && entry.RetriesAt <= _now);

    /// <summary>Reads one file and merges what can be merged; null if the disk did not give it.</summary>
    private FolderEntry? Read(FolderFile file)
    {
        var entry = new FolderEntry(file) { RetriesAt = _now + _retryAfter.Ticks };
        if (file.Size > context.Limits.FrameBytesMax)
        {
            entry.Failure = new SyncException(SyncErrorCode.LimitExceeded, $"The file has {file.Size:N0} bytes; "
                + $"{context.Limits.FrameBytesMax:N0} are allowed. Raise FrameLimits.FrameBytesMax to take it.");
            return entry;
        }

        if (ReadBytes(file) is not { } bytes) return null;
        try
        {
            Take(entry, bytes, joins: true);
        }
        catch (SyncException e) when (!IsOfStore(e))
        {
            entry.Frames.Clear();
            entry.Failure = e;
        }

        return entry;
    }

    private byte[]? ReadBytes(FolderFile file)
    {
        try
        {
            byte[] bytes = folder.Files.Read(file.Path);
            _filesRead++;
            _bytesRead += bytes.Length;
            return bytes;
        }
        catch (Exception e) when (FolderErrors.IsOfDisk(e))
        {
            _skipped.Add(new SkippedFile(NameOf(file.Path), new SyncException(SyncErrorCode.StorageFailed,
                $"It cannot be read now: {e.Message} The next round tries again.", innerException: e)));
            return null;
        }
    }

    /// <summary>Checks every frame of a file before the first is merged.</summary>
    private void Take(FolderEntry entry, byte[] bytes, bool joins)
    {
        (string owner, List<ReadOnlyMemory<byte>> frames) =
            FrameReader.ReadBundle(bytes, context.Limits, out BundleHeader? header);
        if (owner != identity.Id.ToString())
            throw new SyncException(SyncErrorCode.Unauthorized, $"The file belongs to identity {owner}, the folder it lies "
                + $"in to {identity.Id}. Move it to the folder of its own identity.");
        var decoded = new List<DecodedFrame>(frames.Count);
        try
        {
            foreach (ReadOnlyMemory<byte> frame in frames)
            {
                decoded.Add(FrameReader.Read(frame, context.Limits));
                if (decoded[^1].Type == FrameType.Stored
                    || decoded.FindIndex(other => other.Dataset == decoded[^1].Dataset) != decoded.Count - 1)
                    throw new SyncException(SyncErrorCode.Malformed,
                        "A bundle holds one delta or snapshot for each of its datasets. Nothing was merged.", 0);
            }

            entry.Header = header;
            foreach (DecodedFrame frame in decoded)
            {
                FolderFrame remembered = FolderFrame.Of(frame);
                entry.Frames.Add(remembered);
                if (joins) Join(remembered, frame);
                else remembered.NoteJoined(identity.OpenForJoin(frame.Dataset));
            }
        }
        finally
        {
            foreach (DecodedFrame frame in decoded) frame.Dispose();
        }
    }

    private void Join(FolderFrame remembered, DecodedFrame frame)
    {
        try
        {
            Dataset dataset = identity.OpenForJoin(frame.Dataset);
            long missing = Missing(remembered.To, dataset.CurrentVersion);
            JoinOutcome outcome = dataset.JoinDecoded(frame).Outcome;
            if (outcome == JoinOutcome.Gap) return;
            remembered.NoteJoined(dataset);
            if (outcome != JoinOutcome.Joined) return;
            _touched.Add(dataset);
            _changesReceived += missing;
        }
        catch (SyncException e) when (!IsOfStore(e))
        {
            remembered.Failure = e;
        }
    }

    /// <summary>Reads again what waited for changes that came meanwhile; returns whether there was any.</summary>
    private bool JoinReady(CancellationToken cancellationToken)
    {
        bool moved = false;
        foreach (FolderEntry entry in InOrder(memory.Entries.Values).ToList())
        {
            if (entry.Failure is not null || !entry.Frames.Exists(IsReady)) continue;
            cancellationToken.ThrowIfCancellationRequested();
            if (ReadBytes(entry.File) is not { } bytes) continue;
            var again = new FolderEntry(entry.File) { RetriesAt = _now + _retryAfter.Ticks };
            memory.Entries[entry.File.Path] = again;
            try
            {
                Take(again, bytes, joins: true);
                moved |= !again.Frames.Exists(IsReady);
            }
            catch (SyncException e) when (!IsOfStore(e))
            {
                again.Frames.Clear();
                again.Failure = e;
            }
        }

        return moved;
    }

    private bool IsReady(FolderFrame frame)
    {
        if (frame.Failure is not null) return false;
        Dataset dataset;
        try
        {
            dataset = identity.OpenForJoin(frame.Dataset);
        }
        catch (SyncException e) when (e.Code == SyncErrorCode.LimitExceeded)
        {
            frame.Failure = e;
            return false;
        }

        return !frame.IsJoinedInto(dataset) && frame.Base.IsAtMost(dataset.CurrentVersion);
    }

    private void TellAcknowledged()
    {
        if (Acknowledged is null) return;
        foreach (var others in memory.Entries.Values.Where(entry => entry.Header is { } header && header.Tag != context.Tag)
            .GroupBy(static entry => entry.Header!.Value.Tag))
        {
            var cover = new FolderCover(others);
            foreach (string name in identity.DatasetNames)
                if (cover[name].Count > 0) Acknowledged(others.Key, identity.OpenForJoin(name), cover[name]);
        }
    }

    private FolderResult Sum()
    {
        foreach (FolderEntry entry in InOrder(memory.Entries.Values))
        {
            SyncException? failure = entry.Failure
                ?? entry.Frames.Find(static frame => frame.Failure is not null)?.Failure;
            if (failure is not null) _skipped.Add(new SkippedFile(NameOf(entry.File.Path), failure));
        }

        return new FolderResult
        {
            Identity = identity.Id,
            FilesRead = _filesRead,
            FilesWritten = _filesWritten,
            FilesRemoved = _filesRemoved,
            BytesRead = _bytesRead,
            BytesWritten = _bytesWritten,
            ChangesReceived = _changesReceived,
            ChangesSent = _changesSent,
            Skipped = _skipped,
            Waiting = memory.Entries.Values.Where(static entry => entry.Failure is null)
                .SelectMany(static entry => entry.Frames)
                .Where(static frame => frame.Failure is null && !frame.WasJoined).Select(static frame => frame.Dataset)
                .Distinct(StringComparer.Ordinal).OrderBy(static name => name, StringComparer.Ordinal).ToList(),
        };
    }

    private string NameOf(string path) => path.StartsWith(folder.Path, StringComparison.Ordinal)
        ? path[folder.Path.Length..].TrimStart('/', '\\') : path;

    private static IEnumerable<FolderEntry> InOrder(IEnumerable<FolderEntry> entries) => entries
        .OrderBy(static entry => entry.Header?.Tag ?? 0).ThenBy(static entry => entry.Header?.Chain ?? 0)
        .ThenBy(static entry => entry.Sequence).ThenBy(static entry => entry.File.Path, StringComparer.Ordinal);

    /// <summary>How many changes the one has that the other lacks.</summary>
    private static long Missing(VersionVector one, VersionVector other)
    {
        long missing = 0;
        foreach (Dot dot in one.Span) missing += Math.Max(0, dot.Counter - other[dot.Replica]);
        return missing;
    }

    /// <summary>Whether the store itself is in trouble, so that no other file can help.</summary>
    private static bool IsOfStore(SyncException e) => e.Code is SyncErrorCode.StorageFailed or SyncErrorCode.StorageFull;
}
