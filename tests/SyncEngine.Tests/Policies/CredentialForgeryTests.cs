using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using SyncEngine.Policies;
using Xunit;

namespace SyncEngine.Tests.Policies;

/// <summary>Signatures that somebody without the hub's private key can make.</summary>
public sealed class CredentialForgeryTests : IDisposable
{
    private readonly CredentialMint _mint = new();
    private readonly CredentialVerifier _verifier;

    public CredentialForgeryTests() => _verifier = new CredentialVerifier(
        CredentialMint.Issuer, CredentialMint.Audience, _mint.KeySet, new StandingClock());

    public static TheoryData<string, string> Secrets()
    {
        var secrets = new TheoryData<string, string>();
        foreach (string algorithm in (string[])["HS256", "HS384", "HS512", "ES256"])
            foreach (string form in (string[])["key set", "key", "pem", "der", "point", "x", "kid", "nothing"])
                secrets.Add(algorithm, form);
        return secrets;
    }

    public void Dispose() => _mint.Dispose();

    [Theory]
    [MemberData(nameof(Secrets))]
    public void A_code_keyed_with_what_is_public_is_refused(string algorithm, string form)
    {
        ECPoint point = _mint.Key.ExportParameters(false).Q;
        byte[] secret = form switch
        {
            "key set" => Encoding.UTF8.GetBytes(_mint.KeySet),
            "key" => Encoding.UTF8.GetBytes(_mint.KeyJson().ToJsonString()),
            "pem" => Encoding.UTF8.GetBytes(_mint.Key.ExportSubjectPublicKeyInfoPem()),
            "der" => _mint.Key.ExportSubjectPublicKeyInfo(),
            "point" => [4, .. point.X!, .. point.Y!],
            "x" => point.X!,
            "kid" => Encoding.UTF8.GetBytes(_mint.KeyId),
            _ => [],
        };
        string signed = Signed(algorithm);
        byte[] bytes = Encoding.UTF8.GetBytes(signed);
        byte[] code = algorithm switch
        {
            "HS512" => HMACSHA512.HashData(secret, bytes),
            "HS384" => HMACSHA384.HashData(secret, bytes),
            _ => HMACSHA256.HashData(secret, bytes),
        };
        Refuse($"{signed}.{CredentialMint.Encode(code)}");

        // Also where it is as long as a signature of the hub's.
        byte[] padded = new byte[64];
        code.CopyTo(padded, 0);
        Refuse($"{signed}.{CredentialMint.Encode(padded)}");
    }

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("NONE")]
    [InlineData("")]
    [InlineData("ES256")]
    public void None_is_refused_without_and_with_a_signature(string algorithm)
    {
        string signed = Signed(algorithm);
        Refuse(signed);
        Refuse(signed + ".");
        Refuse($"{signed}.{CredentialMint.Encode(new byte[64])}");
        if (algorithm != "ES256") Refuse(_mint.SignText(signed));
    }

    [Fact]
    public void The_hubs_own_signature_in_another_form_is_refused()
    {
        string signed = Signed("ES256");
        byte[] bytes = Encoding.UTF8.GetBytes(signed);

        // Some signatures are as long as the other form: enough are made to have such, too.
        for (int i = 0; i < 64; i++)
        {
            byte[] der = _mint.Key.SignData(bytes, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
            Assert.True(_mint.Key.VerifyData(bytes, der, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
            Refuse($"{signed}.{CredentialMint.Encode(der)}");
            Refuse($"{signed}.{CredentialMint.Encode(der[..64])}");
            Refuse($"{signed}.{CredentialMint.Encode(der[^64..])}");
        }
    }

    [Fact]
    public void Another_key_under_the_same_id_is_refused_until_the_hub_publishes_it()
    {
        using var other = new CredentialMint();
        Assert.Equal(_mint.KeyId, other.KeyId);
        Refuse(other.Sign());
        Assert.True(_verifier.TryVerify(_mint.Sign(), out _));
        _verifier.Update(other.KeySet);
        Refuse(_mint.Sign());
        Assert.True(_verifier.TryVerify(other.Sign(), out _));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    public void Numbers_that_sign_everything_in_a_careless_check_are_refused(int r, int s)
    {
        byte[] order = Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
        foreach (byte[] number in (byte[][])[new byte[32], order])
        {
            byte[] signature = new byte[64];
            number.CopyTo(signature, 0);
            number.CopyTo(signature, 32);
            signature[31] += (byte)r;
            signature[63] += (byte)s;
            Refuse($"{Signed("ES256")}.{CredentialMint.Encode(signature)}");
        }
    }

    private string Signed(string algorithm)
    {
        JsonObject header = _mint.Header();
        header["alg"] = algorithm;
        return CredentialMint.Encode(Encoding.UTF8.GetBytes(header.ToJsonString())) + "."
            + CredentialMint.Encode(Encoding.UTF8.GetBytes(CredentialMint.Payload().ToJsonString()));
    }

    private void Refuse(string token)
    {
        Assert.False(_verifier.TryVerify(token, out VerifiedCredential? verified), token);
        Assert.Null(verified);
    }

    private sealed class StandingClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => CredentialMint.Now;
    }
}
