using System.Text.Json;
using System.Text.Json.Serialization;
using SyncEngine.Hub.Accounts;
using SyncEngine.Hub.Merging;

namespace SyncEngine.Hub.Endpoints;

/// <summary>A challenge to sign with the device key.</summary>
internal sealed record ChallengeAnswer(string Challenge, DateTimeOffset Expires, DateTimeOffset HubTime);

/// <summary>A nonce to ask an ID token for.</summary>
internal sealed record NonceAnswer(string Nonce, DateTimeOffset Expires);

/// <summary>A guest registers with its device key.</summary>
internal sealed record GuestRequest
{
    public required string PublicKey { get; init; }

    public required string Challenge { get; init; }

    public required string Signature { get; init; }

    public string? DeviceName { get; init; }
}

/// <summary>A device renews its credential.</summary>
internal sealed record RefreshRequest
{
    public required string RefreshHandle { get; init; }

    public required string Challenge { get; init; }

    public required string Signature { get; init; }
}

/// <summary>A login comes in without a guest.</summary>
internal sealed record SignInRequest
{
    public required string Provider { get; init; }

    public required string Token { get; init; }

    public string? AccessToken { get; init; }

    public required string PublicKey { get; init; }

    public required string Challenge { get; init; }

    public required string Signature { get; init; }

    public string? DeviceName { get; init; }
}

/// <summary>What would a login do?</summary>
internal sealed record LoginPlanRequest
{
    public required string Provider { get; init; }

    public required string Token { get; init; }

    public string? AccessToken { get; init; }

    /// <summary>A fresh token of one of this identity's own logins: both together may merge two identities with logins.</summary>
    public LoginProof? Also { get; init; }

    /// <summary>The mode of a merge that is to be previewed; union without it.</summary>
    public string? Mode { get; init; }
}

/// <summary>A proof of a login.</summary>
internal sealed record LoginProof
{
    public required string Provider { get; init; }

    public required string Token { get; init; }

    public string? AccessToken { get; init; }
}

/// <summary>Do what a plan said.</summary>
internal sealed record LoginCommitRequest
{
    public required string PlanId { get; init; }

    public string? Mode { get; init; }
}

/// <summary>The replicas under which a device writes.</summary>
internal sealed record ReplicasRequest
{
    public required IReadOnlyList<string> Replicas { get; init; }
}

/// <summary>What a login would do.</summary>
internal sealed record LoginPlanAnswer(
    string PlanId, string Outcome, string IdentityId, DateTimeOffset Expires, IReadOnlyList<DatasetPreview> Datasets)
{
    public static LoginPlanAnswer Of(LoginPlan plan) => new(plan.Id,
        JsonNamingPolicy.CamelCase.ConvertName(plan.Outcome.ToString()),
        plan.Destination.ToString(), plan.Expires, plan.Datasets);
}

/// <summary>What a device needs to sync and to use other services.</summary>
internal sealed record CredentialsAnswer(
    string IdentityId, string Pool, string Role, string DeviceId, string AccessToken, DateTimeOffset AccessExpires,
    string RefreshHandle, DateTimeOffset RefreshExpires, DateTimeOffset HubTime, JsonElement Policy)
{
    public static CredentialsAnswer Of(Grant grant) => new(
        grant.Row.Id.ToString(), grant.Row.Pool, grant.Role, grant.Device.Id, grant.AccessToken, grant.AccessExpires,
        grant.RefreshHandle, grant.RefreshExpires, grant.HubTime, grant.Policy)
    {
        MergedFrom = grant.MergedFrom is { } source ? new MergedFromAnswer(source.ToString(), grant.Beside) : null,
    };

    /// <summary>Set where the identity is another one than the device had: the mode by which its datasets went there.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public MergedFromAnswer? MergedFrom { get; init; }
}

/// <summary>The identity that was merged into the one of the credential.</summary>
internal sealed record MergedFromAnswer(string IdentityId, string Beside);
