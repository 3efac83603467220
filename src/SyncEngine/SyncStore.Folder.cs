using System.Buffers.Binary;
using System.IO.Hashing;
using SyncEngine.Causality;
using SyncEngine.Identities;
using SyncEngine.Sync;
using SyncEngine.Wire;

namespace SyncEngine;

public sealed partial class SyncStore
{
    private readonly SemaphoreSlim _folderRound = new(1, 1);
    private readonly Dictionary<(string Path, IdentityId Identity), FolderMemory> _folderMemories = [];

    /// <summary>
    /// One round with a shared folder: merges what other stores of the current identity wrote there, makes it durable, and
    /// writes what is new here. A round over an unchanged folder reads no file.
    /// </summary>
    /// <param name="folder">The folder, which must be there.</param>
    /// <param name="progress">Told of how far it is, from 0 to 1.</param>
    /// <param name="cancellationToken">Breaks the round off; what was merged stays.</param>
    /// <exception cref="SyncException">
    /// The folder is missing, cannot be read or written, or is full (StorageFailed, StorageFull): nothing is lost and the
    /// next round goes on. Or it holds the files of others only (Unauthorized): nothing was merged or written.
    /// </exception>
    public async Task<FolderResult> SynchronizeAsync(
        SyncFolder folder, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        await _folderRound.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // The disk of the folder may be slow: never on the caller's thread.
            return await Task.Run(() => RunRound(folder, progress, cancellationToken), cancellationToken)
                .ConfigureAwait(false);
        }
        finally
        {
            _folderRound.Release();
        }
    }

    /// <summary>
    /// Keeps the store and a shared folder the same until the link is disposed. Failures, such as an unplugged drive, show
    /// in its status and are tried again. Dispose it before the store.
    /// </summary>
    public SyncFolderLink Watch(SyncFolder folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        return new SyncFolderLink(folder, cancellationToken => SynchronizeAsync(folder, null, cancellationToken),
            () => Identity.Opened.Sum(static dataset => dataset.DurableRevision) + Identity.Opened.Count,
            _context.ObserverFailed);
    }

    /// <summary>
    /// What the store that made a bundle had when it made it, of the datasets in the bundle: pass it to
    /// <see cref="ExportAsync"/> to send that store back only what it lacks.
    /// </summary>
    /// <exception cref="SyncException">The bundle is malformed.</exception>
    public static IReadOnlyDictionary<string, VersionVector> ReadBundleVersions(ReadOnlyMemory<byte> bundle)
    {
        var limits = new FrameLimits();
        var versions = new Dictionary<string, VersionVector>(StringComparer.Ordinal);
        foreach (ReadOnlyMemory<byte> frame in FrameReader.ReadBundle(bundle, limits).Frames)
        {
            using DecodedFrame decoded = FrameReader.Read(frame, limits);
            versions[decoded.Dataset] = FolderFrame.Of(decoded).To;
        }

        return versions;
    }

    private async Task<FolderResult> RunRound(
        SyncFolder folder, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        (Identity identity, List<IdentityId> others, bool hasAdopted) =
            await ResolveAsync(folder, cancellationToken).ConfigureAwait(false);
        if (!_folderMemories.TryGetValue((folder.Path, identity.Id), out FolderMemory? memory))
            _folderMemories[(folder.Path, identity.Id)] = memory = new FolderMemory();
        var context = new FolderContext(FolderTag(), _context.Time, _context.Random, _context.FrameLimits);
        var round = new FolderRound(identity, folder, memory, context, progress);
        FolderResult result = await round.RunAsync(cancellationToken).ConfigureAwait(false);
        if (result.IsComplete) identity.NoteSync();
        return result with { HasAdopted = hasAdopted, OtherIdentities = others };
    }

    /// <summary>Whose files the round is about; pairs the identity, for from now on it is shared.</summary>
    private async Task<(Identity Identity, List<IdentityId> Others, bool HasAdopted)> ResolveAsync(
        SyncFolder folder, CancellationToken cancellationToken)
    {
        await _changingIdentity.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Identity identity = Identity;
            List<IdentityId> present = FolderIdentities(folder);
            bool adopts = present.Count > 0 && !present.Contains(identity.Id) && MustAdopt(folder, identity, present);
            await Adopt(identity, adopts ? present[0] : identity.Id).ConfigureAwait(false);
            present.Remove(identity.Id);
            return (identity, present, adopts);
        }
        finally
        {
            _changingIdentity.Release();
        }
    }

    /// <summary>Whether the guest takes the one identity that the folder has; false: it begins its own beside.</summary>
    private bool MustAdopt(SyncFolder folder, Identity identity, List<IdentityId> present)
    {
        string names = string.Join(", ", present);
        if (!folder.Adopts)
        {
            if (identity.IsPaired || present.Count > 1) return false;
            throw new SyncException(SyncErrorCode.Unauthorized, $"The folder {folder.Path} belongs to identity {names}; "
                + $"this file is a guest, {identity.Id}, that never synced. If both are one person's, let it adopt the "
                + "folder's identity (SyncFolder.Adopts; --adopt on the command line); otherwise choose another folder.");
        }

        if (present.Count > 1)
            throw new SyncException(SyncErrorCode.Unauthorized, $"The folder {folder.Path} holds several identities: "
                + $"{names}. Choose one with AdoptIdentityAsync, or sync once with a device that has it.");
        if (identity.IsPaired)
            throw new SyncException(SyncErrorCode.Unauthorized, $"The folder {folder.Path} belongs to identity {names}, "
                + $"and this file to {identity.Id}, which has synced as such: merging them would mix the data of two "
                + "people. Use another folder, or do not ask to adopt.");
        if (!HasSoundFile(folder, present[0]))
            throw new SyncException(SyncErrorCode.Unauthorized, $"The folder {folder.Path} names identity {names}, but no "
                + "file of it has arrived whole yet. Wait until the folder is synced, and try again.");
        return true;
    }

    private static List<IdentityId> FolderIdentities(SyncFolder folder)
    {
        var present = new List<IdentityId>();
        try
        {
            if (!folder.Files.FolderExists(folder.Path)) throw FolderErrors.Missing(folder.Path);
            foreach (string name in folder.Files.ListFolders(folder.Path).OrderBy(static n => n, StringComparer.Ordinal))
            {
                if (!TryParse(name, out IdentityId id)) continue;
                IReadOnlyList<FolderFile> files = folder.Files.List(Path.Combine(folder.Path, name));
                if (files.Any(static file => FolderNames.IsShared(file.Path))) present.Add(id);
            }
        }
        catch (Exception e) when (FolderErrors.IsOfDisk(e))
        {
            throw FolderErrors.Unreadable(folder.Path, e);
        }

        return present;
    }

    private static bool TryParse(string name, out IdentityId id)
    {
        id = default;
        if (name.Length != 32 || !name.All(static c => c is (>= '0' and <= '9') or (>= 'a' and <= 'f'))) return false;
        id = IdentityId.Parse(name);
        return true;
    }

    private bool HasSoundFile(SyncFolder folder, IdentityId id)
    {
        foreach (FolderFile file in folder.Files.List(Path.Combine(folder.Path, id.ToString())))
        {
            if (!FolderNames.IsShared(file.Path) || file.Size > _context.FrameLimits.FrameBytesMax) continue;
            try
            {
                (string owner, _) = FrameReader.ReadBundle(folder.Files.Read(file.Path), _context.FrameLimits);
                if (owner == id.ToString()) return true;
            }
            catch (Exception e) when (e is SyncException || FolderErrors.IsOfDisk(e))
            {
                // Half of it is here, or another program has it open: another file may do.
            }
        }

        return false;
    }

    /// <summary>Names the file that the store lives in: copies that took a new claim differ.</summary>
    private ulong FolderTag()
    {
        Span<byte> bytes = stackalloc byte[24];
        FileId.TryWriteBytes(bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], _context.Claim);
        return XxHash3.HashToUInt64(bytes);
    }
}
