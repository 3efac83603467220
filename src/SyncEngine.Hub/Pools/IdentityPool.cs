using System.Text.Json;
using System.Text.Json.Serialization;

namespace SyncEngine.Hub.Pools;

/// <summary>
/// The definition of an identity pool: who may come in, how logins are proved, what each role may do, and the limits. Immutable:
/// a change is a new definition. As JSON its members are in camelCase.
/// </summary>
public sealed record IdentityPool
{
    /// <summary>The pool's unique name: 1 to 64 letters, digits, <c>_</c> and <c>-</c>. Case matters.</summary>
    public required string Name { get; init; }

    /// <summary>What the pool is for, in words for people: up to 1,000 characters. Default none.</summary>
    public string? Description { get; init; }

    /// <summary>Whether identities without a login are let in. Default false.</summary>
    public bool AllowsGuests { get; init; }

    /// <summary>The providers whose logins count, at most 32. Default none.</summary>
    public IReadOnlyList<ProviderDefinition> Providers { get; init; } = [];

    /// <summary>
    /// Each role's policy document under the role's name, 1 to 64 letters, digits, <c>_</c> and <c>-</c>; at most 32 roles.
    /// Default:
    /// <c>guest</c> and <c>authenticated</c>, either of which may read and write the identity's own datasets.
    /// </summary>
    public IReadOnlyDictionary<string, JsonElement> Roles { get; init; } = DefaultPolicies.Roles;

    /// <summary>The role of guests. It may be no role of the authenticated. Default <c>guest</c>.</summary>
    public string GuestRole { get; init; } = DefaultPolicies.GuestRole;

    /// <summary>The role of whoever signed in and for whom no rule chooses another. Default <c>authenticated</c>.</summary>
    public string AuthenticatedRole { get; init; } = DefaultPolicies.AuthenticatedRole;

    /// <summary>
    /// A policy document that guests never exceed, whatever their role allows. Default: the own datasets, read and written; null
    /// for no ceiling.
    /// </summary>
    public JsonElement? GuestCeiling { get; init; } = DefaultPolicies.OwnDatasets;

    /// <summary>What chooses a role from a login's claims: the first rule that matches. At most 64. Default none.</summary>
    public IReadOnlyList<RoleRule> Rules { get; init; } = [];

    /// <summary>What happens to a login that no rule matches. Default: it gets the authenticated role.</summary>
    public RoleFallback Fallback { get; init; }

    /// <summary>What an identity of the pool may take up.</summary>
    public PoolLimits Limits { get; init; } = new();

    /// <summary>
    /// Whether a device may hand on what other devices of its identity wrote, so that one with a connection helps one without.
    /// Default true. Otherwise a device's changes come once it has connected itself with them, and devices that met each other
    /// wait for one another.
    /// </summary>
    public bool RelaysAllowed { get; init; } = true;

    /// <summary>When the pool was created, in UTC. Set by the hub; what a request says is ignored.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Counts the changes of the definition, from 1. Set by the hub; what a request says is ignored.</summary>
    public long Revision { get; init; }

    /// <summary>
    /// Changes with each change of the definition and is never the same for two pools of one name, one made after the other was
    /// deleted.
    /// </summary>
    [JsonIgnore]
    internal string EntityTag => FormattableString.Invariant($"\"{CreatedAt.UtcTicks:x}.{Revision}\"");

    /// <summary>The definition as it may be shown: without any secret.</summary>
    internal IdentityPool WithoutSecrets() => this with
    {
        Providers = [.. Providers.Select(static provider => provider.WithoutSecret())],
    };
}
