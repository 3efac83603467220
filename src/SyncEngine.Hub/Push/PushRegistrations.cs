using SyncEngine.Hub.Rows;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Push;

/// <summary>Which devices want to be woken, and how. Thread-safe.</summary>
internal sealed class PushRegistrations(HubRows rows)
{
    /// <summary>Most registrations of one identity that are told; an identity has fewer devices.</summary>
    private const int DevicesMax = 256;

    /// <summary>Registers a device, or replaces its registration.</summary>
    /// <exception cref="ArgumentException">The registration cannot be taken; the message says why.</exception>
    public async ValueTask PutAsync(string pool, IdentityId identity, string device, PushRegistration registration)
    {
        registration.Check();
        await rows.WriteAsync(Row(KeyOf(pool, identity, device), PushJson.Write(registration))).ConfigureAwait(false);
    }

    /// <summary>A device's registration; null if it has none.</summary>
    public async ValueTask<PushRegistration?> ReadAsync(
        string pool, IdentityId identity, string device, CancellationToken cancellationToken = default)
    {
        string key = KeyOf(pool, identity, device);
        byte[]? bytes = await rows.ReadAsync(key, cancellationToken).ConfigureAwait(false);
        return bytes is null ? null : PushJson.Read<PushRegistration>(bytes, key);
    }

    /// <summary>The registrations of an identity's devices.</summary>
    public async ValueTask<IReadOnlyList<(string Device, PushRegistration Registration)>> ListAsync(
        string pool, IdentityId identity, CancellationToken cancellationToken = default)
    {
        string prefix = PrefixOf(pool, identity);
        var found = await rows.ReadRangeAsync(prefix, null, DevicesMax, cancellationToken).ConfigureAwait(false);
        return found.Select(row => (row.Key[prefix.Length..], PushJson.Read<PushRegistration>(row.Value, row.Key))).ToList();
    }

    /// <summary>Removes a device's registration, for instance when it is revoked.</summary>
    public async ValueTask RemoveAsync(string pool, IdentityId identity, string device) =>
        await rows.WriteAsync(Row(KeyOf(pool, identity, device), null)).ConfigureAwait(false);

    /// <summary>Removes a device's registration unless it has another token by now.</summary>
    public async ValueTask RemoveTokenAsync(string pool, IdentityId identity, string device, string token)
    {
        PushRegistration? now = await ReadAsync(pool, identity, device).ConfigureAwait(false);
        if (now?.Token == token) await RemoveAsync(pool, identity, device).ConfigureAwait(false);
    }

    /// <summary>Removes all registrations of an identity.</summary>
    public Task RemoveAllAsync(string pool, IdentityId identity, CancellationToken cancellationToken = default) =>
        RowRemoval.RemoveAllAsync(rows, PrefixOf(pool, identity), cancellationToken);

    private static KeyValuePair<string, byte[]?> Row(string key, byte[]? bytes) => new(key, bytes);

    private static string PrefixOf(string pool, IdentityId identity) => $"push/{pool}/{identity}/";

    private static string KeyOf(string pool, IdentityId identity, string device) => PrefixOf(pool, identity) + device;
}
