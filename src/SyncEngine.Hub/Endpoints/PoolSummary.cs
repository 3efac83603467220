using SyncEngine.Hub.Pools;

namespace SyncEngine.Hub.Endpoints;

/// <summary>A pool in a list.</summary>
internal sealed record PoolSummary(
    string Name, string? Description, bool AllowsGuests, IReadOnlyList<string> Providers, DateTimeOffset CreatedAt, long Revision)
{
    public static PoolSummary Of(IdentityPool pool) => new(
        pool.Name, pool.Description, pool.AllowsGuests, [.. pool.Providers.Select(static provider => provider.Name)],
        pool.CreatedAt, pool.Revision);
}

/// <summary>A page of a list of pools.</summary>
/// <param name="Pools">Pools in the order of their names.</param>
/// <param name="Next">The cursor of the next page; null at the end.</param>
internal sealed record PoolPage(IReadOnlyList<PoolSummary> Pools, string? Next);
