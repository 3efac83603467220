using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Rows;
using SyncEngine.Hub.Syncing;

namespace SyncEngine.Hub.Cognito.Sync;

/// <summary>
/// Devices of legacy clients that want to be told of changes. Such a device has no key of its own; it is named after its token at
/// the push service. Subscribed, it is one of the hub's push registrations. Thread-safe.
/// </summary>
internal sealed class LegacyDevices(HubRows rows, PushRegistrations registrations, KeyedLocks locks)
{
    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web);
    private static readonly Dictionary<string, string> _services = new(StringComparer.Ordinal)
    {
        ["APNS"] = "apns", ["APNS_SANDBOX"] = "apns-sandbox", ["GCM"] = "fcm", ["ADM"] = "adm",
    };

    /// <summary>The hub's name of the push service of a platform; null if there is no such platform.</summary>
    public static string? ServiceOf(string platform) => _services.GetValueOrDefault(platform);

    /// <summary>A device's name on the hub, of the id that clients write; null for none.</summary>
    public static string? HubName(string? device) =>
        device?[(device.IndexOf(':', StringComparison.Ordinal) + 1)..].Replace("-", "", StringComparison.Ordinal);

    /// <summary>Checks that the pool has a push application for a platform.</summary>
    /// <exception cref="CognitoException">It has none.</exception>
    public static void CheckPushed(SyncScope scope, string platform)
    {
        if (!SyncSetup.Of(scope.Pool).IsPushedTo(platform))
            throw CognitoException.InvalidConfiguration($"The identity pool has no push application for {platform}: name one in "
                + "PushSync.ApplicationArns of SetIdentityPoolConfiguration.");
    }

    /// <summary>Registers a device. The same token has the same id each time, and keeps its subscriptions.</summary>
    /// <returns>Its id as clients write it.</returns>
    /// <exception cref="CognitoException">The token is none, or there are too many devices.</exception>
    public async Task<string> RegisterAsync(SyncScope scope, string service, string token, CancellationToken cancellationToken)
    {
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{scope.Pool.Name}\n{scope.Id}\n{service}\n{token}"));
        var id = new Guid(hash.AsSpan(0, 16), bigEndian: true);
        var row = new DeviceRow(service, token, []);
        try
        {
            Registration(scope, row with { Datasets = ["*"] }).Check();
        }
        catch (ArgumentException e)
        {
            throw CognitoException.InvalidParameter(e.Message);
        }

        string key = KeyOf(scope, id.ToString("N"));
        using IDisposable held = await locks.EnterAsync(scope.Pool.Name, cancellationToken, scope.Id).ConfigureAwait(false);
        if (await rows.ReadAsync(key, cancellationToken).ConfigureAwait(false) is null)
        {
            List<KeyValuePair<string, byte[]?>> changed = [new(key, JsonSerializer.SerializeToUtf8Bytes(row, _json))];
            if (await FindSurplusAsync(scope, cancellationToken).ConfigureAwait(false) is { } surplus)
                changed.Add(new(surplus, null));
            await rows.WriteAsync(changed).ConfigureAwait(false);
        }

        return CognitoIds.Of(scope.Pool.Row.Region, id);
    }

    /// <summary>Has a device told of changes of a dataset, or not any more.</summary>
    /// <exception cref="CognitoException">The device is not registered, has too many subscriptions, or is to be told although
    /// the pool has no push application any more.</exception>
    public async Task SubscribeAsync(
        SyncScope scope, string device, string dataset, bool isWanted, CancellationToken cancellationToken)
    {
        string name = HubName(device)!, key = KeyOf(scope, name);
        using IDisposable held = await locks.EnterAsync(scope.Pool.Name, cancellationToken, scope.Id).ConfigureAwait(false);
        byte[]? bytes = CognitoIds.IsShaped(device) ? await rows.ReadAsync(key, cancellationToken).ConfigureAwait(false) : null;
        if (bytes is null || JsonSerializer.Deserialize<DeviceRow>(bytes, _json) is not { } row)
            throw CognitoException.ResourceNotFound($"Device '{device}' not found: register it first.");
        if (isWanted) CheckPushed(scope, _services.First(known => known.Value == row.Service).Key);
        List<string> datasets = [.. row.Datasets.Where(known => known != dataset)];
        if (isWanted) datasets.Add(dataset);
        row = row with { Datasets = datasets };
        PushRegistration registration = Registration(scope, row);
        if (datasets.Count > 0)
        {
            try
            {
                await registrations.PutAsync(scope.Pool.Name, scope.Id, name, registration).ConfigureAwait(false);
            }
            catch (ArgumentException e)
            {
                throw CognitoException.LimitExceeded(e.Message);
            }
        }
        else
        {
            await registrations.RemoveAsync(scope.Pool.Name, scope.Id, name).ConfigureAwait(false);
        }

        await rows.WriteAsync(KeyValuePair.Create(key, (byte[]?)JsonSerializer.SerializeToUtf8Bytes(row, _json)))
            .ConfigureAwait(false);
    }

    /// <summary>The device that makes room for another one: one that is told of nothing. Null while there is room.</summary>
    /// <exception cref="CognitoException">There are as many as the pool allows, and all are told of something.</exception>
    private async ValueTask<string?> FindSurplusAsync(SyncScope scope, CancellationToken cancellationToken)
    {
        if (scope.Pool.Definition.Limits.DevicesMax is not { } allowed) return null;
        string prefix = KeyOf(scope, "");
        IReadOnlyList<KeyValuePair<string, byte[]>> known = await rows.ReadRangeAsync(prefix, null, allowed, cancellationToken)
            .ConfigureAwait(false);
        if (known.Count < allowed) return null;
        foreach ((string key, _) in known)
        {
            if (await registrations.ReadAsync(scope.Pool.Name, scope.Id, key[prefix.Length..], cancellationToken)
                .ConfigureAwait(false) is null) return key;
        }

        throw CognitoException.LimitExceeded($"An identity has at most {allowed} devices: unsubscribe one first.");
    }

    private static PushRegistration Registration(SyncScope scope, DeviceRow row) =>
        new(row.Service, row.Token, row.Datasets)
        {
            Data = new Dictionary<string, string>
            {
                ["source"] = "cognito-sync", ["identityPoolId"] = scope.Pool.Id, ["identityId"] = scope.WireId,
            },
        };

    private static string KeyOf(SyncScope scope, string device) =>
        $"{HubStore.BesideOf(scope.Pool.Name, scope.Id)}device/{device}";

    /// <summary>A registered device.</summary>
    private sealed record DeviceRow(string Service, string Token, IReadOnlyList<string> Datasets);
}
