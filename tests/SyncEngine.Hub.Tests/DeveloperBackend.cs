using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace SyncEngine.Hub.Tests;

/// <summary>An app's backend that vouches for its users, as the developer provider of a pool.</summary>
internal sealed class DeveloperBackend : IDisposable
{
    public const string Provider = "backend";
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public string PublicJwk
    {
        get
        {
            ECPoint point = _key.ExportParameters(false).Q;
            return JsonSerializer.Serialize(new
            {
                kid = "k1", kty = "EC", crv = "P-256", x = WebEncoders.Base64UrlEncode(point.X!),
                    y = WebEncoders.Base64UrlEncode(point.Y!),
            });
        }
    }

    /// <summary>A pool that lets in guests and this backend's users.</summary>
    public string Pool(string name, string more = "") => $$"""
        {"name":"{{name}}","allowsGuests":true,"providers":[{"name":"{{Provider}}","kind":"developer",
         "keys":[{{JsonSerializer.Serialize(PublicJwk)}}],"claims":["tenant"]}]{{more}}}
        """;

    public string Vouch(HubApp hub, string pool, string user, TimeSpan? life = null, string? id = null,
        string tenant = "acme", string? mergesFrom = null)
    {
        DateTime now = DateTime.UtcNow;
        var claims = new Dictionary<string, object>
        {
            ["sub"] = user, ["jti"] = id ?? Convert.ToHexString(RandomNumberGenerator.GetBytes(8)), ["tenant"] = tenant,
        };
        if (mergesFrom is not null) claims["merge_from"] = mergesFrom;
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            TokenType = "dev+jwt", Issuer = Provider, Audience = $"{hub.Address.AbsoluteUri.TrimEnd('/')}/pools/{pool}",
            IssuedAt = now, Expires = now + (life ?? TimeSpan.FromMinutes(2)),
            SigningCredentials = new SigningCredentials(
                new ECDsaSecurityKey(_key) { KeyId = "k1" }, SecurityAlgorithms.EcdsaSha256),
            Claims = claims,
        });
    }

    public void Dispose() => _key.Dispose();
}
