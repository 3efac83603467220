using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Syncing;

namespace SyncEngine.Hub.Accounts;

/// <summary>What a pool's definition means for one identity.</summary>
internal static class PoolAccess
{
    /// <summary>The role of an identity; null where the pool lets it in with none. The last login's rules decide.</summary>
    public static string? RoleOf(IdentityPool pool, IdentityRow row)
    {
        LoginRow? login = row.Logins.Count == 0 ? null : row.Logins[^1];
        return RoleChoice.For(pool, row.IsGuest, login?.Provider,
            login?.Claims ?? new Dictionary<string, IReadOnlyList<string>>());
    }

    /// <summary>Claims that policies use: those with one value.</summary>
    public static Dictionary<string, string> ClaimsOf(IdentityRow row) => row.Logins.Count == 0 ? []
        : row.Logins[^1].Claims.Where(static claim => claim.Value.Count == 1)
            .ToDictionary(static claim => claim.Key, static claim => claim.Value[0], StringComparer.Ordinal);

    public static SessionLimits LimitsOf(IdentityPool pool) => new()
    {
        DatasetsMax = pool.Limits.DatasetsMax, RecordsMax = pool.Limits.RecordsMax, DatasetBytesMax = pool.Limits.DatasetBytesMax,
        KeyBytesMax = pool.Limits.KeyBytesMax, ValueBytesMax = pool.Limits.ValueBytesMax, ReplicasMax = pool.Limits.ReplicasMax,
    };
}
