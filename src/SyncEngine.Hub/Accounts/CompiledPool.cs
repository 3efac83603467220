using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Pools;
using SyncEngine.Policies;

namespace SyncEngine.Hub.Accounts;

/// <summary>A pool's policies, compiled once for each definition.</summary>
internal sealed class CompiledPool
{
    private const int AnswersMax = 1024;
    private static readonly ConditionalWeakTable<IdentityPool, CompiledPool> _compiled = [];
    private readonly IdentityPool _pool;
    private readonly ConcurrentDictionary<string, Policy> _roles = new(StringComparer.Ordinal);
    private readonly Policy? _ceiling;

    private CompiledPool(IdentityPool pool)
    {
        _pool = pool;
        _ceiling = pool.GuestCeiling is { } ceiling ? Policy.Parse(ceiling) : null;
    }

    public static CompiledPool Of(IdentityPool pool) => _compiled.GetValue(pool, static known => new CompiledPool(known));

    /// <summary>The policy of a role.</summary>
    public Policy PolicyOf(string role) => _roles.GetOrAdd(role, name => Policy.Parse(_pool.Roles[name]));

    /// <summary>Whether an identity may do something: its role's policy allows it and, for a guest, the ceiling too.</summary>
    public bool Allows(string role, bool isGuest, string action, string resource, PolicyContext context) =>
        PolicyOf(role).Allows(action, resource, context)
        && (!isGuest || _ceiling is null || _ceiling.Allows(action, resource, context));

    /// <summary>What one device of an identity may do with the identity's datasets; answers are remembered for the
    /// session.</summary>
    public Func<string, string, bool> DatasetsOf(string role, IdentityRow row, string device)
    {
        var context = new PolicyContext
        {
            IdentityId = row.Id.ToString(), Pool = row.Pool, Role = role, DeviceId = device, Claims = PoolAccess.ClaimsOf(row),
        };
        bool isGuest = row.IsGuest;
        var known = new Dictionary<(string, string), bool>();
        return (action, dataset) =>
        {
            lock (known)
            {
                if (known.TryGetValue((action, dataset), out bool answer)) return answer;
                answer = Allows(role, isGuest, action, $"identity/{context.IdentityId}/dataset/{dataset}", context);
                if (known.Count < AnswersMax) known[(action, dataset)] = answer;
                return answer;
            }
        };
    }
}
