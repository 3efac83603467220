using System.Security.Cryptography;
using System.Text;
using SyncEngine.Hub.Rows;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Identities;

/// <summary>
/// Who is who: identities, their logins and devices, in rows that are read when somebody asks. Thread-safe; one change at a
/// time for each identity.
/// </summary>
internal sealed partial class IdentityDirectory(HubRows rows, KeyedLocks locks, TimeProvider time)
{
    private const int AliasesMax = 32;

    /// <summary>Told of an identity that has a login more or less, which may give it another role.</summary>
    public event Action<string, IdentityId>? LoginsChanged;

    /// <summary>The identity's row; null if there is none.</summary>
    public async ValueTask<IdentityRow?> FindAsync(string pool, IdentityId id, CancellationToken cancellationToken = default) =>
        await rows.ReadAsync(IdentityRow.KeyOf(pool, id), cancellationToken).ConfigureAwait(false) is { } bytes
            ? IdentityRow.Decode(bytes) : null;

    /// <summary>The identity that an id stands for now: itself, or the one that it was merged into.</summary>
    public async ValueTask<IdentityRow?> ResolveAsync(string pool, IdentityId id, CancellationToken cancellationToken = default)
    {
        for (int i = 0; i < AliasesMax; i++)
        {
            IdentityRow? row = await FindAsync(pool, id, cancellationToken).ConfigureAwait(false);
            if (row?.State != IdentityState.Merged) return row;
            id = row.MergedInto;
        }

        return null;
    }

    /// <summary>What merges have put behind the names of an identity's datasets on the way to where they are now; empty where
    /// they went into those of the same names.</summary>
    public async ValueTask<string> SuffixOfAsync(string pool, IdentityId id, CancellationToken cancellationToken = default)
    {
        string suffix = "";
        for (int i = 0; i < AliasesMax; i++)
        {
            IdentityRow? row = await FindAsync(pool, id, cancellationToken).ConfigureAwait(false);
            if (row?.State != IdentityState.Merged) break;
            if (row.MergedBy == MergeMode.Manual) suffix += "." + id;
            id = row.MergedInto;
        }

        return suffix;
    }

    /// <summary>The identity that a login is linked to; null if there is none.</summary>
    public async ValueTask<IdentityRow?> FindByLoginAsync(
        string pool, string provider, string subject, CancellationToken cancellationToken = default)
    {
        byte[]? bytes = await rows.ReadAsync(LoginKey(pool, provider, subject), cancellationToken).ConfigureAwait(false);
        if (bytes is null) return null;
        return await ResolveAsync(pool, IdentityId.Parse(Encoding.ASCII.GetString(bytes)), cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Identities of a pool in the order of their ids.</summary>
    public async ValueTask<IReadOnlyList<IdentityRow>> ListAsync(
        string pool, IdentityId? after, int limit, CancellationToken cancellationToken = default)
    {
        string prefix = $"id/{pool}/";
        IReadOnlyList<KeyValuePair<string, byte[]>> found = await rows.ReadRangeAsync(
            prefix, after is null ? null : prefix + after, limit, cancellationToken).ConfigureAwait(false);
        return [.. found.Select(static row => IdentityRow.Decode(row.Value))];
    }

    /// <summary>Registers the guest whose id a device key mints, or finds what became of it.</summary>
    /// <exception cref="DirectoryException">It is disabled, or the device was revoked.</exception>
    public async Task<(IdentityRow Row, DeviceRow Device)> RegisterGuestAsync(
        string pool, byte[] publicKey, string? deviceName, int? devicesMax, CancellationToken cancellationToken)
    {
        IdentityId minted = DeviceKey.IdentityOf(publicKey);
        while (true)
        {
            IdentityId target = (await ResolveAsync(pool, minted, cancellationToken).ConfigureAwait(false))?.Id ?? minted;
            using IDisposable held = await locks.EnterAsync(pool, cancellationToken, target).ConfigureAwait(false);
            IdentityRow? row = await FindAsync(pool, target, cancellationToken).ConfigureAwait(false);
            if (row?.State == IdentityState.Merged) continue;
            row ??= new IdentityRow { Pool = pool, Id = minted, CreatedAt = time.GetUtcNow() };
            return await AddDeviceAsync(row, publicKey, deviceName, devicesMax, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Lets a device in by a login alone: finds the login's identity, or makes one for it.</summary>
    public async Task<(IdentityRow Row, DeviceRow Device)> SignInAsync(
        string pool, LoginRow login, byte[] publicKey, string? deviceName, int? devicesMax, CancellationToken cancellationToken)
    {
        (IdentityRow row, IDisposable held) = await FindOrMakeAsync(pool, login, cancellationToken).ConfigureAwait(false);
        using (held)
        {
            return await AddDeviceAsync(
                WithClaims(row, login), publicKey, deviceName, devicesMax, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Changes an identity's row, one change at a time.</summary>
    /// <exception cref="DirectoryException">There is no such identity.</exception>
    public async Task<IdentityRow> ChangeAsync(
        string pool, IdentityId id, Func<IdentityRow, IdentityRow> change, CancellationToken cancellationToken)
    {
        using IDisposable held = await locks.EnterAsync(pool, cancellationToken, id).ConfigureAwait(false);
        IdentityRow row = await FindAsync(pool, id, cancellationToken).ConfigureAwait(false) ?? throw Missing(id);
        IdentityRow changed = change(row);
        if (changed != row) await rows.WriteAsync(RowOf(changed)).ConfigureAwait(false);
        return changed;
    }

    /// <summary>Links a new login to an identity.</summary>
    public async Task<IdentityRow> LinkAsync(string pool, IdentityId id, LoginRow login, CancellationToken cancellationToken)
    {
        using IDisposable held = await locks.EnterAsync(
            pool, cancellationToken, id, IdOfLogin(pool, login.Provider, login.Subject)).ConfigureAwait(false);
        IdentityRow row = await FindAsync(pool, id, cancellationToken).ConfigureAwait(false) ?? throw Missing(id);
        IdentityRow? owner = await FindByLoginAsync(pool, login.Provider, login.Subject, cancellationToken).ConfigureAwait(false);
        if (owner is not null && owner.Id != id) throw new DirectoryException(DirectoryFault.PlanOver, "Somebody has linked "
            + "this login meanwhile. Plan the login again.");
        if (owner is null && row.Logins.Count >= IdentityRow.LoginsMax)
            throw new DirectoryException(DirectoryFault.TooManyLogins,
                $"An identity has at most {IdentityRow.LoginsMax} logins. Unlink one first.");
        // Once it has had a login, nobody is this identity by knowing its id.
        row = WithClaims(row, login) with { IsOpen = false, AwaitedProviders = [] };
        await rows.WriteAsync(RowOf(row), LinkRow(pool, login, id)).ConfigureAwait(false);
        LoginsChanged?.Invoke(pool, id);
        return row;
    }

    /// <summary>Unlinks the logins of a provider: each is a new identity the next time.</summary>
    /// <exception cref="DirectoryException">There is none, or it is the last and this is not forced.</exception>
    public Task<IdentityRow> UnlinkAsync(
        string pool, IdentityId id, string provider, bool force, CancellationToken cancellationToken) => UnlinkAsync(
            pool, id, login => login.Provider == provider, $"No login of provider {provider} is linked to this identity.", force,
            cancellationToken);

    /// <summary>Unlinks some logins: each is a new identity the next time.</summary>
    /// <exception cref="DirectoryException">There is none, or it is the last and this is not forced.</exception>
    public async Task<IdentityRow> UnlinkAsync(
        string pool, IdentityId id, Func<LoginRow, bool> isMeant, string noneText, bool force,
        CancellationToken cancellationToken)
    {
        using IDisposable held = await locks.EnterAsync(pool, cancellationToken, id).ConfigureAwait(false);
        IdentityRow row = await FindAsync(pool, id, cancellationToken).ConfigureAwait(false) ?? throw Missing(id);
        List<LoginRow> gone = [.. row.Logins.Where(isMeant)];
        if (gone.Count == 0) throw new DirectoryException(DirectoryFault.NotFound, noneText);
        if (gone.Count == row.Logins.Count && !force)
            throw new DirectoryException(DirectoryFault.LastLogin, "This is the last login: without it only this identity's "
                + "devices reach its data. Say force=true if that is meant.");
        row = row with { Logins = [.. row.Logins.Except(gone)] };
        await rows.WriteAsync([RowOf(row), .. gone.Select(login =>
            new KeyValuePair<string, byte[]?>(LoginKey(pool, login.Provider, login.Subject), null))]).ConfigureAwait(false);
        LoginsChanged?.Invoke(pool, id);
        return row;
    }

    /// <summary>The rows to remove with an identity.</summary>
    public static IEnumerable<KeyValuePair<string, byte[]?>> RowsOf(IdentityRow row) =>
    [
        new(IdentityRow.KeyOf(row.Pool, row.Id), null),
        .. row.Logins.Select(login =>
            new KeyValuePair<string, byte[]?>(LoginKey(row.Pool, login.Provider, login.Subject), null)),
    ];

    internal static KeyValuePair<string, byte[]?> RowOf(IdentityRow row) =>
        new(IdentityRow.KeyOf(row.Pool, row.Id), row.Encode());

    internal static DirectoryException Missing(IdentityId id) =>
        new(DirectoryFault.NotFound, $"There is no identity {id} in this pool.");

    private static string LoginKey(string pool, string provider, string subject) =>
        $"login/{pool}/{provider}/{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(subject)))}";

    internal static KeyValuePair<string, byte[]?> LinkRow(string pool, LoginRow login, IdentityId id) =>
        new(LoginKey(pool, login.Provider, login.Subject), Encoding.ASCII.GetBytes(id.ToString()));

    private static IdentityId IdOfLogin(string pool, string provider, string subject)
    {
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{pool}\n{provider}\n{subject}"));
        return new IdentityId(BitConverter.ToUInt64(hash), BitConverter.ToUInt64(hash, 8));
    }

    /// <summary>The identity of a login, which is made if there is none, and the lock on it.</summary>
    private async Task<(IdentityRow Row, IDisposable Held)> FindOrMakeAsync(
        string pool, LoginRow login, CancellationToken cancellationToken)
    {
        // A new identity is named by the login, so that two devices which sign in at once come to the same one.
        IdentityId named = IdOfLogin(pool, login.Provider, login.Subject);
        while (true)
        {
            IdentityRow? row = await FindByLoginAsync(pool, login.Provider, login.Subject, cancellationToken)
                .ConfigureAwait(false);
            IdentityId found = row?.Id ?? named;
            IDisposable held = await locks.EnterAsync(pool, cancellationToken, named, found).ConfigureAwait(false);
            try
            {
                row = await FindByLoginAsync(pool, login.Provider, login.Subject, cancellationToken).ConfigureAwait(false);
                if (row is null)
                {
                    // An unlinked login is a new identity the next time, never the one it was.
                    IdentityId id = await FindAsync(pool, named, cancellationToken).ConfigureAwait(false) is null
                        ? named : NewId();
                    row = new IdentityRow { Pool = pool, Id = id, CreatedAt = time.GetUtcNow() };
                    await rows.WriteAsync(RowOf(WithClaims(row, login)), LinkRow(pool, login, id)).ConfigureAwait(false);
                    row = WithClaims(row, login);
                }
                else if (row.Id != found)
                {
                    held.Dispose();
                    continue;
                }

                return (row, held);
            }
            catch
            {
                held.Dispose();
                throw;
            }
        }
    }

    /// <summary>A UUID of version 7 (RFC 9562): the time in milliseconds and 74 random bits, which nobody guesses. Being in
    /// order of time, the rows of new identities are neighbours, which makes writing them cheaper.</summary>
    private IdentityId NewId()
    {
        ulong high = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        ulong low = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        ulong milliseconds = (ulong)time.GetUtcNow().ToUnixTimeMilliseconds();
        return new IdentityId((milliseconds << 16) | 0x7000 | (high & 0x0fff), (low & (ulong.MaxValue >> 2)) | (1UL << 63));
    }

    private static IdentityRow WithClaims(IdentityRow row, LoginRow login) => row with
    {
        Logins = [.. row.Logins.Where(known => known.Provider != login.Provider || known.Subject != login.Subject), login],
    };

    private async Task<(IdentityRow Row, DeviceRow Device)> AddDeviceAsync(
        IdentityRow row, byte[] publicKey, string? name, int? devicesMax, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (row.State == IdentityState.Disabled)
            throw new DirectoryException(DirectoryFault.Disabled, "This identity was disabled. Ask the hub's operator.");
        string id = DeviceKey.IdentityOf(publicKey).ToString();
        DateTimeOffset now = time.GetUtcNow();
        DeviceRow? known = row.FindDevice(id);
        if (known?.RevokedAt is not null)
            throw new DirectoryException(DirectoryFault.DeviceRevoked, "This device was revoked. Start with a new key: wipe the "
                + "identity on this device and log in again.");
        if (known is null && row.Devices.Count(static device => device.RevokedAt is null) >= devicesMax)
            throw new DirectoryException(DirectoryFault.TooManyDevices,
                $"The identity has {devicesMax} devices, all that its pool "
                + "allows. Revoke one first.");
        DeviceRow device = (known ?? new DeviceRow(id, publicKey, name, now)) with { LastSeen = now, Name = name ?? known?.Name };
        row = row with { Devices = [.. row.Devices.Where(other => other.Id != id), device] };
        await rows.WriteAsync(RowOf(row)).ConfigureAwait(false);
        return (row, device);
    }
}
