using System.Security.Cryptography;
using System.Text;
using BenchmarkDotNet.Attributes;
using SyncEngine.Policies;

namespace SyncEngine.Benchmarks;

/// <summary>What does it cost a service to verify a credential of a hub, and to refuse a forged one?</summary>
[MemoryDiagnoser]
public class CredentialBenchmarks
{
    private const string Issuer = "https://hub.example";
    private const string Audience = "orders";

    private string _credential = "", _forged = "";
    private CredentialVerifier _verifier = null!;

    [GlobalSetup]
    public void Sign()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256), other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        ECPoint point = key.ExportParameters(false).Q;
        string keys = $$"""
            {"keys":[{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"key-1",
             "x":"{{Encode(point.X!)}}","y":"{{Encode(point.Y!)}}"}]}
            """;
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        string header = """{"alg":"ES256","kid":"key-1","typ":"cred+jwt"}""";
        string payload = $$"""
            {"iss":"{{Issuer}}","aud":"{{Audience}}","sub":"0123456789abcdef0123456789abcdef","pool":"game","role":"auth",
             "dev":"00112233445566778899aabbccddeeff","pol":"hash","iat":{{now}},"exp":{{now + 86_400}},"clm":{"tenant":"acme"} }
            """;
        string signed = $"{Encode(Encoding.UTF8.GetBytes(header))}.{Encode(Encoding.UTF8.GetBytes(payload))}";
        _credential = Sign(key, signed);
        _forged = Sign(other, signed);
        _verifier = new CredentialVerifier(Issuer, Audience, keys);
        if (!Verify() || Refuse()) throw new InvalidOperationException("The verifier says otherwise.");
    }

    [Benchmark(Baseline = true)]
    public bool Verify() => _verifier.TryVerify(_credential, out _);

    [Benchmark]
    public bool Refuse() => _verifier.TryVerify(_forged, out _);

    private static string Sign(ECDsa key, string signed) =>
        $"{signed}.{Encode(key.SignData(Encoding.UTF8.GetBytes(signed), HashAlgorithmName.SHA256))}";

    private static string Encode(byte[] bytes) =>
        Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
