using System.Globalization;
using System.Security;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using SyncEngine.Hub.Cognito.IdentityApi;
using SyncEngine.Hub.Cognito.Signing;
using SyncEngine.Hub.Cognito.Wire;
using SyncEngine.Hub.Endpoints;
using SyncEngine.Hub.Identities;

namespace SyncEngine.Hub.Cognito.Sts;

/// <summary>The one operation of STS that the classic flow needs: <c>AssumeRoleWithWebIdentity</c> with a token of this hub.
/// Form in, XML out, unsigned.</summary>
internal sealed class StsEndpoint(
    OpenIdTokens tokens, IdentityAccess access, IssuedCredentials credentials, JsonBodyReader bounds)
{
    private const string Namespace = "https://sts.amazonaws.com/doc/2011-06-15/";
    private const int BodyBytesMax = 64 * 1024;
    private const int SecondsMin = 15 * 60;
    private const int SecondsMax = 12 * 60 * 60;

    public async Task AnswerAsync(HttpContext context)
    {
        try
        {
            ReadOnlyMemory<byte> body = await CognitoBody.ReadAsync(context, bounds, BodyBytesMax).ConfigureAwait(false);
            Dictionary<string, string> form = Read(body.Span);
            string action = form.GetValueOrDefault("Action", "");
            if (action != "AssumeRoleWithWebIdentity")
                throw new CognitoException("InvalidAction", 400,
                    "Could not find operation: this hub has AssumeRoleWithWebIdentity.");
            string xml = await AssumeAsync(form, RequestIdOf(context), context.RequestAborted).ConfigureAwait(false);
            await CognitoAnswers.WriteXmlAsync(context, xml, StatusCodes.Status200OK).ConfigureAwait(false);
        }
        catch (Exception e) when (CognitoFailures.Of(e) is { } error)
        {
            await CognitoAnswers.WriteXmlAsync(context, ErrorOf(error, RequestIdOf(context)), error.Status).ConfigureAwait(false);
        }
    }

    private async Task<string> AssumeAsync(Dictionary<string, string> form, string requestId, CancellationToken cancellationToken)
    {
        string arn = Required(form, "RoleArn"), token = Required(form, "WebIdentityToken");
        string session = Required(form, "RoleSessionName");
        if (session.Length is < 2 or > 64 || !CognitoPatterns.SessionName().IsMatch(session))
            throw Invalid("RoleSessionName must have 2 to 64 characters, which are letters, digits or of _+=,.@-");
        int seconds = SecondsOf(form);
        OpenIdClaims claims = await tokens.ValidateAsync(token, cancellationToken).ConfigureAwait(false)
            ?? throw new CognitoException("InvalidIdentityToken", 400,
                "The token is none that this hub issued, or it has expired: get a new one with GetOpenIdToken.");
        (CognitoPool pool, IdentityRow row) = await access.RequireAsync(
            claims.IdentityId, isOperator: false, cancellationToken).ConfigureAwait(false);
        if (pool.Id != claims.PoolId || row.State != IdentityState.Active || row.IsGuest == claims.IsAuthenticated
            || (row.IsGuest && !(row.IsOpen && pool.Definition.AllowsGuests)))
            throw CognitoException.AccessDenied("Not authorized to perform sts:AssumeRoleWithWebIdentity");
        if (!pool.AllowsClassicFlow)
            throw CognitoException.AccessDenied("Basic (classic) flow is not enabled, please use enhanced flow.");
        string role = CognitoRoles.Assume(pool, row, arn);
        TimeSpan life = TimeSpan.FromSeconds(Math.Min(seconds, (int)IssuedCredentials.Life.TotalSeconds));
        TemporaryCredentials issued = await credentials.IssueAsync(
            pool.Name, row.Id, role, row.IsGuest, life, cancellationToken).ConfigureAwait(false);
        string expires = issued.Expiration.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return $"""
            <AssumeRoleWithWebIdentityResponse xmlns="{Namespace}">
              <AssumeRoleWithWebIdentityResult>
                <SubjectFromWebIdentityToken>{Text(claims.IdentityId)}</SubjectFromWebIdentityToken>
                <Audience>{Text(claims.PoolId)}</Audience>
                <AssumedRoleUser>
                  <Arn>{Text($"arn:aws:sts::000000000000:assumed-role/{CognitoRoles.NameOf(arn)}/{session}")}</Arn>
                  <AssumedRoleId>{Text($"{issued.AccessKeyId}:{session}")}</AssumedRoleId>
                </AssumedRoleUser>
                <Credentials>
                  <AccessKeyId>{issued.AccessKeyId}</AccessKeyId>
                  <SecretAccessKey>{issued.SecretKey}</SecretAccessKey>
                  <SessionToken>{issued.SessionToken}</SessionToken>
                  <Expiration>{expires}</Expiration>
                </Credentials>
                <Provider>{Text(ProviderNames.Own)}</Provider>
              </AssumeRoleWithWebIdentityResult>
              <ResponseMetadata>
                <RequestId>{requestId}</RequestId>
              </ResponseMetadata>
            </AssumeRoleWithWebIdentityResponse>
            """;
    }

    private static Dictionary<string, string> Read(ReadOnlySpan<byte> body)
    {
        var form = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, StringValues values) in QueryHelpers.ParseQuery(Encoding.UTF8.GetString(body)))
        {
            if (values is not [{ } value]) throw Invalid("A parameter comes twice: send it once.");
            form[name] = value;
        }

        return form;
    }

    private static int SecondsOf(Dictionary<string, string> form)
    {
        if (!form.TryGetValue("DurationSeconds", out string? text)) return (int)IssuedCredentials.Life.TotalSeconds;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds)
            && seconds is >= SecondsMin and <= SecondsMax ? seconds
            : throw Invalid(FormattableString.Invariant($"DurationSeconds must be {SecondsMin} to {SecondsMax}."));
    }

    private static string Required(Dictionary<string, string> form, string name) =>
        form.GetValueOrDefault(name) is { Length: > 0 } value ? value : throw new CognitoException("ValidationError", 400,
            $"1 validation error detected: Value null at '{char.ToLowerInvariant(name[0])}{name[1..]}' failed to satisfy "
            + "constraint: Member must not be null");

    private static CognitoException Invalid(string message) => new("ValidationError", 400, message);

    private static string ErrorOf(CognitoException error, string requestId)
    {
        // STS has names without a suffix.
        string code = error.Type.EndsWith("Exception", StringComparison.Ordinal) ? error.Type[..^"Exception".Length] : error.Type;
        return $"""
            <ErrorResponse xmlns="{Namespace}">
              <Error>
                <Type>{(error.Status < 500 ? "Sender" : "Receiver")}</Type>
                <Code>{Text(code)}</Code>
                <Message>{Text(error.Message)}</Message>
              </Error>
              <RequestId>{requestId}</RequestId>
            </ErrorResponse>
            """;
    }

    private static string RequestIdOf(HttpContext context) => context.Response.Headers["x-amzn-RequestId"].ToString();

    private static string Text(string text) => SecurityElement.Escape(text);
}
