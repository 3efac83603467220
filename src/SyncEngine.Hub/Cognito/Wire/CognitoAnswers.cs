using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace SyncEngine.Hub.Cognito.Wire;

/// <summary>Writes answers in the shapes that the service's clients know.</summary>
internal static class CognitoAnswers
{
    public const string AmazonJson = "application/x-amz-json-1.1";
    public const string Json = "application/json";
    private const string Exposed = "x-amzn-errortype,x-amzn-requestid,x-amz-request-id,date";
    private const string Methods = "GET,POST,PUT,DELETE,HEAD,OPTIONS";
    private const string PreflightSeconds = "172800";

    /// <summary>What every answer has.</summary>
    public static void Begin(HttpContext context)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers["x-amzn-RequestId"] = new Guid(RandomNumberGenerator.GetBytes(16)).ToString("D");
        headers.CacheControl = "no-store";
        if (context.Request.Headers.Origin.Count == 0) return;
        headers.AccessControlAllowOrigin = "*";
        headers.AccessControlExposeHeaders = Exposed;
    }

    /// <summary>Answers a browser that asks before it sends.</summary>
    public static void Preflight(HttpContext context)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.AccessControlAllowOrigin = "*";
        headers.AccessControlAllowMethods = Methods;
        headers.AccessControlAllowHeaders = context.Request.Headers.AccessControlRequestHeaders is { Count: > 0 } asked
            ? asked : "*";
        headers.AccessControlMaxAge = PreflightSeconds;
        headers.Vary = "Access-Control-Request-Headers";
        context.Response.StatusCode = StatusCodes.Status200OK;
    }

    public static Task WriteAsync(HttpContext context, JsonNode? body, string contentType)
    {
        context.Response.StatusCode = StatusCodes.Status200OK;
        context.Response.ContentType = contentType;
        if (body is null)
        {
            context.Response.ContentLength = 0;
            return Task.CompletedTask;
        }

        return WriteAsync(context, JsonSerializer.SerializeToUtf8Bytes(body));
    }

    /// <summary>Writes an error. The Identity API knows the status 400 alone for what the caller can mend.</summary>
    public static Task WriteAsync(HttpContext context, CognitoException error, string contentType)
    {
        bool isPlain = contentType == AmazonJson && error.Status is not (413 or 429) and < 500;
        context.Response.StatusCode = isPlain ? StatusCodes.Status400BadRequest : error.Status;
        context.Response.ContentType = contentType;
        context.Response.Headers["x-amzn-errortype"] = error.Type + ":";
        return WriteAsync(context, JsonSerializer.SerializeToUtf8Bytes(new JsonObject
        {
            ["__type"] = error.Type, ["message"] = error.Message,
        }));
    }

    public static Task WriteXmlAsync(HttpContext context, string xml, int status)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/xml";
        return WriteAsync(context, Encoding.UTF8.GetBytes(xml));
    }

    private static Task WriteAsync(HttpContext context, byte[] bytes)
    {
        context.Response.ContentLength = bytes.Length;
        return context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
    }
}
