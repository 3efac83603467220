using System.Text.Json;
using SyncEngine.Causality;
using SyncEngine.Identities;

namespace SyncEngine.Hubs;

/// <summary>What the hub gave this device for an identity; kept in the store's file.</summary>
internal sealed record HubCredential
{
    public required IdentityId IdentityId { get; init; }

    public required string Role { get; init; }

    public required string DeviceId { get; init; }

    public required string AccessToken { get; init; }

    public required string RefreshHandle { get; init; }

    /// <summary>Until when the access token is good, by this device's clock.</summary>
    public required DateTimeOffset GoodUntil { get; init; }

    public required string Policy { get; init; }

    /// <summary>Whether the identity came by a login alone, so that the device key cannot bring it back.</summary>
    public bool IsSignedIn { get; init; }

    /// <summary>The identity that was merged into this one, and what its datasets' names got at the end; null where none
    /// was.</summary>
    public (IdentityId Id, string Beside)? MergedFrom { get; init; }

    /// <summary>Reads the hub's answer.</summary>
    /// <exception cref="SyncException">It is not as it must be.</exception>
    public static HubCredential Read(JsonElement answer, DateTimeOffset now) =>
        HubHttp.Read(answer, answer => ReadAnswer(answer, now));

    private static HubCredential ReadAnswer(JsonElement answer, DateTimeOffset now)
    {
        DateTimeOffset hubTime = answer.GetProperty("hubTime").GetDateTimeOffset();
        TimeSpan life = answer.GetProperty("accessExpires").GetDateTimeOffset() - hubTime;
        (IdentityId, string)? merged = null;
        if (answer.TryGetProperty("mergedFrom", out JsonElement from) && from.ValueKind == JsonValueKind.Object)
            merged = (IdentityId.Parse(Text(from, "identityId")), Text(from, "beside"));
        return new HubCredential
        {
            IdentityId = IdentityId.Parse(Text(answer, "identityId")), Role = Text(answer, "role"),
            DeviceId = Text(answer, "deviceId"), AccessToken = Text(answer, "accessToken"),
            RefreshHandle = Text(answer, "refreshHandle"), GoodUntil = now + life,
            Policy = answer.GetProperty("policy").GetRawText(), MergedFrom = merged,
        };
    }

    public static string NameOf(MergeMode mode) => mode switch
    {
        MergeMode.KeepDestination => "keepDestination",
        MergeMode.KeepSource => "keepSource",
        MergeMode.Manual => "manual",
        _ => "union",
    };

    public static HubCredential Decode(byte[] bytes)
    {
        using JsonDocument document = JsonDocument.Parse(bytes);
        JsonElement row = document.RootElement;
        return new HubCredential
        {
            IdentityId = IdentityId.Parse(Text(row, "identityId")), Role = Text(row, "role"), DeviceId = Text(row, "deviceId"),
            AccessToken = Text(row, "accessToken"), RefreshHandle = Text(row, "refreshHandle"),
            GoodUntil = row.GetProperty("goodUntil").GetDateTimeOffset(), Policy = Text(row, "policy"),
            IsSignedIn = row.GetProperty("isSignedIn").GetBoolean(),
        };
    }

    public byte[] Encode() => HubHttp.Write(json =>
    {
        json.WriteString("identityId", IdentityId.ToString());
        json.WriteString("role", Role);
        json.WriteString("deviceId", DeviceId);
        json.WriteString("accessToken", AccessToken);
        json.WriteString("refreshHandle", RefreshHandle);
        json.WriteString("goodUntil", GoodUntil);
        json.WriteString("policy", Policy);
        json.WriteBoolean("isSignedIn", IsSignedIn);
    });

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
