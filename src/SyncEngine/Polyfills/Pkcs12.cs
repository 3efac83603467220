using System.Security.Cryptography.X509Certificates;

namespace SyncEngine;

/// <summary>Loads a certificate with its key.</summary>
internal static class Pkcs12
{
    public static X509Certificate2 Load(byte[] bytes) =>
#if NET
        X509CertificateLoader.LoadPkcs12(bytes, null);
#else
        new(bytes);
#endif
}
