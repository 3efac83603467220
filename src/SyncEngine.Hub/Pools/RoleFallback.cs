using System.Text.Json.Serialization;

namespace SyncEngine.Hub.Pools;

/// <summary>What happens to a login that no rule matches.</summary>
[JsonConverter(typeof(CamelCaseNames<RoleFallback>))]
public enum RoleFallback
{
    /// <summary>It gets the pool's authenticated role.</summary>
    AuthenticatedRole = 0,

    /// <summary>It is refused.</summary>
    Deny = 1,
}
