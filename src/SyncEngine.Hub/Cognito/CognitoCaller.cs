using SyncEngine.Identities;

namespace SyncEngine.Hub.Cognito;

/// <summary>Who signed a request: a developer, or an identity with credentials that this hub issued.</summary>
internal sealed record CognitoCaller
{
    /// <summary>The key that signed.</summary>
    public required string AccessKeyId { get; init; }

    /// <summary>Signed with one of the developer keys of the configuration; the members below mean nothing then.</summary>
    public bool IsDeveloper { get; init; }

    /// <summary>The hub's name of the pool.</summary>
    public string? Pool { get; init; }

    public IdentityId Id { get; init; }

    /// <summary>The hub's name of the role.</summary>
    public string Role { get; init; } = "";

    public bool IsGuest { get; init; }
}
