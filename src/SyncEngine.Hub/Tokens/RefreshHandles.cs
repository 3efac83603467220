using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Rows;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Tokens;

/// <summary>To whom a refresh handle belongs.</summary>
internal sealed record HandleRow
{
    public required string Pool { get; init; }

    public required string Identity { get; init; }

    public required string Device { get; init; }

    public required byte[] PublicKey { get; init; }

    public required DateTimeOffset Expires { get; init; }

    /// <summary>The handle that took this one's place, hashed; null while it is the newest.</summary>
    public string? Successor { get; init; }

    /// <summary>Whether the successor was used: this one is then over for good.</summary>
    public bool IsOver { get; init; }

    /// <summary>The handle before, hashed.</summary>
    public string? Predecessor { get; init; }
}

/// <summary>
/// Refresh handles: 256 random bits, stored as their hash, bound to a device's key, valid for 60 days, and replaced with each
/// use. The one before stays usable until its successor is used, because an answer can get lost; whoever presents one older than
/// that has stolen it, and the device must start anew.
/// </summary>
internal sealed class RefreshHandles(HubRows rows, TimeProvider time)
{
    private const string Mark = "syr1_";
    private const int CharactersMax = 128;

    /// <summary>How long a handle lives.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromDays(60);

    /// <summary>Makes a handle for a device.</summary>
    public async Task<(string Handle, DateTimeOffset Expires)> CreateAsync(
        string pool, IdentityId id, string device, byte[] publicKey, HandleUse? replaced = null)
    {
        string handle = Mark + DeviceProof.Encode(RandomNumberGenerator.GetBytes(32)), hash = HashOf(handle);
        var row = new HandleRow
        {
            Pool = pool, Identity = id.ToString(), Device = device, PublicKey = publicKey, Expires = time.GetUtcNow() + Life,
            Predecessor = replaced?.Hash,
        };
        var written = new List<KeyValuePair<string, byte[]?>>
        {
            new(KeyOf(hash), Encode(row)), new(IndexOf(pool, id, device, hash), []),
        };
        if (replaced is not null)
        {
            // The handle before the one just used is over; a successor that was never used is too.
            written.Add(new(KeyOf(replaced.Hash), Encode(replaced.Row with { Successor = hash })));
            if (replaced.Row.Successor is { } lost) await ForgetAsync(lost).ConfigureAwait(false);
            if (replaced.Row.Predecessor is { } before
                && await rows.ReadAsync(KeyOf(before)).ConfigureAwait(false) is { } bytes)
            {
                // One that is over is kept for one more turn, to notice a thief; older ones are just unknown.
                HandleRow over = Decode(bytes);
                written.Add(new(KeyOf(before), Encode(over with { IsOver = true, Predecessor = null })));
                if (over.Predecessor is { } older) await ForgetAsync(older).ConfigureAwait(false);
            }
        }

        await rows.WriteAsync(written).ConfigureAwait(false);
        return (handle, row.Expires);

        async ValueTask ForgetAsync(string old)
        {
            // It may be of an identity that was merged since.
            if (await rows.ReadAsync(KeyOf(old)).ConfigureAwait(false) is not { } bytes) return;
            HandleRow gone = Decode(bytes);
            written.Add(new(KeyOf(old), null));
            written.Add(new(IndexOf(pool, IdentityId.Parse(gone.Identity), gone.Device, old), null));
        }
    }

    /// <summary>Looks a handle up; null if there is none or it is over. One that was used long before revokes its device's
    /// handles.</summary>
    public async Task<HandleUse?> FindAsync(string pool, string handle, CancellationToken cancellationToken)
    {
        if (handle.Length > CharactersMax || !handle.StartsWith(Mark, StringComparison.Ordinal)) return null;
        string hash = HashOf(handle);
        if (await rows.ReadAsync(KeyOf(hash), cancellationToken).ConfigureAwait(false) is not { } bytes) return null;
        HandleRow row = Decode(bytes);
        if (row.Pool != pool || row.Expires <= time.GetUtcNow()) return null;
        if (!row.IsOver) return new HandleUse(hash, row);
        await RevokeAllAsync(row, cancellationToken).ConfigureAwait(false);
        return null;
    }

    /// <summary>Ends the handles of an identity, or of one of its devices.</summary>
    public async Task RevokeAsync(string pool, IdentityId id, string? device, CancellationToken cancellationToken)
    {
        string prefix = device is null ? $"device-handles/{pool}/{id}/" : $"device-handles/{pool}/{id}/{device}/";
        IReadOnlyList<KeyValuePair<string, byte[]>> found =
            await rows.ReadRangeAsync(prefix, null, int.MaxValue, cancellationToken).ConfigureAwait(false);
        if (found.Count == 0) return;
        await rows.WriteAsync([.. found.SelectMany(static row => (KeyValuePair<string, byte[]?>[])
            [new(row.Key, null), new(KeyOf(row.Key[(row.Key.LastIndexOf('/') + 1)..]), null)])]).ConfigureAwait(false);
    }

    /// <summary>Ends the handles of a handle's device under each identity that it had since.</summary>
    private async Task RevokeAllAsync(HandleRow over, CancellationToken cancellationToken)
    {
        const int turnsMax = 8;
        var owners = new HashSet<(string Identity, string Device)> { (over.Identity, over.Device) };
        string? next = over.Successor;
        for (int i = 0; i < turnsMax && next is not null; i++)
        {
            if (await rows.ReadAsync(KeyOf(next), cancellationToken).ConfigureAwait(false) is not { } bytes) break;
            HandleRow row = Decode(bytes);
            owners.Add((row.Identity, row.Device));
            next = row.Successor;
        }

        foreach ((string identity, string device) in owners)
            await RevokeAsync(over.Pool, IdentityId.Parse(identity), device, cancellationToken).ConfigureAwait(false);
    }

    private static string HashOf(string handle) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(handle)));

    private static string KeyOf(string hash) => "handle/" + hash;

    private static string IndexOf(string pool, IdentityId id, string device, string hash) =>
        $"device-handles/{pool}/{id}/{device}/{hash}";

    private static byte[] Encode(HandleRow row) => JsonSerializer.SerializeToUtf8Bytes(row, RowJson.Options);

    private static HandleRow Decode(byte[] bytes) => JsonSerializer.Deserialize<HandleRow>(bytes, RowJson.Options)
        ?? throw new InvalidDataException("A refresh handle's row is empty.");
}

/// <summary>A handle that somebody presented.</summary>
internal sealed record HandleUse(string Hash, HandleRow Row);
