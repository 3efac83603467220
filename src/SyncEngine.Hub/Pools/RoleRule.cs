namespace SyncEngine.Hub.Pools;

/// <summary>Chooses a role where a claim of a login is as asked for. Texts are compared byte for byte.</summary>
public sealed record RoleRule
{
    /// <summary>The provider whose logins the rule is about; null for all of the pool.</summary>
    public string? Provider { get; init; }

    /// <summary>The claim's name: 1 to 128 characters.</summary>
    public required string Claim { get; init; }

    /// <summary>How the claim is compared.</summary>
    public required ClaimMatch Match { get; init; }

    /// <summary>What the claim is compared with: 1 to 256 characters.</summary>
    public required string Value { get; init; }

    /// <summary>The role chosen: one of the pool's, and not that of guests.</summary>
    public required string Role { get; init; }
}
