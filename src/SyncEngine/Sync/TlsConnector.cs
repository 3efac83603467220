using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SyncEngine.Causality;

namespace SyncEngine.Sync;

/// <summary>
/// Connects over TCP and TLS. By default the peer's certificate must be valid for <paramref name="host"/> as a browser would
/// have it; two machines on one network use <see cref="TrustsAnyCertificate"/> and a shared secret instead.
/// </summary>
/// <param name="host">A name or an address.</param>
/// <param name="port">1 to 65,535.</param>
public sealed class TlsConnector(string host, int port) : ISyncConnector
{
    private readonly (string Host, int Port) _address = TcpConnector.Checked(host, port);

    /// <summary>SHA-256 of the only certificate taken, 32 bytes; empty (the default) for the usual checks.</summary>
    public ReadOnlyMemory<byte> PinnedCertificate { get; init; }

    /// <summary>
    /// Takes any certificate. Needs <see cref="SyncOptions.Secret"/>: its proof is bound to the certificate, so that nobody in
    /// between passes.
    /// </summary>
    public bool TrustsAnyCertificate { get; init; }

    /// <inheritdoc/>
    public string Name => $"tls://{_address.Host}:{_address.Port}";

    /// <inheritdoc/>
    /// <exception cref="SyncException">The peer's certificate is not trusted (Unauthorized).</exception>
    public async ValueTask<ISyncTransport> ConnectAsync(CancellationToken cancellationToken)
    {
        Stream inner = await TcpConnector.OpenAsync(_address.Host, _address.Port, cancellationToken).ConfigureAwait(false);
        var stream = new SslStream(inner, leaveInnerStreamOpen: false);
        bool wasShown = false;
        try
        {
            await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = _address.Host,
                RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                {
                    wasShown = true;
                    return Trusts(certificate, errors);
                },
            }, cancellationToken).ConfigureAwait(false);
            return new SecureTransport(stream, HashOf(stream.RemoteCertificate!), TrustsAnyCertificate);
        }
        catch (AuthenticationException e)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            if (!wasShown)
                throw new SyncException(SyncErrorCode.ConnectionFailed,
                    $"{Name} does not answer as TLS does: {e.Message} Does it serve without TLS?", innerException: e);
            throw new SyncException(SyncErrorCode.Unauthorized, $"The certificate of {Name} is not trusted: {e.Message} Pin it, "
                + "or use a shared secret with TrustsAnyCertificate.", innerException: e);
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>SHA-256 of a certificate: what binds a connection to it.</summary>
    internal static byte[] HashOf(X509Certificate certificate)
    {
        using var sha = SHA256.Create();
        return sha.ComputeHash(certificate.GetRawCertData());
    }

    private bool Trusts(X509Certificate? certificate, SslPolicyErrors errors)
    {
        if (certificate is null) return false;
        if (!PinnedCertificate.IsEmpty)
            return CryptographicOperations.FixedTimeEquals(HashOf(certificate), PinnedCertificate.Span);
        return TrustsAnyCertificate || errors == SslPolicyErrors.None;
    }
}
