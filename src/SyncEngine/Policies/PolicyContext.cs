namespace SyncEngine.Policies;

/// <summary>Who asks, for a policy: what its variables stand for. Immutable.</summary>
public sealed record PolicyContext
{
    private static readonly IReadOnlyDictionary<string, string> _none = new Dictionary<string, string>();

    /// <summary>The identity's id: <c>${identity.id}</c>.</summary>
    public string? IdentityId { get; init; }

    /// <summary>The pool's name: <c>${pool}</c>.</summary>
    public string? Pool { get; init; }

    /// <summary>The role: <c>${role}</c>.</summary>
    public string? Role { get; init; }

    /// <summary>The device's id: <c>${device.id}</c>.</summary>
    public string? DeviceId { get; init; }

    /// <summary>Claims of the login: <c>${claim.NAME}</c>. Default none.</summary>
    public IReadOnlyDictionary<string, string> Claims { get; init; } = _none;

    /// <summary>What a variable stands for; null if it is missing.</summary>
    internal string? Find(PolicyVariable variable, string? claim) => variable switch
    {
        PolicyVariable.IdentityId => IdentityId,
        PolicyVariable.Pool => Pool,
        PolicyVariable.Role => Role,
        PolicyVariable.DeviceId => DeviceId,
        _ => Claims.TryGetValue(claim!, out string? value) ? value : null,
    };
}

/// <summary>The names that policies may use.</summary>
internal enum PolicyVariable
{
    IdentityId,
    Pool,
    Role,
    DeviceId,
    Claim,
}
