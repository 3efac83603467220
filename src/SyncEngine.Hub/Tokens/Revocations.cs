using System.Buffers.Binary;
using System.Collections.Concurrent;
using SyncEngine.Hub.Rows;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Tokens;

/// <summary>Credentials that are not taken any more though they have not expired: for an identity or a device a time, before
/// which nothing counts that was issued.</summary>
internal sealed class Revocations(HubRows rows, TimeProvider time) : IPeriodicTask
{
    private const string Prefix = "revoked/";
    private const int KnownMax = 4_000;
    private readonly object _gate = new();
    private readonly ConcurrentDictionary<string, long> _known = new(StringComparer.Ordinal);

    public string Name => "forget revocations of credentials that have expired";

    /// <summary>Refuses what was issued so far to an identity, or to one of its devices.</summary>
    public async Task RevokeAsync(string pool, IdentityId id, string? device)
    {
        string key = KeyOf(pool, id, device);
        long now = time.GetUtcNow().ToUnixTimeSeconds() + 1;
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, now);
        Task durable;
        lock (_gate)
        {
            _known[key] = now;
            durable = rows.WriteAsync(new KeyValuePair<string, byte[]?>(key, bytes));
        }

        await durable.ConfigureAwait(false);
    }

    /// <summary>Whether a credential is refused.</summary>
    public async ValueTask<bool> IsRevokedAsync(AccessClaims claims, CancellationToken cancellationToken) =>
        await IsRevokedAsync(KeyOf(claims.Pool, claims.Id, null), claims.IssuedAt, cancellationToken).ConfigureAwait(false)
        || await IsRevokedAsync(KeyOf(claims.Pool, claims.Id, claims.Device), claims.IssuedAt, cancellationToken)
            .ConfigureAwait(false);

    /// <summary>Whether what was issued to an identity at a time is refused.</summary>
    public ValueTask<bool> IsRevokedAsync(
        string pool, IdentityId id, DateTimeOffset issuedAt, CancellationToken cancellationToken) =>
        IsRevokedAsync(KeyOf(pool, id, null), issuedAt, cancellationToken);

    /// <summary>Forgets what concerns only credentials that have expired meanwhile.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        const int atOnce = 1000;
        long over = (time.GetUtcNow() - SigningKeys.SignedLifeMax - 2 * AccessCredentials.Skew).ToUnixTimeSeconds();
        for (string? after = null; ;)
        {
            IReadOnlyList<KeyValuePair<string, byte[]>> found =
                await rows.ReadRangeAsync(Prefix, after, atOnce, cancellationToken).ConfigureAwait(false);
            Task durable;
            lock (_gate)
            {
                // Whoever was revoked again since the rows were read is known.
                List<KeyValuePair<string, byte[]?>> gone = [.. found
                    .Where(row => BinaryPrimitives.ReadInt64BigEndian(row.Value) < over
                        && !(_known.TryGetValue(row.Key, out long known) && known >= over))
                    .Select(static row => new KeyValuePair<string, byte[]?>(row.Key, null))];
                durable = rows.WriteAsync(gone);
            }

            await durable.ConfigureAwait(false);
            if (found.Count < atOnce) return;
            after = found[^1].Key;
        }
    }

    private async ValueTask<bool> IsRevokedAsync(string key, DateTimeOffset issuedAt, CancellationToken cancellationToken)
    {
        if (!_known.TryGetValue(key, out long notBefore))
        {
            byte[]? bytes = await rows.ReadAsync(key, cancellationToken).ConfigureAwait(false);
            notBefore = bytes is null ? 0 : BinaryPrimitives.ReadInt64BigEndian(bytes);
            if (_known.Count >= KnownMax) _known.Clear();
            notBefore = _known.GetOrAdd(key, notBefore);
        }

        return issuedAt.ToUnixTimeSeconds() < notBefore;
    }

    /// <summary>The key of the row that says since when credentials count.</summary>
    internal static string KeyOf(string pool, IdentityId id, string? device) =>
        device is null ? $"{Prefix}{pool}/{id}" : $"{Prefix}{pool}/{id}/{device}";
}
