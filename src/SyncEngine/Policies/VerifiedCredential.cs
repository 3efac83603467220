using SyncEngine.Identities;

namespace SyncEngine.Policies;

/// <summary>What a hub's access credential says, once a <see cref="CredentialVerifier"/> has found it valid. Immutable.</summary>
public sealed record VerifiedCredential
{
    /// <summary>The identity that the credential was issued to.</summary>
    public required IdentityId IdentityId { get; init; }

    /// <summary>The pool of the identity. Identities of two pools have nothing to do with each other.</summary>
    public required string Pool { get; init; }

    /// <summary>The role of the identity in the pool, such as <c>guest</c>.</summary>
    public required string Role { get; init; }

    /// <summary>The id of the device that asked for the credential: 32 hexadecimal digits.</summary>
    public required string DeviceId { get; init; }

    /// <summary>The claims of the login that the pool passes on: <c>${claim.NAME}</c> in a policy.</summary>
    public required IReadOnlyDictionary<string, string> Claims { get; init; }

    /// <summary>The <see cref="Policy.Hash"/> of the role's policy when the credential was issued; empty if none.</summary>
    public required string PolicyHash { get; init; }

    /// <summary>When it was issued.</summary>
    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>When it ends.</summary>
    public required DateTimeOffset Expires { get; init; }

    /// <summary>Who asks, for <see cref="Policy.Decide"/>.</summary>
    public PolicyContext ToPolicyContext() => new()
    {
        IdentityId = IdentityId.ToString(), Pool = Pool, Role = Role, DeviceId = DeviceId, Claims = Claims,
    };
}
