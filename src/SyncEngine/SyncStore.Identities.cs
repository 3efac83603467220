using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;
using SyncEngine.Identities;
using SyncEngine.Storage;
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
        Identity identity = Identity;
        var versions = new Dictionary<string, VersionVector>(StringComparer.Ordinal);
        foreach (string name in identity.DatasetNames) versions.Add(name, identity.OpenForJoin(name).Version);
        return versions;
    }

    /// <summary>Mints another guest in the file, without switching to it.</summary>
    public async ValueTask<Identity> CreateIdentityAsync()
    {
        Identity identity = Mint();
        if (_journal is not null)
        {
            await WritePage(false, (identity.Page, identity.Encode())).ConfigureAwait(false);
        }

        return identity;
    }

    /// <summary>Switches to another identity of the file. Datasets of the one before are made durable and
    /// closed.</summary>
    /// <exception cref="ArgumentException">The file has no such identity.</exception>
    public async ValueTask SwitchIdentityAsync(IdentityId id)
    {
        await _changingIdentity.WaitAsync().ConfigureAwait(false);
        try
        {
            Identity target = Identities.FirstOrDefault(identity => identity.Id == id)
                ?? throw new ArgumentException($"The file has no identity {id}; see Identities.", nameof(id));
            if (target == Identity) return;
            if (_journal is not null) await PutAway(Identity, _journal).ConfigureAwait(false);
            lock (_catalog) _page = _page with { CurrentIdentity = target.Page };
            Identity = target;
            await WritePage(false).ConfigureAwait(false);
        }
        finally
        {
            _changingIdentity.Release();
        }

        RestartLinks();
    }

    /// <summary>
    /// Removes an identity with all its datasets and its device key from this file. What was never exchanged is lost:
    /// export it
    /// first. Wiping the current identity switches to another one, or to a new guest.
    /// </summary>
    /// <exception cref="ArgumentException">The file has no such identity.</exception>
    public async ValueTask WipeIdentityAsync(IdentityId id)
    {
        await _changingIdentity.WaitAsync().ConfigureAwait(false);
        try
        {
            Identity wiped;
            lock (_catalog)
            {
                wiped = _identities.Values.FirstOrDefault(candidate => candidate.Id == id)
                    ?? throw new ArgumentException($"The file has no identity {id}; see Identities.", nameof(id));
                _identities.Remove(wiped.Page);
            }

            foreach (Dataset dataset in wiped.Opened) dataset.Discard();
            foreach (int number in wiped.StoredNumbers) _journal?.Drop(number, null, Dataset.RowPrefixesOf(number));
            wiped.Close();
            Identity current = wiped != Identity ? Identity : Identities.Count > 0 ? Identities[0] : Mint();
            lock (_catalog) _page = _page with { CurrentIdentity = current.Page };
            Identity = current;

            // Together, so that no crash leaves a file whose current identity is gone.
            await WritePage(false, (wiped.Page, null), (current.Page, current.Encode())).ConfigureAwait(false);
        }
        finally
        {
            _changingIdentity.Release();
        }

        RestartLinks();
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
        await _changingIdentity.WaitAsync().ConfigureAwait(false);
        try
        {
            await Adopt(Identity, id).ConfigureAwait(false);
        }
        finally
        {
            _changingIdentity.Release();
        }
    }

    /// <summary>
    /// What another store of the same identity lacks, as one bundle of deltas: bytes to send over anything. It holds
    /// everything written before the call, and is handed out once that is durable here.
    /// </summary>
    /// <param name="since">
    /// The other store's versions by dataset; null for all. Naming a version marks the identity as paired.
    /// </param>
    /// <param name="packs">Whether to pack with Brotli.</param>
    /// <param name="cancellationToken">Ends the wait for durability.</param>
    public async ValueTask<byte[]> ExportAsync(
        IReadOnlyDictionary<string, VersionVector>? since = null, bool packs = false,
        CancellationToken cancellationToken = default)
    {
        Identity identity = Identity;
        var frames = new List<byte[]>();
        foreach (string name in identity.DatasetNames)
        {
            Dataset dataset = identity.OpenForJoin(name);
            VersionVector known = VersionVector.Empty;
            if (since is not null && since.TryGetValue(name, out VersionVector? told)) known = told;
            if (dataset.HasMoreThan(known))
                frames.Add(await dataset.DeltaAsync(known, packs, cancellationToken).ConfigureAwait(false));
        }

        return FrameWriter.WriteBundle(identity.Id.ToString(), frames);
    }

    /// <summary>
    /// Merges a bundle from another store of the same identity and completes when it is durable. Every frame is checked
    /// before the first is merged; datasets that lack what a delta builds on are left as they are.
    /// </summary>
    /// <param name="bundle">What <see cref="ExportAsync"/> made.</param>
    /// <param name="adopts">
    /// Whether a current guest that never exchanged anything takes the bundle's identity, as
    /// <see cref="AdoptIdentityAsync"/> does; it does not if any delta of the bundle leaves a gap.
    /// </param>
    /// <param name="cancellationToken">Ends the wait for durability; what was merged stays.</param>
    /// <exception cref="SyncException">The bundle is malformed, or belongs to another identity. Nothing changed.</exception>
    public async ValueTask<ApplyResult> ApplyAsync(
        ReadOnlyMemory<byte> bundle, bool adopts = false, CancellationToken cancellationToken = default)
    {
        (string owner, List<ReadOnlyMemory<byte>> frames) = FrameReader.ReadBundle(bundle, _context.FrameLimits);
        await _changingIdentity.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Held throughout, so that nothing of one person's lands in the identity that somebody switches to meanwhile.
            Identity identity = Identity;
            bool isForeign = owner != identity.Id.ToString();
            if (isForeign && !adopts)
                throw new SyncException(SyncErrorCode.Unauthorized, $"The bundle belongs to identity {owner}, this file "
                    + $"to {identity.Id}. Pair them first with AdoptIdentityAsync, if they are one person's.");
            List<string> names = CheckFrames(identity, frames, out bool leavesGap);
            if (isForeign && leavesGap)
                return new ApplyResult(names.ToDictionary(static name => name, static _ => JoinOutcome.Gap));
            if (isForeign) await Adopt(identity, ParseIdentity(owner)).ConfigureAwait(false);
            var outcomes = new Dictionary<string, JoinOutcome>(StringComparer.Ordinal);
            for (int i = 0; i < frames.Count; i++)
            {
                Dataset dataset = identity.OpenForJoin(names[i]);
                JoinResult result = await dataset.JoinAsync(frames[i], cancellationToken).ConfigureAwait(false);
                outcomes[names[i]] = result.Outcome;
            }

            await Adopt(identity, identity.Id).ConfigureAwait(false);
            if (!outcomes.ContainsValue(JoinOutcome.Gap)) identity.NoteSync();
            return new ApplyResult(outcomes);
        }
        finally
        {
            _changingIdentity.Release();
        }
    }

    /// <summary>Whose bundle it is, without merging it.</summary>
    /// <exception cref="SyncException">The bundle is malformed.</exception>
    public static IdentityId ReadBundleIdentity(ReadOnlyMemory<byte> bundle) =>
        ParseIdentity(FrameReader.ReadBundle(bundle, new FrameLimits()).Identity);

    private static IdentityId ParseIdentity(string text)
    {
        try
        {
            return IdentityId.Parse(text);
        }
        catch (FormatException e)
        {
            throw new SyncException(SyncErrorCode.Malformed, $"The bundle names no identity: {e.Message}", 0, e);
        }
    }

    /// <summary>Reads every frame of a bundle; returns the names of their datasets.</summary>
    private List<string> CheckFrames(
        Identity identity, List<ReadOnlyMemory<byte>> frames, out bool leavesGap)
    {
        var names = new List<string>();
        leavesGap = false;
        foreach (ReadOnlyMemory<byte> frame in frames)
        {
            using DecodedFrame decoded = FrameReader.Read(frame, _context.FrameLimits);
            if (decoded.Type is not (FrameType.Delta or FrameType.Snapshot) || names.Contains(decoded.Dataset))
                throw new SyncException(SyncErrorCode.Malformed,
                    "A bundle holds one delta or snapshot for each of its datasets. Nothing was merged.", 0);
            names.Add(decoded.Dataset);
            leavesGap |= identity.OpenForJoin(decoded.Dataset).WouldLeaveGap(decoded);
        }

        return names;
    }

    private Identity Mint() => Add(Identity.MintGuest());

    private Identity Add(IdentityPage page)
    {
        lock (_catalog)
        {
            int number = _page.NextIdentity;
            _page = _page with { NextIdentity = number + 1 };
            var identity = new Identity(number, page, _context, HomeOf(number));
            _identities.Add(number, identity);
            Identity ??= identity;
            return identity;
        }
    }

    private async Task MintFirst()
    {
        Identity identity = Mint();
        await WritePage(true, (identity.Page, identity.Encode())).ConfigureAwait(false);
    }

    private void ReadIdentities(IReadOnlyDictionary<int, byte[]> pages, string name)
    {
        int highest = 0;
        foreach (KeyValuePair<int, byte[]> page in pages)
        {
            if (page.Key == 0) continue;
            IdentityPage content = CatalogCodec.ReadIdentity(page.Value, name);
            foreach (KeyValuePair<string, int> dataset in content.Datasets) highest = Math.Max(highest, dataset.Value);
            _identities.Add(page.Key, new Identity(page.Key, content, _context, HomeOf(page.Key)));
        }

        if (_identities.Count == 0)
            throw new SyncException(SyncErrorCode.Damaged, $"{name} holds no identity. Restore a backup, or start a new "
                + "file and sync. The file was not changed.");

        // Numbers are handed out in memory and stored with the first write, so the page may lag behind.
        _page = _page with
        {
            NextDataset = Math.Max(_page.NextDataset, highest + 1),
            NextIdentity = Math.Max(_page.NextIdentity, _identities.Keys.Max() + 1),
        };
        Identity = _identities.TryGetValue(_page.CurrentIdentity, out Identity? current) ? current
            : _identities[_identities.Keys.Min()];
    }

    private IdentityHome HomeOf(int page) => new(
        NextDatasetNumber, bytes => _journal?.SetMetadata(false, (page, bytes)) ?? Task.CompletedTask);

    private int NextDatasetNumber()
    {
        lock (_catalog)
        {
            int number = _page.NextDataset;
            _page = _page with { NextDataset = number + 1 };
            return number;
        }
    }

    private async Task Adopt(Identity identity, IdentityId id)
    {
        if (identity.Id != id && Identities.Any(other => other.Id == id))
            throw new SyncException(SyncErrorCode.Unauthorized,
                $"The file already holds identity {id}: switch to it instead.");
        Task paired = identity.Pair(id);
        _journal?.RunNow();
        await paired.ConfigureAwait(false);
    }

    /// <summary>Makes an identity's datasets durable and closes them; they are read anew when it is current again.</summary>
    private async Task PutAway(Identity identity, Journal journal)
    {
        // A storage that fails now fails the switch before anything is closed.
        IReadOnlyList<Dataset> opened = identity.Opened;
        foreach (Dataset dataset in opened) await dataset.FlushAsync().ConfigureAwait(false);
        identity.Close();

        // Closed, no write can slip in between what is flushed and what is read anew later.
        foreach (Dataset dataset in opened)
        {
            await dataset.FlushAsync().ConfigureAwait(false);
            await journal.ReleaseAsync(dataset).ConfigureAwait(false);
        }

        IdentityPage page = CatalogCodec.ReadIdentity(identity.Encode(), "memory");
        lock (_catalog)
            _identities[identity.Page] = new Identity(identity.Page, page, _context, HomeOf(identity.Page));
    }

    private Task WritePage(bool claimsFile, params ReadOnlySpan<(int Page, byte[]? Bytes)> others)
    {
        if (_journal is null) return Task.CompletedTask;
        Task written;
        lock (_catalog) written = _journal.SetMetadata(claimsFile, [(0, CatalogCodec.Write(_page)), .. others]);
        _journal.RunNow();
        return written;
    }
}
