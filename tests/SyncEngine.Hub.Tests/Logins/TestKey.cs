using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace SyncEngine.Hub.Tests.Logins;

/// <summary>A key that signs tokens just as a test says, right or wrong.</summary>
internal sealed class TestKey : IDisposable
{
    private readonly AsymmetricAlgorithm _key;

    public TestKey(string algorithm, string kid, int rsaBits = 2048)
    {
        (Algorithm, Kid) = (algorithm, kid);
        _key = algorithm.StartsWith("ES", StringComparison.Ordinal)
            ? ECDsa.Create(ECCurve.NamedCurves.nistP256) : RSA.Create(rsaBits);
    }

    public string Algorithm { get; }

    public string Kid { get; }

    /// <summary>The public key as a JSON Web Key.</summary>
    public JsonObject Public()
    {
        var jwk = new JsonObject { ["kid"] = Kid, ["use"] = "sig", ["alg"] = Algorithm };
        if (_key is ECDsa curve)
        {
            ECParameters point = curve.ExportParameters(false);
            (jwk["kty"], jwk["crv"]) = ("EC", "P-256");
            (jwk["x"], jwk["y"]) = (Base64Url.EncodeToString(point.Q.X), Base64Url.EncodeToString(point.Q.Y));
            return jwk;
        }

        RSAParameters numbers = ((RSA)_key).ExportParameters(false);
        jwk["kty"] = "RSA";
        (jwk["n"], jwk["e"]) = (Base64Url.EncodeToString(numbers.Modulus), Base64Url.EncodeToString(numbers.Exponent));
        return jwk;
    }

    public string PublicPem() => _key.ExportSubjectPublicKeyInfoPem();

    public string Sign(JsonObject claims, Action<JsonObject>? changeHeader = null) => Sign(claims.ToJsonString(), changeHeader);

    public string Sign(string claims, Action<JsonObject>? changeHeader = null)
    {
        var header = new JsonObject { ["alg"] = Algorithm, ["kid"] = Kid };
        changeHeader?.Invoke(header);
        string signed = Encode(header.ToJsonString()) + "." + Encode(claims);
        byte[] bytes = Encoding.ASCII.GetBytes(signed);
        byte[] signature = _key switch
        {
            ECDsa curve => curve.SignData(bytes, HashAlgorithmName.SHA256),
            _ => ((RSA)_key).SignData(bytes, HashAlgorithmName.SHA256,
                Algorithm.StartsWith("PS", StringComparison.Ordinal) ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1),
        };
        return signed + "." + Base64Url.EncodeToString(signature);
    }

    /// <summary>A token signed with HMAC.</summary>
    public static string SignHs256(JsonObject claims, string kid, byte[] secret)
    {
        string signed = Encode($$"""{"alg":"HS256","kid":"{{kid}}"}""") + "." + Encode(claims.ToJsonString());
        return signed + "." + Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(signed)));
    }

    public static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));

    public void Dispose() => _key.Dispose();
}
