using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Logins;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Tokens;
using DeveloperKey = SyncEngine.Hub.Logins.DeveloperKey;
using ProviderDefinition = SyncEngine.Hub.Pools.ProviderDefinition;
using ProviderKind = SyncEngine.Hub.Pools.ProviderKind;

namespace SyncEngine.Hub.Accounts;

/// <summary>Proves logins with the providers of a pool. Why one is refused is told to the log alone.</summary>
internal sealed partial class LoginEntry(
    Lazy<LoginProviders> providers, Challenges challenges, TimeProvider time, ILogger<LoginEntry> logger)
{
    /// <summary>In base64url they and all else stay within what a credential may be.</summary>
    private const int ClaimsBytesMax = 4_000;

    private static readonly JsonSerializerOptions _jwk = new(JsonSerializerDefaults.Web);
    private readonly ConditionalWeakTable<ProviderDefinition, ILoginProvider> _opened = [];
    private readonly ConditionalWeakTable<ProviderDefinition, ILoginProvider> _openedForBearers = [];

    /// <summary>A nonce to ask an ID token for.</summary>
    public ValueTask<(string Text, DateTimeOffset Expires)> NonceAsync(IdentityPool pool, CancellationToken cancellationToken) =>
        challenges.CreateAsync(HubNonces.Purpose, pool.Name, Challenges.NonceLife, cancellationToken);

    /// <summary>Proves a login.</summary>
    /// <returns>The login, and the identity that the app's backend lets its identity take in; null where it says
    /// nothing.</returns>
    /// <exception cref="EntryException">The token is not accepted, the pool has no such provider, or it cannot be asked
    /// now.</exception>
    public async Task<(LoginRow Login, string? MergesFrom)> ProveAsync(
        IdentityPool pool, string provider, string token, string? accessToken, CancellationToken cancellationToken)
    {
        ProviderDefinition definition = pool.Providers.FirstOrDefault(known => known.Name == provider)
            ?? throw new EntryException(EntryFault.BadRequest, "no-such-provider",
                "This pool has no such provider: check its name.");
        ILoginProvider opened = _opened.GetValue(definition, known => providers.Value.Open(pool.Name, Translate(known)));
        return await ProveAsync(pool, opened, new LoginToken(token, accessToken), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Proves a login for clients that show one token again and again until it expires, as those of the
    /// Cognito-wire-compatible API do.</summary>
    /// <exception cref="EntryException">The token is not accepted, the provider asks for what such clients cannot do, or it
    /// cannot be asked now.</exception>
    public async Task<LoginRow> ProveBearerAsync(
        IdentityPool pool, ProviderDefinition provider, string token, CancellationToken cancellationToken)
    {
        if (provider.RequiresNonce && provider.Kind != ProviderKind.Amazon)
            throw new EntryException(EntryFault.NotAccepted, "nonce-required", "This provider's tokens must carry a nonce of the "
                + "hub, which clients of this API cannot ask for: set requiresNonce of the pool's provider to false.");
        ILoginProvider opened = _openedForBearers.GetValue(
            provider, known => providers.Value.Open(pool.Name, Translate(known), new UnboundUse()));
        return (await ProveAsync(pool, opened, new LoginToken(token), cancellationToken).ConfigureAwait(false)).Login;
    }

    private async Task<(LoginRow Login, string? MergesFrom)> ProveAsync(
        IdentityPool pool, ILoginProvider opened, LoginToken token, CancellationToken cancellationToken)
    {
        using Activity? activity = HubTelemetry.Begin("login", pool.Name);
        LoginResult result = await opened.ValidateAsync(token, cancellationToken).ConfigureAwait(false);
        HubTelemetry.Logins.Add(1, HubTelemetry.Pool(pool.Name), HubTelemetry.Tag("provider", opened.Name),
            HubTelemetry.Tag("outcome", result.Reason == LoginReason.None ? "Accepted" : result.Reason.ToString()));
        if (result.Login is { } login)
        {
            if (JsonSerializer.SerializeToUtf8Bytes(login.Claims).Length > ClaimsBytesMax)
                throw new EntryException(EntryFault.BadRequest, "claims-too-long", "The claims that this pool takes from the "
                    + $"login are more than the {ClaimsBytesMax:N0} bytes that fit into a credential. Let the pool carry fewer.");
            return (new LoginRow(login.Provider, login.Subject, time.GetUtcNow(), login.Claims.ToDictionary(
                static claim => claim.Key, static claim => (IReadOnlyList<string>)[claim.Value], StringComparer.Ordinal)),
                login.MergesFrom);
        }

        activity?.SetStatus(ActivityStatusCode.Error, result.Reason.ToString());
        LogRefused(pool.Name, opened.Name, result.Reason, result.Detail);
        throw result.Outcome == Logins.LoginOutcome.Unavailable
            ? new EntryException(EntryFault.ProviderUnavailable, "provider-unavailable", result.PublicText!)
            : new EntryException(EntryFault.NotAccepted, "login-not-accepted", result.PublicText!);
    }

    private static Logins.ProviderDefinition Translate(ProviderDefinition definition) => new()
    {
        Name = definition.Name, Kind = Enum.Parse<Logins.ProviderKind>(definition.Kind.ToString()), Issuer = definition.Issuer,
        ClientIds = definition.Kind == ProviderKind.Amazon && definition.AppId is { } id ? [id] : definition.Audiences,
        AuthorizedParties = definition.AuthorizedParties, BaseAddress = definition.BaseAddress,
        AppId = definition.Kind == ProviderKind.Facebook ? definition.AppId : null, AppSecret = definition.AppSecret,
        Keys = [.. definition.Keys.Select(KeyOf)], Claims = definition.Claims, RequiresNonce = definition.RequiresNonce,
    };

    /// <summary>A key that has no name is named by its thumbprint.</summary>
    private static DeveloperKey KeyOf(string jwk)
    {
        DeveloperKey key = JsonSerializer.Deserialize<DeveloperKey>(jwk, _jwk)!;
        if (key.Kid is not null) return key;
        return key with { Kid = DeviceProof.Encode(new Microsoft.IdentityModel.Tokens.JsonWebKey(jwk).ComputeJwkThumbprint()) };
    }

    [LoggerMessage(20, LogLevel.Information, "A login of pool {Pool} by {Provider} was refused: {Reason} {Detail}")]
    private partial void LogRefused(string pool, string provider, LoginReason reason, string? detail);
}

/// <summary>Lets a token be shown as often as its holder likes.</summary>
internal sealed class UnboundUse : ISingleUse
{
    public ValueTask<bool> TryUseAsync(string key, DateTimeOffset expires, CancellationToken cancellationToken) =>
        ValueTask.FromResult(true);
}

/// <summary>Nonces and single use, over the hub's challenges.</summary>
internal sealed class HubNonces(Challenges challenges) : INonces, ISingleUse
{
    public const string Purpose = "nonce";

    public ValueTask<bool> TryUseAsync(string pool, string nonce, CancellationToken cancellationToken) =>
        challenges.TryUseAsync(Purpose, pool, nonce, cancellationToken);

    public ValueTask<bool> TryUseAsync(string key, DateTimeOffset expires, CancellationToken cancellationToken) =>
        challenges.TryUseOnceAsync(key, expires, cancellationToken);
}
