using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace SyncEngine.Sync;

/// <summary>Certificates for machines that have no name on the internet.</summary>
public static class PeerCertificate
{
    /// <summary>
    /// Makes a certificate that nobody vouches for, with a new P-256 key that stays in memory: for a <see cref="SyncListener"/>
    /// whose peers prove a shared secret, or pin it. Valid for ten years.
    /// </summary>
    /// <param name="name">What it calls the machine; only shown.</param>
    public static X509Certificate2 CreateSelfSigned(string name = "SyncEngine peer")
    {
        ArgumentNullException.ThrowIfNull(name);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = new X500DistinguishedName("CN=\"" + name.Replace("\"", "", StringComparison.Ordinal) + "\"");
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(10));

        // Some systems let TLS use a key only after it went through a container.
        return Pkcs12.Load(certificate.Export(X509ContentType.Pkcs12));
    }
}
