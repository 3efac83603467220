using System.Text.Json;
using SyncEngine.Hub.Identities;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Accounts;

/// <summary>What a device gets that was let in.</summary>
internal sealed record Grant(
    IdentityRow Row, DeviceRow Device, string Role, JsonElement Policy, string AccessToken, DateTimeOffset AccessExpires,
    string RefreshHandle, DateTimeOffset RefreshExpires, DateTimeOffset HubTime)
{
    /// <summary>The identity that the device had, where it was merged into this one.</summary>
    public IdentityId? MergedFrom { get; init; }

    /// <summary>What its datasets' names got at the end, where they are to stand beside the others; empty where they
    /// merge.</summary>
    public string Beside { get; init; } = "";
}

/// <summary>Who asks, as a valid credential and the directory say.</summary>
internal sealed record HubCaller(IdentityRow Row, DeviceRow Device, Tokens.AccessClaims Claims);
