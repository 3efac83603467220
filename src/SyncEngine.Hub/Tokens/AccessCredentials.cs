using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using SyncEngine.Hub.Identities;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Tokens;

/// <summary>What an access credential says.</summary>
internal sealed record AccessClaims
{
    public required string Pool { get; init; }

    public required IdentityId Id { get; init; }

    public required string Device { get; init; }

    public required string Role { get; init; }

    /// <summary>The thumbprint of the device's key.</summary>
    public required string KeyThumbprint { get; init; }

    /// <summary>The hash of the role's policy when it was issued.</summary>
    public string PolicyHash { get; init; } = "";

    /// <summary>Claims of the login that policies use.</summary>
    public IReadOnlyDictionary<string, string> Claims { get; init; } = new Dictionary<string, string>();

    public DateTimeOffset IssuedAt { get; init; }

    public DateTimeOffset Expires { get; init; }
}

/// <summary>
/// Temporary credentials: JSON Web Tokens signed with ES256 that the hub takes, and any other service that knows its key set.
/// </summary>
internal sealed class AccessCredentials(SigningKeys keys, HubAddress address, TimeProvider time)
{
    public const string Type = "cred+jwt";
    private const int CharactersMax = 8192;
    private const int CacheMax = 2_000;

    /// <summary>How long a credential lives.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromHours(1);

    /// <summary>How far clocks may differ.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    private readonly JsonWebTokenHandler _handler = new() { SetDefaultTimesOnTokenCreation = false, MapInboundClaims = false };
    private readonly ConcurrentDictionary<string, AccessClaims> _valid = new(StringComparer.Ordinal);

    /// <summary>Issues a credential.</summary>
    public async ValueTask<(string Token, DateTimeOffset Expires)> IssueAsync(
        AccessClaims claims, CancellationToken cancellationToken = default)
    {
        ECDsaSecurityKey key = await keys.CurrentAsync(cancellationToken).ConfigureAwait(false);
        DateTimeOffset now = time.GetUtcNow(), expires = now + Life;
        var descriptor = new SecurityTokenDescriptor
        {
            TokenType = Type, Issuer = address.Issuer, Audience = address.Audience,
            IssuedAt = now.UtcDateTime, Expires = expires.UtcDateTime,
            SigningCredentials = new SigningCredentials(key, SecurityAlgorithms.EcdsaSha256),
            Claims = new Dictionary<string, object>
            {
                ["sub"] = claims.Id.ToString(), ["pool"] = claims.Pool, ["role"] = claims.Role, ["dev"] = claims.Device,
                ["cnf"] = new Dictionary<string, object> { ["jkt"] = claims.KeyThumbprint }, ["pol"] = claims.PolicyHash,
                ["jti"] = DeviceProof.Encode(RandomNumberGenerator.GetBytes(12)),
            },
        };
        if (claims.Claims.Count > 0) descriptor.Claims["clm"] = claims.Claims
            .ToDictionary(static c => c.Key, static c => (object)c.Value);
        return (_handler.CreateToken(descriptor), expires);
    }

    /// <summary>What a credential says; null if it is none of this hub's, or not valid now.</summary>
    public async ValueTask<AccessClaims?> ValidateAsync(string token, CancellationToken cancellationToken = default)
    {
        if (token.Length > CharactersMax) return null;
        string hash = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        if (_valid.TryGetValue(hash, out AccessClaims? known)) return known.Expires + Skew > time.GetUtcNow() ? known : null;
        IReadOnlyList<SecurityKey> signing = await keys.AllAsync(cancellationToken).ConfigureAwait(false);
        TokenValidationResult result = await _handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256], ValidTypes = [Type], ValidIssuer = address.Issuer,
            ValidAudience = address.Audience, IssuerSigningKeys = signing, RequireExpirationTime = true,
                RequireSignedTokens = true,
            ClockSkew = Skew, LifetimeValidator = (from, to, _, _) => IsWithin(from, to),
        }).ConfigureAwait(false);
        if (!result.IsValid || result.SecurityToken is not JsonWebToken jwt || Read(jwt) is not { } claims) return null;
        if (_valid.Count >= CacheMax) Trim();
        _valid[hash] = claims;
        return claims;
    }

    private bool IsWithin(DateTime? from, DateTime? to)
    {
        DateTime now = time.GetUtcNow().UtcDateTime;
        return to is { } until && until + Skew > now && (from is null || from - Skew <= now);
    }

    private static AccessClaims? Read(JsonWebToken jwt)
    {
        if (!jwt.TryGetPayloadValue("pool", out string? pool) || !jwt.TryGetPayloadValue("role", out string? role)
            || !jwt.TryGetPayloadValue("dev", out string? device) || !IdentityText.TryParse(jwt.Subject, out IdentityId id)
            || !jwt.TryGetPayloadValue("cnf", out System.Text.Json.JsonElement cnf)
            || !cnf.TryGetProperty("jkt", out System.Text.Json.JsonElement thumbprint)) return null;
        jwt.TryGetPayloadValue("pol", out string? policy);
        Dictionary<string, string> claims = jwt.TryGetPayloadValue("clm", out System.Text.Json.JsonElement carried)
            ? carried.EnumerateObject().ToDictionary(static c => c.Name, static c => c.Value.GetString() ?? "") : [];
        return new AccessClaims
        {
            Pool = pool!, Id = id, Role = role!, Device = device!, KeyThumbprint = thumbprint.GetString() ?? "",
            PolicyHash = policy ?? "", Claims = claims, IssuedAt = new DateTimeOffset(jwt.IssuedAt, TimeSpan.Zero),
            Expires = new DateTimeOffset(jwt.ValidTo, TimeSpan.Zero),
        };
    }

    private void Trim()
    {
        DateTimeOffset now = time.GetUtcNow();
        foreach (KeyValuePair<string, AccessClaims> entry in _valid)
            if (entry.Value.Expires + Skew <= now) _valid.TryRemove(entry.Key, out _);
        if (_valid.Count >= CacheMax) _valid.Clear();
    }
}
