using SyncEngine.Datasets;
using SyncEngine.Identities;
using SyncEngine.Wire;

namespace SyncEngine;

public sealed partial class SyncStore
{
    private readonly Dictionary<string, byte[]> _memoryRows = new(StringComparer.Ordinal);

    /// <summary>A row that a hub's client keeps in the file; in memory with a store in memory.</summary>
    internal async ValueTask<byte[]?> ReadRowAsync(string key)
    {
        if (_journal is not null) return await _journal.ReadRowAsync(key).ConfigureAwait(false);
        lock (_memoryRows) return _memoryRows.TryGetValue(key, out byte[]? bytes) ? bytes : null;
    }

    /// <summary>Writes a row, or removes it where null; completes when that is durable.</summary>
    internal async Task WriteRowAsync(string key, byte[]? bytes)
    {
        if (_journal is not null)
        {
            Task written = _journal.SetRows([new KeyValuePair<string, byte[]?>(key, bytes)]);
            _journal.RunNow();
            await written.ConfigureAwait(false);
            return;
        }

        lock (_memoryRows)
        {
            if (bytes is null) _memoryRows.Remove(key);
            else _memoryRows[key] = bytes;
        }
    }

    /// <summary>
    /// A hub merged the identity into another one: it becomes that one here too and keeps everything it has. Each step may be
    /// repeated after a crash.
    /// </summary>
    /// <param name="identity">The identity.</param>
    /// <param name="id">What it is from now on.</param>
    /// <param name="beside">What its datasets' names get at the end, where they are to stand beside the other's; null where they
    /// merge.</param>
    internal async Task RebindAsync(Identity identity, IdentityId id, string? beside)
    {
        await _changingIdentity.WaitAsync().ConfigureAwait(false);
        try
        {
            if (beside is not null) await MoveDatasets(identity, identity, beside).ConfigureAwait(false);
            Identity? known = Identities.FirstOrDefault(other => other.Id == id && other != identity);
            if (known is null)
            {
                Task bound = identity.Rebind(id);
                _journal?.RunNow();
                await bound.ConfigureAwait(false);
                return;
            }

            // The file holds that identity already: everything goes there, and what is left here is nothing.
            await MoveDatasets(identity, known, "").ConfigureAwait(false);
            if (identity == Identity)
            {
                lock (_catalog) _page = _page with { CurrentIdentity = known.Page };
                Identity = known;
                await WritePage(false).ConfigureAwait(false);
            }
        }
        finally
        {
            _changingIdentity.Release();
        }

        RestartLinks();
    }

    /// <summary>
    /// A hub took a merge back: this device is its own identity's again, which becomes current with the same device key. What
    /// the file has of the identity before stays in it, under that identity.
    /// </summary>
    internal async Task ReturnToAsync(Identity identity, IdentityId id)
    {
        await _changingIdentity.WaitAsync().ConfigureAwait(false);
        try
        {
            Identity? own = Identities.FirstOrDefault(other => other.Id == id);
            bool isCurrent = identity == Identity;
            if (isCurrent && _journal is not null) await PutAway(identity, _journal).ConfigureAwait(false);
            IdentityPage page = CatalogCodec.ReadIdentity(identity.Encode(), "memory");
            own ??= Add(new IdentityPage(id.High, id.Low, IsPaired: true, page.DeviceKey, []));
            if (isCurrent)
            {
                lock (_catalog) _page = _page with { CurrentIdentity = own.Page };
                Identity = own;
            }

            await WritePage(false, (own.Page, own.Encode())).ConfigureAwait(false);
        }
        finally
        {
            _changingIdentity.Release();
        }

        RestartLinks();
    }

    /// <summary>Merges every dataset into one of another name or identity, durably, before the first is removed.</summary>
    private static async Task MoveDatasets(Identity source, Identity target, string suffix)
    {
        var moved = new List<string>();
        foreach (string name in source.DatasetNames)
        {
            if (suffix.Length > 0 && name.EndsWith(suffix, StringComparison.Ordinal)) continue;
            Dataset to = target.OpenForJoin(name + suffix);
            Dataset from = source.OpenForJoin(name);
            to.JoinContent(from.EncodeAll());
            to.TakeRefused(from);
            await to.FlushAsync().ConfigureAwait(false);
            moved.Add(name);
        }

        foreach (string name in moved) await source.DeleteDatasetAsync(name).ConfigureAwait(false);
    }
}
