using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Wire;

namespace SyncEngine.Sync;

internal sealed partial class FolderRound
{
    /// <summary>A chain of so many files is replaced by a new one.</summary>
    internal const int ChainFilesMax = 64;

    /// <summary>A chain's deltas may take so many bytes, or as many as its start.</summary>
    internal const long DeltaBytesMax = 256 * 1024;

    /// <summary>A file takes no further frame from here on.</summary>
    private const long FileBytesMax = 16 * 1024 * 1024;

    private const long TicksPerMillisecond = TimeSpan.TicksPerMillisecond;

    /// <summary>A store that only reads tells once in so long what it has.</summary>
    private static readonly TimeSpan _acknowledgesAfter = TimeSpan.FromDays(1);

    private static readonly TimeSpan _temporaryAge = TimeSpan.FromDays(1);

    /// <summary>
    /// Writes what the folder lacks, as a delta since the own chain's last file, so that the chain alone is a whole copy.
    /// What others' files hold already is not worth a file, but goes with the next one.
    /// </summary>
    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        List<FolderEntry> own = Own();
        List<FolderEntry> chain = Newest(own);
        var ofChain = new FolderCover(chain);
        var ofFolder = new FolderCover(memory.Entries.Values);
        List<Dataset> datasets = identity.DatasetNames.Select(identity.OpenForJoin).ToList();
        bool isStart = chain.Count == 0;
        long nowMilliseconds = _now / TicksPerMillisecond - UnixEpochMilliseconds;
        long last = own.Count == 0 ? 0 : own.Max(static entry => entry.Header!.Value.Time);
        bool lags = datasets.Exists(dataset => dataset.HasMoreThan(ofChain[dataset.Name]));
        bool hasNews = datasets.Exists(dataset => dataset.HasMoreThan(ofFolder[dataset.Name]));
        bool isLate = isStart || nowMilliseconds - last > _acknowledgesAfter.TotalMilliseconds;
        bool isFirst = !memory.Entries.Values.Any(static entry => entry.Failure is null);
        if (!hasNews && !(lags && isLate) && !isFirst) return;

        isStart |= IsLong(chain);
        var place = new BundleHeader(
            context.Tag, isStart ? context.Random.NextNonZero() : chain[0].Header!.Value.Chain,
            isStart ? 1 : chain.Max(static entry => entry.Sequence) + 1,
            Math.Max(nowMilliseconds, last + 1));
        var frames = new List<byte[]>();
        long bytes = 0;
        foreach (Dataset dataset in datasets)
        {
            VersionVector since = isStart ? VersionVector.Empty : ofChain[dataset.Name];
            if (!dataset.HasMoreThan(since)) continue;
            if (await EncodeAsync(dataset, since, cancellationToken).ConfigureAwait(false) is not { } frame) continue;
            frames.Add(frame);
            bytes += frame.Length;
            if (bytes < FileBytesMax) continue;
            Write(frames, place, ofFolder);
            frames.Clear();
            bytes = 0;
            place = place with { Sequence = place.Sequence + 1, Time = place.Time + 1 };
        }

        if (frames.Count > 0 || place.Sequence == 1) Write(frames, place, ofFolder);
    }

    private static long UnixEpochMilliseconds => DateTime.UnixEpoch.Ticks / TicksPerMillisecond;

    private async Task<byte[]?> EncodeAsync(Dataset dataset, VersionVector since, CancellationToken cancellationToken)
    {
        try
        {
            return await dataset.DeltaAsync(since, packs: true, cancellationToken).ConfigureAwait(false);
        }
        catch (SyncException e) when (!IsOfStore(e))
        {
            // One damaged dataset keeps no other from going.
            _skipped.Add(new SkippedFile($"dataset {dataset.Name}", e));
            return null;
        }
    }

    /// <summary>Writes under a hidden name, flushes, and renames: others see the file whole, or not at all.</summary>
    private void Write(List<byte[]> frames, BundleHeader place, FolderCover known)
    {
        byte[] bytes = FrameWriter.WriteBundle(identity.Id.ToString(), frames, place);
        string name = FolderNames.Of(place.Tag, place.Chain, place.Sequence, context.Random.NextNonZero());
        string target = Path.Combine(_path, name), temporary = Path.Combine(_path, FolderNames.TemporaryOf(name));
        FolderEntry entry;
        try
        {
            folder.Files.CreateFolder(_path);
            folder.Files.WriteDurably(temporary, bytes);
            folder.Files.Move(temporary, target);
            entry = new FolderEntry(folder.Files.Find(target));
        }
        catch (Exception e) when (FolderErrors.IsOfDisk(e))
        {
            TryDelete(temporary);
            throw FolderErrors.Unwritable(folder.Path, e);
        }

        Take(entry, bytes, joins: false);
        memory.Entries[entry.File.Path] = entry;
        _filesWritten++;
        _bytesWritten += bytes.Length;
        foreach (FolderFrame frame in entry.Frames) _changesSent += Missing(frame.To, known[frame.Dataset]);
    }

    /// <summary>
    /// Removes own files of older chains of which the newest chain holds everything, also those that an earlier run left,
    /// and temporary files that it left a day ago.
    /// </summary>
    private void RemoveOld(IReadOnlyList<FolderFile> files)
    {
        List<FolderEntry> own = Own();
        List<FolderEntry> chain = Newest(own);
        var held = new FolderCover(chain);
        foreach (FolderEntry entry in own.Except(chain))
        {
            bool isNeedless = !entry.HasFailed && entry.Frames.TrueForAll(static frame => frame.WasJoined)
                && held.Holds(entry);
            if (!isNeedless || !TryDelete(entry.File.Path)) continue;
            memory.Entries.Remove(entry.File.Path);
            _filesRemoved++;
        }

        foreach (FolderFile file in files)
            if (FolderNames.IsTemporaryOf(file.Path, context.Tag) && _now - file.Time > _temporaryAge.Ticks)
                TryDelete(file.Path);
    }

    private bool TryDelete(string path)
    {
        try
        {
            folder.Files.Delete(path);
            return true;
        }
        catch (Exception e) when (FolderErrors.IsOfDisk(e))
        {
            // It takes room and does no harm; the next round tries again.
            return false;
        }
    }

    private List<FolderEntry> Own() => InOrder(memory.Entries.Values)
        .Where(entry => entry.Failure is null && entry.Header is { } header && header.Tag == context.Tag).ToList();

    /// <summary>The files of the chain that was begun last; copies of one store that see the same files agree on it.</summary>
    private static List<FolderEntry> Newest(List<FolderEntry> own) => own
        .GroupBy(static entry => entry.Header!.Value.Chain)
        .OrderByDescending(static chain => chain.Min(static entry => entry.Header!.Value.Time))
        .ThenByDescending(static chain => chain.Key).FirstOrDefault()?.ToList() ?? [];

    private static bool IsLong(List<FolderEntry> chain)
    {
        long deltas = chain.Where(static entry => !entry.IsWhole).Sum(static entry => entry.File.Size);
        long starts = chain.Where(static entry => entry.IsWhole).Sum(static entry => entry.File.Size);
        return chain.Count >= ChainFilesMax || deltas > Math.Max(DeltaBytesMax, starts);
    }
}
