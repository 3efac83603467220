using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using SyncEngine.Hub.Rows;
using SyncEngine.Hub.Tokens;
using SyncEngine.Identities;
using Xunit;

namespace SyncEngine.Hub.Tests.Tokens;

public sealed class AccessCredentialsTests : IDisposable
{
    private static readonly IdentityId _id = new(1, 2);
    private readonly HubClock _clock = new();
    private readonly HubRows _rows = new();
    private readonly SigningKeys _keys;
    private readonly AccessCredentials _credentials;

    public AccessCredentialsTests()
    {
        _keys = new SigningKeys(_rows, _clock);
        _credentials = Credentials(_keys);
    }

    [Fact]
    public async Task It_says_what_was_issued_for_an_hour_and_the_skew()
    {
        string token = await IssueAsync();
        AccessClaims claims = (await _credentials.ValidateAsync(token))!;
        Assert.Equal(("game", _id, "dev", "guest", "jkt", "pol", "acme"), (claims.Pool, claims.Id, claims.Device, claims.Role,
            claims.KeyThumbprint, claims.PolicyHash, claims.Claims["tenant"]));
        _clock.Advance(AccessCredentials.Life + AccessCredentials.Skew - TimeSpan.FromSeconds(1));
        Assert.NotNull(await _credentials.ValidateAsync(token));
        Assert.NotNull(await Credentials(_keys).ValidateAsync(token));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await _credentials.ValidateAsync(token));
        Assert.Null(await Credentials(_keys).ValidateAsync(token));
    }

    [Fact]
    public async Task What_the_hub_signed_otherwise_is_refused()
    {
        SecurityKey key = await _keys.CurrentAsync();
        Assert.NotNull(await _credentials.ValidateAsync(Forge(key)));
        Assert.Null(await _credentials.ValidateAsync(Forge(key, type: "JWT")));
        Assert.Null(await _credentials.ValidateAsync(Forge(key, type: "at+jwt")));
        Assert.Null(await _credentials.ValidateAsync(Forge(key, issuer: "https://other")));
        Assert.Null(await _credentials.ValidateAsync(Forge(key, audience: "other")));
        Assert.Null(await _credentials.ValidateAsync(Forge(key, life: TimeSpan.FromHours(-1))));
        Assert.Null(await _credentials.ValidateAsync(Forge(key, life: null)));
        Assert.Null(await _credentials.ValidateAsync(Forge(key, subject: "../1")));
        Assert.Null(await _credentials.ValidateAsync(Forge(key, more: new string('x', 8200))));
        Assert.Null(await _credentials.ValidateAsync(Forge(key, cnf: "text")));
        Assert.Empty((await _credentials.ValidateAsync(Forge(key, clm: "text")))!.Claims);
    }

    [Fact]
    public async Task Other_keys_and_algorithms_are_refused()
    {
        var real = (ECDsaSecurityKey)await _keys.CurrentAsync();
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Null(await _credentials.ValidateAsync(Forge(new ECDsaSecurityKey(stranger) { KeyId = real.KeyId })));
        Assert.Null(await _credentials.ValidateAsync(Forge(
            new SymmetricSecurityKey(real.ECDsa.ExportSubjectPublicKeyInfo()) { KeyId = real.KeyId }, algorithm: "HS256")));
        string good = Forge(real), body = good.Split('.')[1];
        foreach (string algorithm in (string[])["none", "None", "HS256", "ES384", ""])
        {
            string header = WebEncoders.Base64UrlEncode(JsonSerializer.SerializeToUtf8Bytes(
                new { alg = algorithm, typ = AccessCredentials.Type, kid = real.KeyId }));
            Assert.Null(await _credentials.ValidateAsync($"{header}.{body}."));
            Assert.Null(await _credentials.ValidateAsync($"{header}.{body}.{good.Split('.')[2]}"));
        }
    }

    [Fact]
    public async Task Whatever_is_changed_in_it_is_noticed_though_the_sound_one_is_remembered()
    {
        string token = await IssueAsync();
        Assert.NotNull(await _credentials.ValidateAsync(token));
        int lastOfSignature = token.Length - 1;
        for (int i = 0; i < lastOfSignature; i += 7)
        {
            string changed = token[..i] + (token[i] == 'A' ? 'B' : 'A') + token[(i + 1)..];
            Assert.True(await _credentials.ValidateAsync(changed) is null, $"Character {i} changed.");
        }

        foreach (string wrong in (string[])["", ".", "..", "a.b.c", token[..^2], token + "." + token, new string('.', 8000)])
            Assert.Null(await _credentials.ValidateAsync(wrong));
    }

    public void Dispose() => _keys.Dispose();

    private AccessCredentials Credentials(SigningKeys keys) =>
        new(keys, new HubAddress("https://hub", "apps", static () => null), _clock);

    private async Task<string> IssueAsync() => (await _credentials.IssueAsync(new AccessClaims
    {
        Pool = "game", Id = _id, Device = "dev", Role = "guest", KeyThumbprint = "jkt", PolicyHash = "pol",
        Claims = new Dictionary<string, string> { ["tenant"] = "acme" },
    })).Token;

    private string Forge(SecurityKey key, string algorithm = "ES256", string type = AccessCredentials.Type,
        string issuer = "https://hub", string audience = "apps", string? subject = null, string more = "", object? cnf = null,
        object? clm = null) => Forge(key, TimeSpan.FromHours(1), algorithm, type, issuer, audience, subject, more, cnf, clm);

    private string Forge(SecurityKey key, TimeSpan? life, string algorithm = "ES256", string type = AccessCredentials.Type,
        string issuer = "https://hub", string audience = "apps", string? subject = null, string more = "", object? cnf = null,
        object? clm = null)
    {
        DateTime now = _clock.GetUtcNow().UtcDateTime;
        var descriptor = new SecurityTokenDescriptor
        {
            TokenType = type, Issuer = issuer, Audience = audience, IssuedAt = now, Expires = now + life,
            SigningCredentials = new SigningCredentials(key, algorithm),
            Claims = new Dictionary<string, object>
            {
                ["sub"] = subject ?? _id.ToString(), ["pool"] = "game", ["role"] = "guest", ["dev"] = "dev", ["more"] = more,
                ["cnf"] = cnf ?? new Dictionary<string, object> { ["jkt"] = "x" },
                ["clm"] = clm ?? new Dictionary<string, object>(),
            },
        };
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(descriptor);
    }
}
