using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using SyncEngine.Causality;
using SyncEngine.Policies;
using Xunit;

namespace SyncEngine.Tests.Policies;

public sealed class CredentialVerifierTests : IDisposable
{
    private readonly CredentialMint _mint = new();
    private readonly StandingClock _clock = new() { Now = CredentialMint.Now };
    private readonly CredentialVerifier _verifier;

    public CredentialVerifierTests() =>
        _verifier = new CredentialVerifier(CredentialMint.Issuer, CredentialMint.Audience, _mint.KeySet, _clock);

    public void Dispose() => _mint.Dispose();

    [Fact]
    public void A_credential_of_the_hub_says_who_asks()
    {
        VerifiedCredential credential = _verifier.Verify(_mint.Sign());
        Assert.Equal("0123456789abcdef0123456789abcdef", credential.IdentityId.ToString());
        Assert.Equal(("game", "auth", "hash"), (credential.Pool, credential.Role, credential.PolicyHash));
        Assert.Equal("00112233445566778899aabbccddeeff", credential.DeviceId);
        Assert.Equal((CredentialMint.Now, CredentialMint.Now.AddHours(1)), (credential.IssuedAt, credential.Expires));
        Assert.Equal("acme", Assert.Single(credential.Claims, static claim => claim.Key == "tenant").Value);
        PolicyContext context = credential.ToPolicyContext();
        Policy policy = Policy.Parse("""
            {"version":1,"statements":[{"effect":"allow","action":"a",
             "resource":"${identity.id}/${pool}/${role}/${device.id}/${claim.tenant}"}]}
            """);
        Assert.True(policy.Allows(
            "a", "0123456789abcdef0123456789abcdef/game/auth/00112233445566778899aabbccddeeff/acme", context));
    }

    [Fact]
    public void Claims_and_the_policy_hash_may_be_missing()
    {
        JsonObject payload = CredentialMint.Payload();
        payload.Remove("clm");
        payload.Remove("pol");
        VerifiedCredential credential = _verifier.Verify(_mint.Sign(payload));
        Assert.Empty(credential.Claims);
        Assert.Equal("", credential.PolicyHash);
    }

    [Theory]
    [InlineData("iss", "null", "another issuer")]
    [InlineData("iss", "\"https://hub.example/\"", "another issuer")]
    [InlineData("aud", "\"other\"", "another audience")]
    [InlineData("aud", "[\"orders\",\"other\"]", "several audiences")]
    [InlineData("exp", "null", "no end")]
    [InlineData("exp", "\"1795000000\"", "an end that is a text")]
    [InlineData("exp", "9223372036854775807", "an end after all years")]
    [InlineData("exp", "1e400", "an end that is no number of 64 bits")]
    [InlineData("exp", "-1", "an end before 1970")]
    [InlineData("iat", "null", "no start")]
    [InlineData("iat", "1e3", "a start that is not written as an integer")]
    [InlineData("nbf", "\"soon\"", "a not-before that is a text")]
    [InlineData("nbf", "1800000000", "not before a later time")]
    [InlineData("sub", "null", "nobody")]
    [InlineData("sub", "\"0123456789ABCDEF0123456789ABCDEF\"", "an id in capitals")]
    [InlineData("sub", "\"0123\"", "a short id")]
    [InlineData("sub", "\"+123456789abcdef0123456789abcdef\"", "an id with a sign")]
    [InlineData("pool", "\"\"", "no pool")]
    [InlineData("pool", "7", "a pool that is a number")]
    [InlineData("role", "null", "no role")]
    [InlineData("role", "[\"auth\"]", "several roles")]
    [InlineData("role", "\"\\ud800\"", "a role that is no Unicode")]
    [InlineData("dev", "null", "no device")]
    [InlineData("pol", "{}", "a hash that is an object")]
    [InlineData("clm", "\"tenant\"", "claims that are a text")]
    [InlineData("clm", "null", "claims that are null")]
    [InlineData("clm", "{\"tenant\":7}", "a claim that is a number")]
    [InlineData("clm", "{\"tenant\":\"a\",\"tenant\":\"b\"}", "a claim twice")]
    [InlineData("clm", "{\"tenant\":\"a\",\"t\\u0065nant\":\"b\"}", "a claim twice, spelt differently")]
    [InlineData("clm", "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{}}}}}}}}", "deep claims")]
    public void A_signed_payload_is_refused_with(string member, string value, string what)
    {
        JsonObject payload = CredentialMint.Payload();
        payload.Remove(member);
        Refuse(_mint.Sign(_mint.Header().ToJsonString(), $$"""{"{{member}}":{{value}},{{payload.ToJsonString()[1..]}}"""), what);
    }

    [Theory]
    [InlineData("iss", "\"https://hub.example\"")]
    [InlineData("exp", "1800000000")]
    [InlineData("role", "\"admin\"")]
    [InlineData("more", "1,\"more\":2")]
    public void A_member_twice_is_refused(string member, string value) => Refuse(_mint.Sign(
        _mint.Header().ToJsonString(), $$"""{"{{member}}":{{value}},{{CredentialMint.Payload().ToJsonString()[1..]}}"""), member);

    [Theory]
    [InlineData("alg", "\"none\"")]
    [InlineData("alg", "\"HS256\"")]
    [InlineData("alg", "\"ES384\"")]
    [InlineData("alg", "\"es256\"")]
    [InlineData("alg", "null")]
    [InlineData("typ", "\"JWT\"")]
    [InlineData("typ", "\"CRED+JWT\"")]
    [InlineData("typ", "null")]
    [InlineData("kid", "\"key-2\"")]
    [InlineData("kid", "\"\"")]
    [InlineData("kid", "null")]
    [InlineData("crit", "[\"b64\"]")]
    [InlineData("crit", "[]")]
    [InlineData("alg\":\"ES256\",\"alg", "\"ES256\"")]
    [InlineData("jwk", "{\"kty\":\"EC\",\"kty\":\"EC\"}")]
    public void A_signed_header_is_refused_with(string member, string value)
    {
        JsonObject header = _mint.Header();
        header.Remove(member);
        if (member.StartsWith("alg", StringComparison.Ordinal)) header.Remove("alg");
        string text = $$"""{"{{member}}":{{value}},{{header.ToJsonString()[1..]}}""";
        Refuse(_mint.Sign(text, CredentialMint.Payload().ToJsonString()), value);
    }

    [Fact]
    public void A_key_that_the_credential_brings_is_not_used()
    {
        using var forger = new CredentialMint();
        JsonObject header = forger.Header();
        header["jwk"] = forger.KeyJson();
        header["jku"] = "https://forger.example/jwks.json";
        Refuse(forger.Sign(header.ToJsonString(), CredentialMint.Payload().ToJsonString()), "its own key");
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("...")]
    [InlineData("a")]
    [InlineData("a.b")]
    [InlineData("a.b.c")]
    [InlineData("e30.e30.")]
    [InlineData("bnVsbA.bnVsbA.AA")]
    public void No_token_is_refused(string token) => Refuse(token, token);

    [Fact]
    public void Tokens_that_are_not_as_they_were_signed_are_refused()
    {
        string token = _mint.Sign();
        string[] parts = token.Split('.');
        JsonObject other = CredentialMint.Payload();
        other["role"] = "admin";
        string payload = CredentialMint.Encode(Encoding.UTF8.GetBytes(other.ToJsonString()));
        Refuse($"{parts[0]}.{payload}.{parts[2]}", "another payload");
        Refuse($"{parts[0]}.{parts[1]}.", "no signature");
        Refuse($"{parts[0]}.{parts[1]}.{new string('A', 86)}", "a signature of noughts");
        Refuse($"{parts[0]}.{parts[1]}.{parts[2]}AA", "a longer signature");
        Refuse($"{parts[0]}.{parts[1]}.{parts[2][..^2]}", "a shorter signature");
        Refuse(token + ".", "a part too many");
        Refuse(token + "=", "padding");
        Refuse(" " + token, "a blank before");
        Refuse(token + "\n", "a line end after");
        Refuse("Bearer " + token, "its scheme");
        byte[] der = _mint.Key.SignData(Encoding.UTF8.GetBytes($"{parts[0]}.{parts[1]}"), HashAlgorithmName.SHA256);
        Refuse($"{parts[0]}.{parts[1]}.{CredentialMint.Encode([0x30, .. der])}", "a signature with a byte before");

        // The last digit of a signature of 64 bytes has four bits that say nothing.
        char last = parts[2][^1];
        foreach (char digit in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".Where(digit => digit != last))
            Refuse($"{parts[0]}.{parts[1]}.{parts[2][..^1]}{digit}", "another spelling of the signature");
        Assert.True(_verifier.TryVerify(token, out _));
    }

    [Fact]
    public void Spellings_of_the_signed_parts_are_strict()
    {
        string[] parts = _mint.Sign().Split('.');
        Refuse(_mint.SignText($"{parts[0]}=.{parts[1]}"), "padding in the header");
        Refuse(_mint.SignText($"{parts[0]}.{parts[1]}="), "padding in the payload");
        Refuse(_mint.SignText($"{parts[0]}.{parts[1]}\u00e9"), "a letter outside of the alphabet");
        Refuse(_mint.SignText($"{parts[0]}.+{parts[1]}"), "the other alphabet");
        byte[] header = Encoding.UTF8.GetBytes(_mint.Header().ToJsonString());
        byte[] payload = Encoding.UTF8.GetBytes(CredentialMint.Payload().ToJsonString());
        Assert.True(_verifier.TryVerify(_mint.SignBytes(header, payload), out _));
        Refuse(_mint.SignBytes(header, [0xEF, 0xBB, 0xBF, .. payload]), "a byte order mark");
        Refuse(_mint.SignBytes(header, [.. payload, .. "{}"u8]), "something after the object");
        Refuse(_mint.SignBytes(header, [.. payload, .. "//x"u8]), "a comment");
        Refuse(_mint.SignBytes(header, [.. "{\"x\":\""u8, 0xFF, .. "\","u8, .. payload[1..]]), "bytes that are no UTF-8");
        Refuse(_mint.SignBytes(header, [.. "{\""u8, 0xFF, .. "\":1,"u8, .. payload[1..]]), "a name that is no UTF-8");
        Refuse(_mint.SignBytes(header, "[]"u8.ToArray()), "an array");
        Refuse(_mint.SignBytes("[]"u8.ToArray(), payload), "a header that is an array");
    }

    [Fact]
    public void A_long_credential_is_refused_before_it_is_read()
    {
        JsonObject payload = CredentialMint.Payload();
        payload["clm"]!["pad"] = "";
        int room = (CredentialVerifier.CharactersMax - _mint.Sign(payload).Length) * 3 / 4;
        payload["clm"]!["pad"] = new string('x', room - 2);
        Assert.True(_verifier.TryVerify(_mint.Sign(payload), out _));
        payload["clm"]!["pad"] = new string('x', room + 3);
        Refuse(_mint.Sign(payload), "too long");
    }

    [Theory]
    [InlineData(-61, false)]
    [InlineData(-60, true)]
    [InlineData(3600 + 59, true)]
    [InlineData(3600 + 60, false)]
    public void Clocks_may_differ_by_60_seconds(int seconds, bool isValid)
    {
        _clock.Now = CredentialMint.Now.AddSeconds(seconds);
        Assert.Equal(isValid, _verifier.TryVerify(_mint.Sign(), out VerifiedCredential? verified));
        Assert.Equal(isValid, verified is not null);
    }

    [Fact]
    public void One_that_ends_before_it_starts_is_refused()
    {
        JsonObject payload = CredentialMint.Payload();
        payload["exp"] = CredentialMint.Now.ToUnixTimeSeconds() - 1;
        Refuse(_mint.Sign(payload), "ends before it starts");
    }

    private void Refuse(string token, string what)
    {
        Assert.False(_verifier.TryVerify(token, out VerifiedCredential? verified), what);
        Assert.Null(verified);
        SyncException refusal = Assert.Throws<SyncException>(() => _verifier.Verify(token));
        Assert.Equal(SyncErrorCode.Unauthorized, refusal.Code);
        Assert.Equal("The credential is not valid: get a new one from the hub.", refusal.Message);
        Assert.Null(refusal.InnerException);
    }

    private sealed class StandingClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
