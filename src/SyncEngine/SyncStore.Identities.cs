using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Identities;
using SyncEngine.Wire;

namespace SyncEngine;

public sealed partial class SyncStore
{
    /// <summary>
    /// For each dataset of the current identity what is here and durable: tell it to another store to get what is
    /// missing.
    /// Opens every dataset.
    /// </summary>
    public IReadOnlyDictionary<string, VersionVector> GetVersions()
    {
        var versions = new Dictionary<string, VersionVector>(StringComparer.Ordinal);
        foreach (string name in Identity.DatasetNames) versions.Add(name, Identity.OpenForJoin(name).Version);
        return versions;
    }

    /// <summary>Mints another guest in the file, without switching to it.</summary>
    public async ValueTask<Identity> CreateIdentityAsync()
    {
        Identity identity = Mint();
        if (_journal is not null)
        {
            _ = _journal.SetMetadata(identity.Page, identity.Encode());
            await WritePage().ConfigureAwait(false);
        }

        return identity;
    }

    /// <summary>Switches to another identity of the file. Datasets of the one before are made durable and
    /// closed.</summary>
    /// <exception cref="ArgumentException">The file has no such identity.</exception>
    public async ValueTask SwitchIdentityAsync(IdentityId id)
    {
        Identity target = Identities.FirstOrDefault(identity => identity.Id == id)
            ?? throw new ArgumentException($"The file has no identity {id}; see Identities.", nameof(id));
        if (target == Identity) return;
        if (_journal is not null) await PutAway(Identity).ConfigureAwait(false);
        await MakeCurrent(target).ConfigureAwait(false);
    }

    /// <summary>
    /// Removes an identity with all its datasets and its device key from this file. What was never exchanged is lost:
    /// export it
    /// first. Wiping the current identity switches to another one, or to a new guest.
    /// </summary>
    /// <exception cref="ArgumentException">The file has no such identity.</exception>
    public async ValueTask WipeIdentityAsync(IdentityId id)
    {
        Identity identity;
        lock (_catalog)
        {
            identity = _identities.Values.FirstOrDefault(candidate => candidate.Id == id)
                ?? throw new ArgumentException($"The file has no identity {id}; see Identities.", nameof(id));
            _identities.Remove(identity.Page);
        }

        foreach (Dataset dataset in identity.Opened)
        {
            _journal?.Drop(dataset.Number, dataset);
            dataset.Discard();
        }

        foreach (int number in identity.StoredNumbers) _journal?.Drop(number, null);
        identity.Close();
        Task wiped = _journal?.SetMetadata(identity.Page, null) ?? Task.CompletedTask;
        if (identity == Identity)
        {
            Identity next = Identities.Count > 0 ? Identities[0] : await CreateIdentityAsync().ConfigureAwait(false);
            await MakeCurrent(next).ConfigureAwait(false);
        }

        await wiped.ConfigureAwait(false);
    }

    /// <summary>
    /// Pairs this file with another: the current guest, which never exchanged anything, takes the other identity's id
    /// and keeps
    /// its datasets, which then merge.
    /// </summary>
    /// <exception cref="SyncException">
    /// The current identity was paired with another one before, so that two people's data would mix (Unauthorized).
    /// </exception>
    public async ValueTask AdoptIdentityAsync(IdentityId id)
    {
        if (Identity.Id != id && Identity.IsPaired)
            throw new SyncException(SyncErrorCode.Unauthorized, $"This file belongs to identity {Identity.Id} and was "
                + $"exchanged as such; it cannot become {id}. Create another identity in it, or use a fresh file.");
        if (Identity.Id != id && Identities.Any(other => other.Id == id))
            throw new SyncException(SyncErrorCode.Unauthorized,
                $"The file already holds identity {id}: switch to it instead.");
        await Identity.Pair(id).ConfigureAwait(false);
    }

    /// <summary>
    /// What another store of the same identity lacks, as one bundle of deltas: bytes to send over anything. Marks the
    /// identity
    /// as paired.
    /// </summary>
    /// <param name="since">The other store's versions by dataset; null for all.</param>
    /// <param name="packs">Whether to pack with Brotli.</param>
    /// <param name="cancellationToken">Ends the wait for durability.</param>
    public async ValueTask<byte[]> ExportAsync(
        IReadOnlyDictionary<string, VersionVector>? since = null, bool packs = false,
        CancellationToken cancellationToken = default)
    {
        var frames = new List<byte[]>();
        foreach (string name in Identity.DatasetNames)
        {
            Dataset dataset = Identity.OpenForJoin(name);
            VersionVector known = VersionVector.Empty;
            if (since is not null && since.TryGetValue(name, out VersionVector? told)) known = told;
            if (dataset.Revision > 0 && (known.Count == 0 || !dataset.Version.IsAtMost(known)))
                frames.Add(await dataset.DeltaAsync(known, packs, cancellationToken).ConfigureAwait(false));
        }

        await Identity.Pair(Identity.Id).ConfigureAwait(false);
        return FrameWriter.WriteBundle(Identity.Id.ToString(), frames);
    }

    /// <summary>
    /// Merges a bundle from another store of the same identity and completes when it is durable. Every frame is
    /// checked before
    /// the first is merged.
    /// </summary>
    /// <exception cref="SyncException">The bundle is malformed, or belongs to another identity. Nothing
    /// changed.</exception>
    public async ValueTask<ApplyResult> ApplyAsync(
        ReadOnlyMemory<byte> bundle, CancellationToken cancellationToken = default)
    {
        (string identity, List<ReadOnlyMemory<byte>> frames) = FrameReader.ReadBundle(bundle, _context.FrameLimits);
        if (identity != Identity.Id.ToString())
            throw new SyncException(SyncErrorCode.Unauthorized, $"The bundle belongs to identity {identity}, this file to "
                + $"{Identity.Id}. Pair them first with AdoptIdentityAsync, if they are one person's.");
        var names = new List<string>();
        foreach (ReadOnlyMemory<byte> frame in frames)
        {
            using DecodedFrame decoded = FrameReader.Read(frame, _context.FrameLimits);
            if (decoded.Type is not (FrameType.Delta or FrameType.Snapshot))
                throw new SyncException(SyncErrorCode.Malformed, "A bundle holds deltas and snapshots only.", 0);
            names.Add(decoded.Dataset);
        }

        var outcomes = new Dictionary<string, JoinOutcome>(StringComparer.Ordinal);
        for (int i = 0; i < frames.Count; i++)
        {
            Dataset dataset = Identity.OpenForJoin(names[i]);
            outcomes[names[i]] = (await dataset.JoinAsync(frames[i], cancellationToken).ConfigureAwait(false)).Outcome;
        }

        await Identity.Pair(Identity.Id).ConfigureAwait(false);
        return new ApplyResult(outcomes);
    }

    /// <summary>
    /// Whose bundle it is, without merging it: adopt that identity before <see cref="ApplyAsync"/> where the file still belongs
    /// to an unpaired guest.
    /// </summary>
    /// <exception cref="SyncException">The bundle is malformed.</exception>
    public static IdentityId ReadBundleIdentity(ReadOnlyMemory<byte> bundle)
    {
        (string identity, _) = FrameReader.ReadBundle(bundle, new FrameLimits());
        try
        {
            return IdentityId.Parse(identity);
        }
        catch (FormatException e)
        {
            throw new SyncException(SyncErrorCode.Malformed, $"The bundle names no identity: {e.Message}", 0, e);
        }
    }

    private Identity Mint()
    {
        lock (_catalog)
        {
            int number = _page.NextIdentity;
            _page = _page with { NextIdentity = number + 1 };
            var identity = new Identity(number, Identity.MintGuest(), _context, NextDatasetNumber);
            _identities.Add(number, identity);
            Identity ??= identity;
            return identity;
        }
    }

    private async Task MintFirst()
    {
        Identity identity = Mint();
        _ = _journal!.SetMetadata(identity.Page, identity.Encode());
        await WritePage(claimsFile: true).ConfigureAwait(false);
    }

    private void ReadIdentities(IReadOnlyDictionary<int, byte[]> pages, string name)
    {
        int highest = 0;
        foreach (KeyValuePair<int, byte[]> page in pages)
        {
            if (page.Key == 0) continue;
            IdentityPage content = CatalogCodec.ReadIdentity(page.Value, name);
            foreach (KeyValuePair<string, int> dataset in content.Datasets) highest = Math.Max(highest, dataset.Value);
            _identities.Add(page.Key, new Identity(page.Key, content, _context, NextDatasetNumber));
        }

        // Numbers are handed out in memory and stored with the first write, so the page may lag behind.
        _page = _page with { NextDataset = Math.Max(_page.NextDataset, highest + 1) };
        if (!_identities.TryGetValue(_page.CurrentIdentity, out Identity? current))
            throw new SyncException(SyncErrorCode.Damaged, $"{name} lacks its current identity. Restore a backup, or start a "
                + "new file and sync. The file was not changed.");
        Identity = current;
    }

    private int NextDatasetNumber()
    {
        lock (_catalog)
        {
            int number = _page.NextDataset;
            _page = _page with { NextDataset = number + 1 };
            return number;
        }
    }

    private async Task MakeCurrent(Identity identity)
    {
        lock (_catalog) _page = _page with { CurrentIdentity = identity.Page };
        Identity = identity;
        await WritePage().ConfigureAwait(false);
    }

    /// <summary>Makes an identity's datasets durable and closes them; they are read anew when it is current again.</summary>
    private async Task PutAway(Identity identity)
    {
        IReadOnlyList<Dataset> opened = identity.Opened;
        identity.Close();

        // Closed first, so that no write can slip in between what is flushed and what is read anew later.
        foreach (Dataset dataset in opened) await dataset.FlushAsync().ConfigureAwait(false);
        IdentityPage page = CatalogCodec.ReadIdentity(identity.Encode(), "memory");
        lock (_catalog)
            _identities[identity.Page] = new Identity(identity.Page, page, _context, NextDatasetNumber);
    }

    private Task WritePage(bool claimsFile = false)
    {
        if (_journal is null) return Task.CompletedTask;
        lock (_catalog) return _journal.SetMetadata(0, CatalogCodec.Write(_page), claimsFile);
    }
}
