using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using SyncEngine.Sync;
using Xunit;

namespace SyncEngine.Hub.Tests;

/// <summary>A device that speaks the hub's interface by hand, so that tests can do what the client never would.</summary>
internal sealed class RawDevice(HubApp hub, string pool) : IDisposable
{
    public ECDsa Key { get; init; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public string PublicKey => WebEncoders.Base64UrlEncode(Key.ExportSubjectPublicKeyInfo());

    public string AccessToken { get; private set; } = "";

    public string RefreshHandle { get; set; } = "";

    public string IdentityId { get; private set; } = "";

    public string DeviceId { get; private set; } = "";

    public JsonElement Credentials { get; private set; }

    public string Pool => pool;

    public async Task<string> ChallengeAsync() =>
        (await hub.PostAsync($"/sync/pools/{pool}/challenges", new { })).Body.GetProperty("challenge").GetString()!;

    public string Sign(string purpose, string challenge, string extra, string? inPool = null) =>
        WebEncoders.Base64UrlEncode(Key.SignData(Encoding.UTF8.GetBytes(
            $"syncengine-proof-1\n{purpose}\n{inPool ?? pool}\n{challenge}\n{extra}"), HashAlgorithmName.SHA256));

    public async Task<(HttpStatusCode Status, JsonElement Body)> TryRegisterAsync(
        string? challenge = null, string? signature = null, string? name = null)
    {
        challenge ??= await ChallengeAsync();
        return Take(await hub.PostAsync($"/sync/pools/{pool}/guests", new
        {
            publicKey = PublicKey, challenge, signature = signature ?? Sign("guest", challenge, PublicKey), deviceName = name,
        }));
    }

    public async Task<RawDevice> RegisterAsync()
    {
        (HttpStatusCode status, JsonElement body) = await TryRegisterAsync();
        Assert.True(status == HttpStatusCode.OK, $"{status} {body}");
        return this;
    }

    public async Task<(HttpStatusCode Status, JsonElement Body)> TryRefreshAsync(string? handle = null)
    {
        string challenge = await ChallengeAsync();
        handle ??= RefreshHandle;
        return Take(await hub.PostAsync($"/sync/pools/{pool}/credentials", new
        {
            refreshHandle = handle, challenge, signature = Sign("refresh", challenge, handle),
        }));
    }

    public async Task<(HttpStatusCode Status, JsonElement Body)> TrySignInAsync(string provider, string token)
    {
        string challenge = await ChallengeAsync();
        return Take(await hub.PostAsync($"/sync/pools/{pool}/sessions", new
        {
            provider, token, publicKey = PublicKey, challenge, signature = Sign("session", challenge, PublicKey),
        }));
    }

    public (HttpStatusCode Status, JsonElement Body) Take((HttpStatusCode Status, JsonElement Body) answer)
    {
        if (answer.Status != HttpStatusCode.OK) return answer;
        Credentials = answer.Body;
        AccessToken = answer.Body.GetProperty("accessToken").GetString()!;
        RefreshHandle = answer.Body.GetProperty("refreshHandle").GetString()!;
        IdentityId = answer.Body.GetProperty("identityId").GetString()!;
        DeviceId = answer.Body.GetProperty("deviceId").GetString()!;
        return answer;
    }

    /// <summary>A store in memory of this device's identity.</summary>
    public async Task<SyncStore> OpenStoreAsync(SyncStoreOptions? options = null)
    {
        SyncStore store = SyncStore.OpenInMemory(options);
        await store.AdoptIdentityAsync(SyncEngine.Identities.IdentityId.Parse(IdentityId));
        return store;
    }

    public WebSocketConnector Connector(string? token = null, bool tellsTime = false) => new(
        new Uri($"ws://{hub.Address.Authority}/sync/ws"),
        options => options.SetRequestHeader("Authorization", "Bearer " + (token ?? AccessToken))) { TellsTime = tellsTime };

    public void Dispose() => Key.Dispose();
}
