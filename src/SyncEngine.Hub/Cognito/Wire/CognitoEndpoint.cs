using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using SyncEngine.Hub.Cognito.Sts;
using SyncEngine.Hub.Endpoints;

namespace SyncEngine.Hub.Cognito.Wire;

/// <summary>
/// Serves the Identity API (<c>POST /</c> with a target), the Sync API (paths) and one operation of STS (<c>POST /</c> with a
/// form) at one address. Whatever comes is answered in the service's own shapes. Thread-safe.
/// </summary>
internal sealed partial class CognitoEndpoint(
    IEnumerable<ICognitoOperations> operations, StsEndpoint sts, CognitoEntry entry, JsonBodyReader bounds, RateLimits rates,
    ILogger<CognitoEndpoint> logger)
{
    private const string IdentityService = "cognito-identity";
    private const string SyncService = "cognito-sync";
    private const string TargetHeader = "X-Amz-Target";
    private const string TargetPrefix = "AWSCognitoIdentityService.";

    private readonly Dictionary<string, CognitoOperation> _operations = operations.SelectMany(static group => group.Operations)
        .ToDictionary(static operation => operation.Name, StringComparer.Ordinal);

    /// <summary>Answers a request below a base path.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever fails is answered in the service's shape and logged.")]
    public async Task AnswerAsync(HttpContext context, string basePath)
    {
        CognitoAnswers.Begin(context);
        if (HttpMethods.IsOptions(context.Request.Method))
        {
            CognitoAnswers.Preflight(context);
            return;
        }

        WireTarget target = WireTarget.Of(context);
        string path = target.Below(basePath) ?? target.Path;
        bool isIdentity = path == "/" && HttpMethods.IsPost(context.Request.Method);
        string contentType = isIdentity ? CognitoAnswers.AmazonJson : CognitoAnswers.Json;
        try
        {
            Check(context, rates.RefuseAddress(context));
            if (isIdentity && IsForm(context.Request))
            {
                Check(context, rates.RefusePool(context, null));
                await sts.AnswerAsync(context).ConfigureAwait(false);
                return;
            }

            JsonNode? answer = isIdentity ? await IdentityAsync(context, target).ConfigureAwait(false)
                : await SyncAsync(context, target, path).ConfigureAwait(false);
            await CognitoAnswers.WriteAsync(context, answer, contentType).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody waits for the answer.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            if (CognitoFailures.Of(e) is not { } error)
            {
                LogFailed(e, path);
                error = CognitoException.InternalError("Something went wrong in the hub; its operator finds it in the log.");
            }

            await CognitoAnswers.WriteAsync(context, error, contentType).ConfigureAwait(false);
        }
    }

    private async Task<JsonNode?> IdentityAsync(HttpContext context, WireTarget target)
    {
        string name = context.Request.Headers[TargetHeader] is [{ } header]
            && header.StartsWith(TargetPrefix, StringComparison.Ordinal) ? header[TargetPrefix.Length..] : "";
        CognitoOperation operation = Find(name);
        return await RunAsync(context, target, operation, IdentityService, new CognitoRequest { Operation = name },
            needsBody: true).ConfigureAwait(false);
    }

    private async Task<JsonNode?> SyncAsync(HttpContext context, WireTarget target, string path)
    {
        (string name, IReadOnlyDictionary<string, string> parts) = SyncRoutes.Find(context.Request.Method, path);
        var request = new CognitoRequest
        {
            Operation = name, Path = parts, Query = target.Parameters(),
        };
        return await RunAsync(context, target, Find(name), SyncService, request, needsBody: false).ConfigureAwait(false);
    }

    private async Task<JsonNode?> RunAsync(
        HttpContext context, WireTarget target, CognitoOperation operation, string service, CognitoRequest request,
        bool needsBody)
    {
        ReadOnlyMemory<byte> body = await CognitoBody.ReadAsync(context, bounds, operation.BodyBytesMax).ConfigureAwait(false);
        CognitoCaller? caller = await entry.AdmitAsync(context, target, service, operation, body).ConfigureAwait(false);
        var whole = new CognitoRequest
        {
            Operation = request.Operation, Path = request.Path, Query = request.Query,
            Caller = caller, Body = body.IsEmpty && !needsBody ? CognitoBody.Empty : CognitoBody.Parse(body),
        };
        string? pool = await entry.PoolOfAsync(whole, context.RequestAborted).ConfigureAwait(false);
        Check(context, rates.RefusePool(context, pool));
        return await operation.Answer(whole, context.RequestAborted).ConfigureAwait(false);
    }

    private static void Check(HttpContext context, int? seconds)
    {
        if (seconds is not { } wait) return;
        context.Response.Headers.RetryAfter = wait.ToString(System.Globalization.CultureInfo.InvariantCulture);
        throw CognitoException.TooManyRequests("Rate exceeded");
    }

    private CognitoOperation Find(string name) => _operations.GetValueOrDefault(name)
        ?? throw CognitoException.UnknownOperation("There is no such operation: check X-Amz-Target, or method and path.");

    private static bool IsForm(HttpRequest request) => !request.Headers.ContainsKey(TargetHeader)
        && MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type)
        && type.MediaType.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase);

    [LoggerMessage(40, LogLevel.Error, "A call of the Cognito-wire-compatible API failed: {Path}")]
    private partial void LogFailed(Exception failure, string path);
}
