using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace SyncEngine.Hub.Cognito.Signing;

/// <summary>Who signed a request, and that it is just this request and was signed now. Thread-safe.</summary>
internal sealed class SignatureCheck(
    IssuedCredentials issued, CognitoIds ids, IOptions<SyncHubOptions> options, TimeProvider time)
{
    private const string DateHeader = "x-amz-date";
    private const string TokenHeader = "x-amz-security-token";
    private const string HashHeader = "x-amz-content-sha256";
    private const string TargetHeader = "x-amz-target";
    private const string TimeFormat = "yyyyMMdd'T'HHmmss'Z'";

    /// <summary>How old a signature may be, or how far ahead.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    /// <summary>The caller by its signature alone; whether an identity is still let in is another question.</summary>
    /// <param name="request">The request; its body was read.</param>
    /// <param name="path">The path as on the wire.</param>
    /// <param name="query">The query as on the wire, without the question mark.</param>
    /// <param name="service">The service that the request is for.</param>
    /// <param name="body">The body's bytes.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="CognitoException">Nobody signed, or the signature does not hold.</exception>
    public async ValueTask<(CognitoCaller Caller, IssuedClaims? Claims)> RequireAsync(
        HttpRequest request, string path, string query, string service, ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken)
    {
        if (request.Headers.Authorization is not [{ Length: > 0 } header])
            throw new CognitoException("MissingAuthenticationTokenException", 403, "Missing Authentication Token");
        AuthorizationHeader authorization = AuthorizationHeader.Parse(header);
        DateTimeOffset now = time.GetUtcNow();
        string signedAt = TimeOf(request);
        CheckScope(authorization, service, signedAt);
        (CognitoCaller caller, IssuedClaims? claims, string secret) =
            await FindAsync(request, authorization.AccessKeyId, cancellationToken).ConfigureAwait(false);
        Verify(request, path, query, authorization, signedAt, secret, body.Span);

        // Who cannot sign learns nothing of times and expiries.
        CheckTime(signedAt, now);
        if (claims is not null && claims.Expires <= now)
            throw new CognitoException("ExpiredTokenException", 403, "The security token included in the request is expired");
        return (caller, claims);
    }

    private static string TimeOf(HttpRequest request)
    {
        if (request.Headers[DateHeader] is [{ } amazon] && DateTimeOffset.TryParseExact(
            amazon, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _)) return amazon;
        if (request.Headers[DateHeader].Count == 0 && request.Headers.Date is [{ } date] && DateTimeOffset.TryParseExact(
            date, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset at))
            return at.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);
        throw new CognitoException("IncompleteSignatureException", 403,
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
    }

    private void CheckScope(AuthorizationHeader authorization, string service, string signedAt)
    {
        if (authorization.Service != service) throw Invalid($"Credential should be scoped to correct service: '{service}'.");
        if (!ids.IsRegion(authorization.Region)) throw Invalid("Credential should be scoped to a valid region.");
        if (!signedAt.StartsWith(authorization.Date + "T", StringComparison.Ordinal))
            throw Invalid("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.");
    }

    private static void CheckTime(string signedAt, DateTimeOffset now)
    {
        DateTimeOffset at = DateTimeOffset.ParseExact(
            signedAt, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        if (at < now - Skew)
            throw Invalid($"Signature expired: {signedAt} is now earlier than {Text(now - Skew)} ({Text(now)} - 5 min.)");
        if (at > now + Skew)
            throw Invalid($"Signature not yet current: {signedAt} is still later than {Text(now + Skew)} ({Text(now)} + 5 min.)");

        static string Text(DateTimeOffset time) => time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);
    }

    private async ValueTask<(CognitoCaller Caller, IssuedClaims? Claims, string Secret)> FindAsync(
        HttpRequest request, string accessKeyId, CancellationToken cancellationToken)
    {
        StringValues tokens = request.Headers[TokenHeader];
        if (tokens.Count == 0)
        {
            CognitoDeveloperKey? key = options.Value.Cognito.DeveloperKeys.FirstOrDefault(
                known => known.AccessKeyId == accessKeyId);
            if (key is not null)
                return (new CognitoCaller { AccessKeyId = accessKeyId, IsDeveloper = true }, null, key.SecretAccessKey);
        }
        else if (tokens is [{ } token]
            && await issued.FindAsync(accessKeyId, token, cancellationToken).ConfigureAwait(false) is { } found)
        {
            return (new CognitoCaller
            {
                AccessKeyId = accessKeyId, Pool = found.Claims.Pool, Id = found.Claims.Id, Role = found.Claims.Role,
                IsGuest = found.Claims.IsGuest,
            }, found.Claims, found.SecretKey);
        }

        throw new CognitoException("UnrecognizedClientException", 403, "The security token included in the request is invalid.");
    }

    private static void Verify(
        HttpRequest request, string path, string query, AuthorizationHeader authorization, string signedAt, string secret,
        ReadOnlySpan<byte> body)
    {
        IReadOnlyList<string> names = authorization.SignedHeaders;
        if (!names.Contains("host")) throw Invalid("'Host' must be a 'SignedHeader' in the AWS Authorization.");
        if (!names.Contains(DateHeader) && !names.Contains("date"))
            throw Invalid("'X-Amz-Date' or 'Date' must be a 'SignedHeader' in the AWS Authorization.");
        if (request.Headers.ContainsKey(TargetHeader) && !names.Contains(TargetHeader))
            throw Invalid("'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.");
        string hash = CanonicalRequest.HashOf(body);
        if (request.Headers.TryGetValue(HashHeader, out StringValues told) && told.ToString() != hash)
            throw Invalid("The provided 'x-amz-content-sha256' header does not match what was computed.");
        List<(string, string)> headers = [.. names.Select(name => (name, string.Join(',', (string?[])request.Headers[name]!)))];
        string canonical = CanonicalRequest.Of(request.Method, path, query, headers, hash);
        string expected = CanonicalRequest.Sign(secret, authorization.Date, authorization.Region, authorization.Service,
            CanonicalRequest.TextToSign(signedAt, authorization.Scope, canonical));
        if (!CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(expected), Encoding.ASCII.GetBytes(authorization.Signature)))
            throw Invalid("The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                + "Access Key and signing method. Consult the service documentation for details.");
    }

    private static CognitoException Invalid(string message) => new("InvalidSignatureException", 403, message);
}
